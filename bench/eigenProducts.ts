// Hessian-vector products that the leading eigenvalues cost along gradient descent at the edge: brink against power
// iteration.
import { filter, lastValueFrom, take, toArray } from 'rxjs';
import type { Point } from '../src/core/Objective.ts';
import { digits } from '../src/datasets/digits.ts';
import { openEngine } from '../src/engine/openEngine.ts';
import { empiricalRisk } from '../src/engine/risk/empiricalRisk.ts';
import { hessianEigenpairs } from '../src/estimators/hessianEigenpairs.ts';
import { type Eigenpairs, extremeEigenpairs } from '../src/linalg/eigenpairs.ts';
import { addScaled, norm } from '../src/linalg/vector.ts';
import { meanSquaredError } from '../src/losses/meanSquaredError.ts';
import { mlp } from '../src/models/mlp.ts';
import { measureAlong } from '../src/operators/measure.ts';
import { throttleSteps } from '../src/operators/throttleSteps.ts';
import { stabilityEdge } from '../src/theory/stabilityEdge.ts';
import { gradientDescent } from '../src/training/gradientDescent.ts';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';
import { type PowerIterationOptions, powerIteration } from './powerIteration.ts';
import { formatSpread, spread } from './spread.ts';

/** ‖Hq − λq‖ ≤ TOLERANCE·|λ_1|. */
const TOLERANCE = 1e-3;
/** For each of power iteration's pairs, where it goes on to the residual. */
const MOST_PRODUCTS = 1000;
const PROBED_STEPS = 60;
/** The quickstart's: each third step is probed. */
const EVERY = 3;
const COUNTS = [1, 3] as const;

/** What one method did at one step. */
interface Outcome {
  readonly products: number;
  /** max_j ‖Hq_j − λ_jq_j‖/|λ_1|, by products of the bench's own. */
  readonly residual: number;
  /** max_j |λ_j − λ*_j|/|λ*_1|, λ* from a search to a residual of 1e-5. */
  readonly error: number;
}
interface Pair {
  readonly value: number;
  readonly vector: Float32Array;
}

// The quickstart's problem.
const model = mlp({ inputs: 64, hidden: [32, 32, 32], outputs: 10, activation: 'tanh', weightScale: 0.8 });
const objective = await empiricalRisk({ model, data: await digits({ train: 1024 }), loss: meanSquaredError });
const steps = gradientDescent(objective, { learningRate: 0.2, steps: 2000 });
const settings = { who: 'eigenProducts', tolerance: TOLERANCE, maxProducts: 500, seed: 0 };

async function judge(point: Point, products: number, pairs: readonly Pair[], exact: Eigenpairs): Promise<Outcome> {
  const lambda1 = exact.pairs[0]!.value;
  let [residual, error] = [0, 0];
  for (const [j, { value, vector }] of pairs.entries()) {
    const r = Float64Array.from((await point.hessianVector(vector)).product);
    addScaled(r, vector, -value);
    residual = Math.max(residual, norm(r) / Math.abs(lambda1));
    error = Math.max(error, Math.abs(value - exact.pairs[j]!.value) / Math.abs(lambda1));
  }
  return { products, residual, error };
}

/** The pairs themselves, with nothing else that the search has learnt. */
function forgetful(found: Eigenpairs): Eigenpairs {
  const { pairs } = found;
  const model = {
    values: pairs.map(({ value }) => value),
    vectors: pairs.map(({ vector }) => vector),
    searches: 1,
    scout: null,
  };
  // A search of its own: what it finds is not that of the whole memory.
  return { ...found, model, token: {} };
}

/** What each method did at one step, by its label; for each count of pairs. */
type Comparison = ReadonlyMap<string, readonly Outcome[]>;

const compare = measureAlong(() => {
  const previous: (Eigenpairs | null)[] = COUNTS.map(() => null);
  // θ_0 may lie above the edge: training then falls below it first, and comes back to stay.
  let wasBelow = false;
  let isAtEdge = false;
  return async (point, step) => {
    const warm: Eigenpairs[] = [];
    const plain: Eigenpairs[] = [];
    for (const [k, count] of COUNTS.entries()) {
      const before = previous[k]!;
      const found = await hessianEigenpairs(point, { ...settings, count }, before);
      previous[k] = found;
      warm.push(found);
      plain.push(await hessianEigenpairs(point, { ...settings, count }, before && forgetful(before)));
    }
    const isAbove = warm[0]!.pairs[0]!.value >= stabilityEdge(step);
    wasBelow ||= !isAbove;
    isAtEdge ||= wasBelow && isAbove;
    if (!isAtEdge) return { step: step.index, comparison: null };

    const apply = (v: Float32Array) => point.hessianVector(v);
    const search = {
      ...settings,
      dimension: objective.paramCount,
      end: 'largest' as const,
      nearby: null,
      known: async () => [],
    };
    const exact = await extremeEigenpairs(apply, { ...search, count: 3, tolerance: 1e-5 });
    if (!exact.converged) throw new Error(`the reference did not converge at step ${step.index}`);
    const outcomes = (found: readonly { readonly products: number; readonly pairs: readonly Pair[] }[]) =>
      Promise.all(found.map(({ products, pairs }) => judge(point, products, pairs, exact)));

    const cold: Eigenpairs[] = [];
    const random: Eigenpairs[] = [];
    for (const count of COUNTS) {
      cold.push(await hessianEigenpairs(point, { ...settings, count }, null));
      random.push(await extremeEigenpairs(apply, { ...search, count, seed: step.index }));
    }
    /** Its first pair does not depend on how many follow. */
    const power = async (stop: PowerIterationOptions['stop'], maxProducts: number) => {
      const pairs = await powerIteration(async (v) => (await apply(v)).product, {
        dimension: objective.paramCount,
        count: 3,
        stop,
        tolerance: TOLERANCE,
        maxProducts,
        seed: step.index,
      });
      return COUNTS.map((count) => {
        const first = pairs.slice(0, count);
        return { pairs: first, products: first.reduce((sum, { products }) => sum + products, 0) };
      });
    };
    const comparison: Comparison = new Map([
      ['brink, as it runs', await outcomes(warm)],
      ['brink, from the pairs alone', await outcomes(plain)],
      ['brink, from ∇L alone', await outcomes(cold)],
      ['brink, from a random vector', await outcomes(random)],
      ['power iteration, to a change of 1e-3', await outcomes(await power('change', 100))],
      ['power iteration, to the residual', await outcomes(await power('residual', MOST_PRODUCTS))],
    ]);
    return { step: step.index, comparison };
  };
});

const rows = await lastValueFrom(
  steps.pipe(
    throttleSteps(EVERY),
    compare,
    filter(({ comparison }) => comparison !== null),
    take(PROBED_STEPS),
    toArray(),
  ),
);
if (rows.length < PROBED_STEPS) throw new Error(`training gave ${rows.length} steps at the edge, not ${PROBED_STEPS}`);

const outcomesOf = (label: string, k: number) => rows.map(({ comparison }) => comparison!.get(label)![k]!);
const labels = [...rows[0]!.comparison!.keys()];
for (const [k, count] of COUNTS.entries()) {
  const name = count === 1 ? 'λ₁' : `λ₁…λ${'₀₁₂₃'[count]}`;
  const warm = outcomesOf(labels[0]!, k).map(({ products }) => products);
  console.log(`\n${name}, ${rows.length} probed steps, ${rows[0]!.step} to ${rows.at(-1)!.step}, each third\n`);
  console.log(
    markdownTable(
      ['', 'products a step', 'ratio to the first', 'residual/λ₁', 'worst', 'at most 1e-3', 'error of λ/λ₁', 'worst'],
      labels.map((label) => {
        const outcomes = outcomesOf(label, k);
        const products = outcomes.map((outcome) => outcome.products);
        const residuals = spread(outcomes.map(({ residual }) => residual));
        const errors = spread(outcomes.map(({ error }) => error));
        const reached = outcomes.filter(({ residual }) => residual <= TOLERANCE).length;
        return [
          label,
          formatSpread(products, 0),
          formatSpread(
            products.map((value, i) => value / warm[i]!),
            1,
          ),
          residuals.median.toExponential(1),
          residuals.most.toExponential(1),
          `${reached} of ${rows.length}`,
          errors.median.toExponential(1),
          errors.most.toExponential(1),
        ];
      }),
    ),
  );
}
const { name, version, device } = await openEngine();
console.log(`\n${conditions([`brink on ${name}, ${version} (${device})`])}`);

// What IAS and ρ_b cost for 14 batch sizes at a standard error of 2 %: from the gradients of the examples against
// batches sampled for each size.
import { lastValueFrom, type OperatorFunction, of, toArray } from 'rxjs';
import type { Objective } from '../src/core/Objective.ts';
import { openStep, type Step } from '../src/core/Step.ts';
import type { Row } from '../src/core/Table.ts';
import { arrays } from '../src/datasets/arrays.ts';
import { digits } from '../src/datasets/digits.ts';
import { openEngine } from '../src/engine/openEngine.ts';
import { empiricalRisk } from '../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../src/losses/meanSquaredError.ts';
import { cnn } from '../src/models/cnn.ts';
import { mlp } from '../src/models/mlp.ts';
import { gradientConcentration } from '../src/probes/gradientConcentration.ts';
import {
  type InteractionAwareSharpnessOptions,
  interactionAwareSharpness,
} from '../src/probes/interactionAwareSharpness.ts';
import { topEigenvalues } from '../src/probes/topEigenvalues.ts';
import { gradientDescent } from '../src/training/gradientDescent.ts';
import type { GradientDescentOptions } from '../src/training/settings.ts';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';

/** Standard error over value, wanted for every batch size. */
const TARGET = 0.02;
const BATCH_SIZES = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256, 512, 1024];
/** Draws from whose spread it is foretold how many are needed; the last, from which a batch gradient's time is. */
const PILOT = { signs: 64, batches: 100, gradients: 20 };
/** Two estimates of one trace further apart than so many standard errors are taken for different things. */
const AGREEMENT = 6;
/** Share of a trace that float32 may cost, where nothing is estimated. */
const ROUNDING = 1e-4;
/** Eigenpairs done exactly: the probe's default. */
const PAIRS = 3;
/** As many as there are classes. */
const MORE_PAIRS = 10;

type Sharpness = Row<typeof interactionAwareSharpness.table>;
type Quantity = 'ias' | 'rho' | 'both';

/** Rows of a probe at one step, and what they cost. */
interface Measured<R> {
  readonly rows: readonly R[];
  /** Passes over all n examples: gradients + 3 × products. */
  readonly passes: number;
  readonly seconds: number;
}

const passesOf = ({ cost }: Objective) => cost.gradients + 3 * cost.products;

async function measured<R>(objective: Objective, step: Step, probe: OperatorFunction<Step, R>): Promise<Measured<R>> {
  const [passes, start] = [passesOf(objective), performance.now()];
  const rows = await lastValueFrom(of(step).pipe(probe, toArray()));
  return { rows, passes: passesOf(objective) - passes, seconds: (performance.now() - start) / 1e3 };
}

/** The same step at a point of its own, where nothing is remembered. */
const afresh = (step: Step): Step => openStep({ ...step, weights: step.weights.slice() }, step.run).step;

const iasError = (row: Sharpness) => row.ias_standard_error / Math.abs(row.ias);
const rhoError = (row: { rho: number; rho_standard_error: number }) => row.rho_standard_error / row.rho;

/** Draws for a standard error of TARGET, from the error that `draws` of them left; 0 where nothing is estimated. */
const needed = (draws: number, error: number) => Math.ceil(draws * (error / TARGET) ** 2);

type Needed = Readonly<Record<Quantity, number>>;

function neededFor(row: Sharpness, draws: number, most = Number.POSITIVE_INFINITY): Needed {
  const ias = Math.min(needed(draws, iasError(row)), most);
  const rho = Math.min(needed(draws, rhoError(row)), most);
  return { ias, rho, both: Math.max(ias, rho) };
}

/** Sampling batches of one size: the draws that each quantity needs, and what they cost. */
interface Sampling {
  readonly row: Sharpness;
  readonly draws: Needed;
  readonly passes: Needed;
  readonly seconds: Needed;
}

/** Foretold from a pilot. */
async function sampling(objective: Objective, step: Step, batchSize: number, replacement: boolean): Promise<Sampling> {
  const pilot = { batchSizes: [batchSize], replacement, estimator: 'batches', draws: PILOT.batches } as const;
  // Other draws, so that none is there already.
  const gradients = { ...pilot, draws: PILOT.gradients, seed: 2 };
  const withProduct = await measured(objective, step, interactionAwareSharpness(pilot));
  const gradientOnly = await measured(objective, step, gradientConcentration(gradients));
  const row = withProduct.rows[0]!;
  // Without replacement there are n batches of one example, and then nothing is left to estimate.
  const most = batchSize === 1 && !replacement ? objective.exampleCount : Number.POSITIVE_INFINITY;
  const draws = neededFor(row, pilot.draws, most);
  const cost = (of: 'passes' | 'seconds') => ({
    ias: (draws.ias / pilot.draws) * withProduct[of],
    rho: (draws.rho / gradients.draws) * gradientOnly[of],
    both: (draws.both / pilot.draws) * withProduct[of],
  });
  return { row, draws, passes: cost('passes'), seconds: cost('seconds') };
}

/** Fails where batches and signs do not estimate the same thing. */
function requireAgreement(batches: Sharpness, signs: Sharpness): void {
  for (const trace of ['trace_S_b', 'trace_H_S_b'] as const) {
    const error = Math.hypot(batches[`${trace}_standard_error`], signs[`${trace}_standard_error`]);
    const apart = Math.abs(batches[trace] - signs[trace]);
    if (!(apart <= AGREEMENT * error + ROUNDING * Math.abs(signs[trace]))) {
      throw new Error(
        `b = ${batches.batch_size}: ${trace} is ${batches[trace]} from batches and ${signs[trace]} from signs, ${apart / error} standard errors apart.`,
      );
    }
  }
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const whole = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 });
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

interface Problem {
  readonly title: string;
  readonly objective: Objective;
  readonly training: GradientDescentOptions;
  /** Batch sizes whose foretold error of IAS is checked by sampling in full. */
  readonly checked: readonly number[];
}

async function compare({ title, objective, training, checked }: Problem): Promise<void> {
  const step = await lastValueFrom(gradientDescent(objective, training));
  const top = await measured(objective, step, topEigenvalues());

  /** All batch sizes from one set of signs. */
  const signs = (options: InteractionAwareSharpnessOptions) =>
    measured(objective, afresh(step), interactionAwareSharpness({ batchSizes: BATCH_SIZES, ...options }));
  const signPilot = async (deflate: number) => {
    const pilot = await signs({ draws: PILOT.signs, deflate });
    return { ...pilot, needed: pilot.rows.map((row) => neededFor(row, PILOT.signs)) };
  };
  const deflated = await signPilot(PAIRS);
  const plain = await signPilot(0);
  const more = await signPilot(MORE_PAIRS);
  /** ∇L, H∇L, the norms of the examples' gradients and the search for the pairs. A draw is a gradient and a product. */
  const before = deflated.passes - 4 * PILOT.signs;

  // ∇L and H∇L, which sampling hardly needs, are remembered here before its clock starts.
  const prepared = afresh(step);
  await measured(objective, prepared, interactionAwareSharpness());
  const without: Sampling[] = [];
  const replaced: Sampling[] = [];
  for (const b of BATCH_SIZES) {
    without.push(await sampling(objective, prepared, b, false));
    replaced.push(await sampling(objective, prepared, b, true));
  }

  without.forEach(({ row }, k) => {
    requireAgreement(row, deflated.rows[k]!);
    requireAgreement(row, plain.rows[k]!);
  });

  const { lambda_1, edge } = top.rows[0]!;
  const { paramCount, exampleCount } = objective;
  console.log(
    `\n${title}: m = ${paramCount}, n = ${exampleCount}, step ${step.index}, λ₁ = ${lambda_1.toFixed(1)}, 2/η = ${edge}\n`,
  );
  console.log(
    markdownTable(
      [
        'b',
        'IAS',
        'ρ_b',
        'signs for IAS',
        'batches for IAS',
        'for ρ_b',
        'replaced, for IAS',
        'for ρ_b',
        'passes for both, examples',
        'batches',
        'ratio',
      ],
      without.map(({ draws, passes }, k) => {
        const { batch_size, ias, rho } = deflated.rows[k]!;
        const few = deflated.needed[k]!;
        const ownPasses = few.both > 0 ? before + 4 * few.both : 4;
        return [
          `${batch_size}`,
          ias.toFixed(2),
          rho.toPrecision(2),
          whole(few.ias),
          ...[draws, replaced[k]!.draws].flatMap((needs) => [whole(needs.ias), whole(needs.rho)]),
          whole(ownPasses),
          whole(passes.both),
          draws.both > 0 ? (passes.both / ownPasses).toFixed(1) : 'exact',
        ];
      }),
    ),
  );

  const rows: string[][] = [];
  for (const [quantity, heading] of [
    ['ias', 'IAS'],
    ['rho', 'ρ_b'],
    ['both', 'both'],
  ] as const) {
    const total = sum(without.map(({ passes }) => passes[quantity]));
    const report = (label: string, draws: number, passes: number, seconds: number, worst: string) =>
      rows.push([
        `${heading}: ${label}`,
        whole(draws),
        whole(passes),
        seconds.toFixed(1),
        worst,
        (total / passes).toFixed(1),
      ]);
    for (const [label, each] of [
      ['batches', without],
      ['batches, replaced', replaced],
    ] as const) {
      const added = (of: 'draws' | 'passes' | 'seconds') => sum(each.map((one) => one[of][quantity]));
      report(label, added('draws'), added('passes'), added('seconds'), 'foretold');
    }
    const most = (pilot: { needed: Needed[] }) => Math.max(2, ...pilot.needed.map((draws) => draws[quantity]));
    if (quantity === 'rho') {
      const probe = gradientConcentration({ batchSizes: BATCH_SIZES });
      const found = await measured(objective, afresh(step), probe);
      const drawn = Math.max(...found.rows.map(({ draws }) => draws));
      report('examples', drawn, found.passes, found.seconds, percent(Math.max(...found.rows.map(rhoError))));
      continue;
    }
    const full = async (label: string, options: InteractionAwareSharpnessOptions) => {
      const { rows, passes, seconds } = await signs(options);
      const errors = rows.map((row) => (quantity === 'ias' ? iasError(row) : Math.max(iasError(row), rhoError(row))));
      report(label, rows[0]!.draws, passes, seconds, percent(Math.max(...errors)));
    };
    const draws = most(plain);
    report('examples', draws, 5 + 4 * draws, (plain.seconds * draws) / PILOT.signs, 'foretold');
    await full(`examples, ${PAIRS} pairs`, { draws: most(deflated), deflate: PAIRS });
    await full(`examples, ${MORE_PAIRS} pairs`, { draws: most(more), deflate: MORE_PAIRS });
    if (quantity === 'ias')
      await full(`examples, ${PAIRS} pairs, as targetError finds it`, { targetError: TARGET, deflate: PAIRS });
  }
  console.log('');
  console.log(
    markdownTable(['for all 14 batch sizes', 'draws', 'passes', 'seconds', 'worst error', 'times cheaper'], rows),
  );

  const checks: string[][] = [];
  for (const b of checked) {
    const { row, draws } = without[BATCH_SIZES.indexOf(b)]!;
    const options = { batchSizes: [b], estimator: 'batches', draws: draws.ias, seed: 1 } as const;
    const [found] = (await measured(objective, prepared, interactionAwareSharpness(options))).rows;
    requireAgreement(found!, deflated.rows[BATCH_SIZES.indexOf(b)]!);
    const foretold = (error: number) => percent(error * Math.sqrt(PILOT.batches / draws.ias));
    checks.push([
      `${b}`,
      whole(draws.ias),
      foretold(iasError(row)),
      percent(iasError(found!)),
      foretold(rhoError(row)),
      percent(rhoError(found!)),
    ]);
  }
  console.log('');
  console.log(
    markdownTable(
      ['b', 'batches drawn in full', 'error of IAS, foretold', 'found', 'error of ρ_b, foretold', 'found'],
      checks,
    ),
  );
}

const data = await digits({ train: 1024 });
const { inputs, labels } = data.train;
await compare({
  title: "The quickstart's mlp, mean squared error",
  objective: await empiricalRisk({
    model: mlp({ inputs: 64, hidden: [32, 32, 32], outputs: 10, activation: 'tanh', weightScale: 0.8 }),
    data,
    loss: meanSquaredError,
  }),
  training: { learningRate: 0.2, steps: 480, seed: 2 },
  checked: [1, 16],
});
await compare({
  title: 'A small cnn, cross-entropy',
  objective: await empiricalRisk({
    model: cnn({ inputShape: [8, 8, 1], channels: [8, 16] }),
    data: arrays({ inputShape: [8, 8, 1], inputs, labels: labels!, classes: 10 }),
    loss: crossEntropy,
  }),
  training: { learningRate: 0.1, steps: 300 },
  checked: [64, 256],
});
const { name, version, device } = await openEngine();
console.log(`\n${conditions([`brink on ${name}, ${version} (${device})`])}`);

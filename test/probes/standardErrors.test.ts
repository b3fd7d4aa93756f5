import { from, lastValueFrom, type OperatorFunction, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { traceSquare } from '../../src/estimators/traceSquare.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { dot, mean, norm } from '../../src/linalg/vector.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';
import { batchSharpness } from '../../src/probes/batchSharpness.ts';
import { expectedLossChange } from '../../src/probes/expectedLossChange.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { hessianTrace } from '../../src/probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { resultantLength } from '../../src/probes/resultantLength.ts';
import { samplingCoefficient } from '../../src/theory/samplingCoefficient.ts';
import { stepAt } from '../helpers/stepAt.ts';
import { withoutExampleNorms } from '../helpers/withoutExampleNorms.ts';

/** How often a 95 % interval must cover the truth, with a little room for 200 repetitions. */
const REPETITIONS = 200;
const LEAST = 0.9;
const MOST = 0.98;

const [n, m, b, eta] = [24, 12, 3, 0.05];
const random = generator(11);
const X = Array.from({ length: n }, () => [...normals(random, m)]);
const y = [...normals(random, n)];
const weights = Float32Array.from(normals(random, m));
const objective = leastSquares({ X, y });
const point = objective.at(weights);
const signsOnly = withoutExampleNorms(objective);

/** Everything in closed form: g_i = r_i x_i, H = XᵀX/n. */
const gradients = X.map((x, i) => {
  const r = x.reduce((sum, v, k) => sum + v * weights[k]!, 0) - y[i]!;
  return Float64Array.from(x, (v) => r * v);
});
const H = Array.from({ length: m }, (_, i) =>
  Float64Array.from({ length: m }, (_, j) => mean(X.map((x) => x[i]! * x[j]!))),
);
const times = (v: Float64Array) => Float64Array.from(H, (row) => dot(row, v));
const quadraticForm = (v: Float64Array) => dot(v, times(v));
const average = (vs: Float64Array[]) => Float64Array.from({ length: m }, (_, k) => mean(vs.map((v) => v[k]!)));
const gradient = average(gradients);
const [gg, gHg] = [dot(gradient, gradient), quadraticForm(gradient)];
const share = samplingCoefficient(n, b, false) / b;
const traceS = gg + share * (mean(gradients.map((g) => dot(g, g))) - gg);
const traceHS = gHg + share * (mean(gradients.map(quadraticForm)) - gHg);

/** All batches of b = 3 distinct examples. */
const batches: number[][] = [];
for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) for (let k = 0; k < j; k++) batches.push([i, j, k]);
const batchGradients = batches.map((batch) => average(batch.map((i) => gradients[i]!)));
const ownCurvature = batches.map((batch, k) => {
  const g = batchGradients[k]!;
  return mean(batch.map((i) => X[i]!.reduce((sum, x, j) => sum + x * g[j]!, 0) ** 2)) / dot(g, g);
});
const direction = average(batchGradients.map((g) => g.map((x) => x / norm(g))));

const C1 = Array.from({ length: m }, (_, i) =>
  Float64Array.from({ length: m }, (_, j) => mean(gradients.map((g) => g[i]! * g[j]!)) - gradient[i]! * gradient[j]!),
);
const HC1 = H.map((row) =>
  Float64Array.from({ length: m }, (_, j) => row.reduce((sum, h, k) => sum + h * C1[k]![j]!, 0)),
);
const traceOfSquare = HC1.reduce((sum, row, i) => sum + row.reduce((s, x, j) => s + x * HC1[j]![i]!, 0), 0);

/** 97.5 % of Student's t, by the number of draws. */
const STUDENT: Record<number, number> = { 16: 2.131, 32: 2.04, 40: 2.023 };

/** What a probe estimates at one seed. */
type Estimator = (seed: number) => Promise<{ value: number; error: number; draws: number }>;
const estimate =
  <R extends { draws: number }>(
    probe: (seed: number) => OperatorFunction<Step, R>,
    read: (row: R) => [number, number],
  ): Estimator =>
  async (seed) => {
    const step = stepAt(weights, { learningRate: eta }, { objective });
    const [row] = await lastValueFrom(from([step]).pipe(probe(seed), toArray()));
    const [value, error] = read(row!);
    return { value, error, draws: row!.draws };
  };
const batchSizes = [b];
/** Where a probe's own number of draws is too small: batches of three of these examples are skewed. */
const draws = 40;

const ESTIMATORS: Record<string, [number, Estimator]> = {
  ...Object.fromEntries(
    (
      [
        ['by random signs', signsOnly, 0],
        ['by random signs with deflation', signsOnly, 3],
        ['with exact norms', objective, 0],
        ['with exact norms and deflation', objective, 3],
      ] as const
    ).map(([how, on, deflate]) => [
      `interaction-aware sharpness ${how}`,
      [
        traceHS / traceS,
        estimate(
          (seed) => interactionAwareSharpness({ on, batchSizes, seed, deflate }),
          (r) => [r.ias, r.ias_standard_error],
        ),
      ] as [number, Estimator],
    ]),
  ),
  'interaction-aware sharpness by sampled batches': [
    traceHS / traceS,
    estimate(
      (seed) => interactionAwareSharpness({ batchSizes, draws, seed, estimator: 'batches' }),
      (r) => [r.ias, r.ias_standard_error],
    ),
  ],
  'tr(HS_b)/tr(S_n) by random signs': [
    traceHS / gg,
    estimate(
      (seed) => interactionAwareSharpness({ on: signsOnly, batchSizes, seed }),
      (r) => [r.interaction, r.interaction_standard_error],
    ),
  ],
  'ρ_b by random signs': [
    gg / traceS,
    estimate(
      (seed) => gradientConcentration({ on: signsOnly, batchSizes, seed }),
      (r) => [r.rho, r.rho_standard_error],
    ),
  ],
  'ρ_b by sampled batches': [
    gg / traceS,
    estimate(
      (seed) => gradientConcentration({ batchSizes, draws, seed, estimator: 'batches' }),
      (r) => [r.rho, r.rho_standard_error],
    ),
  ],
  'B_simple by random signs': [
    (mean(gradients.map((g) => dot(g, g))) - gg) / gg,
    estimate(
      (seed) => interactionAwareSharpness({ on: signsOnly, batchSizes, seed }),
      (r) => [r.noise_scale!, r.noise_scale_standard_error!],
    ),
  ],
  'B_simple by sampled batches': [
    (mean(gradients.map((g) => dot(g, g))) - gg) / gg,
    estimate(
      (seed) => gradientConcentration({ batchSizes, draws, seed, estimator: 'batches' }),
      (r) => [r.noise_scale!, r.noise_scale_standard_error!],
    ),
  ],
  'B_H by random signs with deflation': [
    (mean(gradients.map(quadraticForm)) - gHg) / gHg,
    estimate(
      (seed) => interactionAwareSharpness({ on: signsOnly, batchSizes, seed }),
      (r) => [r.noise_scale_hessian!, r.noise_scale_hessian_standard_error!],
    ),
  ],
  'B_H by sampled batches': [
    (mean(gradients.map(quadraticForm)) - gHg) / gHg,
    estimate(
      (seed) => interactionAwareSharpness({ batchSizes, draws, seed, estimator: 'batches' }),
      (r) => [r.noise_scale_hessian!, r.noise_scale_hessian_standard_error!],
    ),
  ],
  'η/η_opt by sampled batches': [
    (eta * traceHS) / gg,
    estimate(
      (seed) => interactionAwareSharpness({ batchSizes, draws, seed, estimator: 'batches' }),
      (r) => [r.learning_rate_over_optimum, r.learning_rate_over_optimum_standard_error],
    ),
  ],
  'tr(H)': [
    H.reduce((sum, row, i) => sum + row[i]!, 0),
    estimate(
      (seed) => hessianTrace({ seed, deflate: 2 }),
      (r) => [r.trace_H, r.trace_H_standard_error],
    ),
  ],
  'tr(H²)': [
    H.reduce((sum, row) => sum + dot(row, row), 0),
    estimate(
      (seed) => hessianTrace({ seed, deflate: 2 }),
      (r) => [r.trace_H2, r.trace_H2_standard_error],
    ),
  ],
  'batch sharpness': [
    mean(ownCurvature),
    estimate(
      (seed) => batchSharpness({ batchSizes, seed }),
      (r) => [r.batch_sharpness, r.batch_sharpness_standard_error],
    ),
  ],
  'the expected loss change': [
    (eta ** 2 / 2) * traceHS - eta * gg,
    estimate(
      (seed) => expectedLossChange({ batchSizes, seed }),
      (r) => [r.loss_change, r.loss_change_standard_error],
    ),
  ],
  ...Object.fromEntries(
    (['batches', 'examples'] as const).map((estimator) => [
      `the normalised loss change with tr(HS_b)/tr(S_n) by '${estimator}'`,
      [
        ((eta ** 2 / 2) * traceHS - eta * gg) / gg,
        estimate(
          (seed) => expectedLossChange({ batchSizes, draws, seed, estimator }),
          (r) => [r.normalized_change, r.normalized_change_standard_error],
        ),
      ] as [number, Estimator],
    ]),
  ),
  'the squared mean resultant length': [
    dot(direction, direction),
    estimate(
      (seed) => resultantLength({ batchSizes, seed }),
      (r) => [r.resultant_length_squared, r.resultant_length_squared_standard_error],
    ),
  ],
  'tr(HC₁HC₁)': [
    traceOfSquare,
    async (seed) => {
      const { value, standardError } = await traceSquare(point, seed, 0, 3 * draws);
      return { value, error: standardError, draws };
    },
  ],
};

it.each(Object.entries(ESTIMATORS))(
  'a 95 % interval, from the draws that are the default, covers the truth as often as it should: %s',
  async (_name, [truth, estimator]) => {
    let covered = 0;
    const values: number[] = [];
    for (let seed = 1; seed <= REPETITIONS; seed++) {
      const { value, error, draws } = await estimator(seed);
      values.push(value);
      if (Math.abs(value - truth) <= STUDENT[draws]! * error) covered++;
    }
    const spread = Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)));
    expect(Math.abs(mean(values) - truth), `bias: mean ${mean(values)} for ${truth}`).toBeLessThan(
      (4 * spread) / Math.sqrt(REPETITIONS) + 0.02 * Math.abs(truth),
    );
    expect(covered / REPETITIONS).toBeGreaterThanOrEqual(LEAST);
    expect(covered / REPETITIONS).toBeLessThanOrEqual(MOST + 0.01);
  },
  120_000,
);

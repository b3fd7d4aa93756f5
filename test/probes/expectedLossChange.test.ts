import { lastValueFrom, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { generator, normals } from '../../src/linalg/random.ts';
import { covariance, dot, mean } from '../../src/linalg/vector.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';
import { expectedLossChange, type LossChangeRow } from '../../src/probes/expectedLossChange.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { curvedRegression } from '../helpers/curvedRegression.ts';
import { everyBatch } from '../helpers/everyBatch.ts';
import { stepAt } from '../helpers/stepAt.ts';

/** Least squares with noise in y: SGD goes to where its noise is most of the gradient, and x varies. */
function noisyRegression(n: number, m: number) {
  const random = generator(2);
  const X = Array.from({ length: n }, () => [...normals(random, m)]);
  return leastSquares({ X, y: [...normals(random, n)] });
}

const slope = (x: number[], y: number[]) => {
  const [xs, ys] = [Float64Array.from(x), Float64Array.from(y)];
  return covariance(xs, ys) / covariance(xs, xs);
};

describe('the ordinate of Figures 1 and 2', () => {
  const eta = 0.3;
  const run = (options: object) => {
    const steps = gradientDescent(noisyRegression(64, 8), { learningRate: eta, steps: 60, batchSize: 4, seed: 3 });
    return lastValueFrom(steps.pipe(expectedLossChange({ batchSizes: [4], draws: 4, ...options }), toArray()));
  };
  const abscissa = (rows: LossChangeRow[]) => rows.map((row) => (eta ** 2 / 2) * (row.interaction - 2 / eta));

  it.each(['batches', 'examples'] as const)(
    "has slope 1 on a quadratic loss over a run of SGD, with x by '%s', where the plain change has not",
    async (estimator) => {
      const rows = await run({ estimator });
      const x = abscissa(rows);
      // The residual is 0 there to float32's rounding of the weights and gradients.
      for (const row of rows) expect(Math.abs(row.residual)).toBeLessThan(1e-4 * eta);
      const normalized = rows.map((row) => row.normalized_change);
      expect(Math.abs(slope(x, normalized) - 1)).toBeLessThan(1e-3);
      // The plain change has the noise of the draws in it, x has the same, and the line between them is another.
      const plain = rows.map((row, t) => (row.loss_change * x[t]!) / row.predicted_change);
      expect(slope(x, plain)).toBeLessThan(0.97);
    },
  );

  it('has less noise in x by the examples with eigenpairs than by the batches', async () => {
    const errors = async (options: object) => mean((await run(options)).map((row) => row.interaction_standard_error));
    const [batches, examples] = [await errors({ estimator: 'batches' }), await errors({ estimator: 'examples' })];
    expect(examples).toBeLessThan(batches / 3);
  });

  it('is exact for the full batch', async () => {
    const objective = curvedRegression(0.3);
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 3 });
    const rows = await lastValueFrom(
      steps.pipe(expectedLossChange({ batchSizes: [12], estimator: 'examples' }), toArray()),
    );
    expect(rows).toHaveLength(4);
    for (const [t, row] of rows.entries()) {
      expect(row).toMatchObject({
        draws: 0,
        residual_standard_error: 0,
        interaction_standard_error: 0,
        normalized_change_standard_error: 0,
        loss_change_standard_error: 0,
      });
      expect(Math.abs(row.residual)).toBeGreaterThan(1e-4);
      const traceSn = row.predicted_change / (row.normalized_change - row.residual);
      expect(row.normalized_change * traceSn).toBeCloseTo(row.loss_change, 9);
      if (t > 0) expect(row.step).toBe(t);
    }
  });

  it.each([false, true])(
    'is that of all batches where the loss is not quadratic (replacement: %s)',
    async (replacement) => {
      const objective = curvedRegression(0.5);
      const weights = objective.initialWeights(1);
      const point = objective.at(weights);
      const gradient = await point.gradient();
      const traceSn = dot(gradient, gradient);
      const b = 2;
      const truth = { residual: [] as number[], change: [] as number[] };
      for (const batch of everyBatch(objective.exampleCount, b, replacement)) {
        const g = (await point.batchGradient(Int32Array.from(batch))).gradient;
        const change = (await point.moved(g, -0.1).loss()) - (await point.loss());
        const second = (0.1 ** 2 / 2) * dot(g, (await point.hessianVector(g)).product);
        truth.change.push(change / traceSn);
        truth.residual.push((change + 0.1 * dot(g, gradient) - second) / traceSn);
      }
      expect(Math.abs(mean(truth.residual))).toBeGreaterThan(1e-4);
      for (const estimator of ['batches', 'examples'] as const) {
        const probe = expectedLossChange({ batchSizes: [b], draws: 400, estimator, replacement });
        const [row] = await lastValueFrom(of(stepAt(weights, {}, { objective })).pipe(probe, toArray()));
        const off = Math.abs(row!.residual - mean(truth.residual));
        expect(off).toBeLessThan(4 * row!.residual_standard_error);
        expect(Math.abs(row!.normalized_change - mean(truth.change))).toBeLessThan(
          4 * row!.normalized_change_standard_error,
        );
        // The error is of the residual, not of the change.
        const spread = Math.sqrt(covariance(Float64Array.from(truth.residual), Float64Array.from(truth.residual)));
        expect(row!.residual_standard_error / (spread / 20)).toBeCloseTo(1, 0);
        expect(row!.residual_standard_error * traceSn).toBeLessThan(row!.loss_change_standard_error / 2);
      }
    },
  );
});

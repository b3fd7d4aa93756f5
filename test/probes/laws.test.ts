import fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { hessianEigenpairs } from '../../src/estimators/hessianEigenpairs.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { covariance, dot, mean } from '../../src/linalg/vector.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';
import { quadratic } from '../../src/objectives/quadratic.ts';
import { alignment } from '../../src/probes/alignment.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { spectralDensity } from '../../src/probes/spectralDensity.ts';
import { theoremOne } from '../../src/probes/theoremOne.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { concentrationOfBatch, lssr } from '../../src/theory/lssr.ts';
import { samplingCoefficient } from '../../src/theory/samplingCoefficient.ts';
import { stabilityEdge } from '../../src/theory/stabilityEdge.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { everyBatch } from '../helpers/everyBatch.ts';
import { orthonormal } from '../helpers/orthonormal.ts';
import { stepAt } from '../helpers/stepAt.ts';

/** A small least-squares problem, as numbers. */
const problem = fc
  .record({ n: fc.integer({ min: 2, max: 6 }), m: fc.integer({ min: 1, max: 4 }), seed: fc.nat() })
  .map(({ n, m, seed }) => {
    const random = generator(seed);
    const X = Array.from({ length: n }, () => [...normals(random, m)]);
    return { n, m, X, y: [...normals(random, n)], weights: Float32Array.from(normals(random, m)), eta: 0.1 };
  });

/** tr(S_b), tr(HS_b) and E[L(θ − ηg)] by enumeration. */
async function enumerate(objective: Objective, weights: Float32Array, b: number, replacement: boolean, eta: number) {
  const point = objective.at(weights);
  const drawn = await Promise.all(
    everyBatch(objective.exampleCount, b, replacement).map(async (batch) => {
      const { gradient } = await point.batchGradient(Int32Array.from(batch));
      const { product } = await point.hessianVector(gradient);
      return { S: dot(gradient, gradient), HS: dot(gradient, product), next: await point.moved(gradient, -eta).loss() };
    }),
  );
  return { S: mean(drawn.map((d) => d.S)), HS: mean(drawn.map((d) => d.HS)), next: mean(drawn.map((d) => d.next)) };
}

const close = (a: number, b: number, scale = Math.max(Math.abs(a), Math.abs(b))) =>
  expect(Math.abs(a - b), `${a} for ${b}`).toBeLessThanOrEqual(1e-5 * scale + 1e-9);

describe('identities of the paper, by enumeration of all batches', () => {
  it('(1), (17) and (7) hold for every n, b, with and without replacement', async () => {
    await fc.assert(
      fc.asyncProperty(problem, fc.boolean(), async ({ n, X, y, weights, eta }, replacement) => {
        const objective = leastSquares({ X, y });
        const point = objective.at(weights);
        const gradient = await point.gradient();
        const [gg, gHg] = [dot(gradient, gradient), dot(gradient, (await point.hessianVector(gradient)).product)];
        const one = await enumerate(objective, weights, 1, replacement, eta);
        for (let b = 1; b <= Math.min(n, replacement ? 3 : n); b++) {
          const { S, HS, next } = await enumerate(objective, weights, b, replacement, eta);
          const share = samplingCoefficient(n, b, replacement) / b;
          close(S, gg + share * (one.S - gg), one.S);
          close(HS, gHg + share * (one.HS - gHg), one.HS);
          close(gg / S, concentrationOfBatch(n, b, gg / one.S, replacement));
          close(next - (await point.loss()), (eta ** 2 / 2) * HS - eta * gg, one.S + (await point.loss()));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('identities of what users expect beside the paper, by enumeration of all batches', () => {
  it('tie the noise scales to ρ_b, LSSR and the sharpness, and half the edge to the best step', async () => {
    await fc.assert(
      fc.asyncProperty(problem, fc.boolean(), async ({ n, m, X, y, weights }, replacement) => {
        const objective = leastSquares({ X, y });
        const point = objective.at(weights);
        const gradient = await point.gradient();
        const [gg, gHg] = [dot(gradient, gradient), dot(gradient, (await point.hessianVector(gradient)).product)];
        const one = await enumerate(objective, weights, 1, true, 0);
        const [simple, withH] = [(one.S - gg) / gg, (one.HS - gHg) / gHg];
        const gamma = (b: number) => samplingCoefficient(n, b, replacement);
        // 1: 1/ρ − 1 is B_simple, and LSSR McCandlish's η ∝ 1/(1 + γB/b).
        const rho = gg / one.S;
        close(1 / rho - 1, simple, 1 / rho);
        const { rates } = lssr({ n, rho, batchSize: 1, learningRate: 0.1, batchSizes: [1, 2, 3], replacement: true });
        for (const rate of rates) close(rate.lssr, (0.1 * (1 + simple)) / (1 + simple / rate.batchSize));
        const batchSizes = Array.from({ length: replacement ? Math.min(3, n) : n }, (_, k) => k + 1);
        // All eigenvectors are done exactly, so that the probe has no error.
        const probe = interactionAwareSharpness({
          batchSizes,
          replacement,
          deflate: m,
          tolerance: 1e-6,
          draws: 2,
        });
        const step = stepAt(weights, { learningRate: 0.1 }, { objective });
        const rows = await lastValueFrom(from([step]).pipe(probe, toArray()));
        for (const row of rows) {
          const b = row.batch_size;
          const { S, HS } = await enumerate(objective, weights, b, replacement, 0);
          close(gg / S, 1 / (1 + (gamma(b) * simple) / b));
          // 2: B_H.
          close(HS / gg, (gHg / gg) * (1 + (gamma(b) * withH) / b), one.HS / gg);
          close(HS / S, ((gHg / gg) * (1 + (gamma(b) * withH) / b)) / (1 + (gamma(b) * simple) / b), one.HS / gg);
          if (gamma(b) === 0) expect(row).toMatchObject({ noise_scale: null, noise_scale_hessian: null });
          else {
            // What is left of the noise is a difference: it has the digits of the whole.
            close(row.noise_scale!, simple, 10 * (1 + simple));
            close(row.noise_scale_hessian!, withH, 10 * (1 + withH + one.HS / gHg));
          }
          // 3: E L(η) is least at η_opt = tr(S_n)/tr(HS_b), where η/η_opt is 1; it is 2 where E L(η) = L.
          const best = gg / HS;
          const at = async (eta: number) => (await enumerate(objective, weights, b, replacement, eta)).next;
          const [least, loss] = [await at(best), await point.loss()];
          for (const factor of [0.5, 0.9, 1.2]) {
            close((await at(factor * best)) - least, (HS / 2) * ((factor - 1) * best) ** 2, loss + best * gg);
          }
          close(await at(2 * best), loss, loss + best * gg);
          close(row.learning_rate_over_optimum, 0.1 / best, (0.1 * one.HS) / gg);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('the noise along q₁ is the variance of q₁ᵀg_ξ over all batches', async () => {
    await fc.assert(
      fc.asyncProperty(problem, fc.boolean(), async ({ n, X, y, weights }, replacement) => {
        const objective = leastSquares({ X, y });
        const point = objective.at(weights);
        const probe = interactionAwareSharpness({ batchSizes: [1, 2], replacement, deflate: 1, tolerance: 1e-6 });
        const step = stepAt(weights, {}, { objective });
        const rows = await lastValueFrom(from([step]).pipe(probe, toArray()));
        const found = await hessianEigenpairs(point, { who: 'test', count: 1, tolerance: 1e-6 }, null);
        const { vector } = found.pairs[0]!;
        for (const row of rows) {
          const along = await Promise.all(
            everyBatch(n, row.batch_size, replacement).map(async (batch) =>
              dot((await point.batchGradient(Int32Array.from(batch))).gradient, vector),
            ),
          );
          const values = Float64Array.from(along);
          close(row.noise_along_q1!, covariance(values, values), mean(values.map((x) => x ** 2)));
        }
      }),
      { numRuns: 25 },
    );
  });
});

/** A symmetric matrix from its eigenvalues and the seed of its eigenvectors. */
function symmetric(eigenvalues: readonly number[], seed: number) {
  const m = eigenvalues.length;
  const vectors = orthonormal(m, seed);
  const entry = (i: number, j: number) =>
    eigenvalues.reduce((sum, value, k) => sum + value * vectors[k]![i]! * vectors[k]![j]!, 0);
  const A = Array.from({ length: m }, (_, i) =>
    Array.from({ length: m }, (_, j) => (i <= j ? entry(i, j) : entry(j, i))),
  );
  return { A, vectors };
}

const eigenvalues = fc
  .uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 8 })
  .map((list) => list.map((x) => x / 10).sort((a, b) => b - a));
const topOf = async (objective: Objective, count: number) => {
  const [row] = await lastValueFrom(
    from([stepAt(Float32Array.from(normals(generator(3), objective.paramCount)), {}, { objective })]).pipe(
      topEigenvalues({ count, tolerance: 1e-6 }),
      toArray(),
    ),
  );
  return Array.from(row!.eigenvalues);
};

describe('eigenvalues', () => {
  it('are those of the matrix whatever its eigenvectors, and scale with the loss', async () => {
    await fc.assert(
      fc.asyncProperty(
        eigenvalues,
        fc.nat(),
        fc.nat(),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        async (spectrum, one, other, c) => {
          const size = Math.max(...spectrum.map(Math.abs)) + 1e-3;
          const count = Math.min(2, spectrum.length);
          const first = await topOf(quadratic({ A: symmetric(spectrum, one).A }), count);
          const turned = await topOf(quadratic({ A: symmetric(spectrum, other).A }), count);
          const scaled = await topOf(
            quadratic({
              A: symmetric(
                spectrum.map((x) => c * x),
                one,
              ).A,
            }),
            count,
          );
          for (let j = 0; j < count; j++) {
            expect(Math.abs(first[j]! - spectrum[j]!)).toBeLessThan(1e-5 * size);
            expect(Math.abs(turned[j]! - spectrum[j]!)).toBeLessThan(1e-5 * size);
            expect(Math.abs(scaled[j]! - c * spectrum[j]!)).toBeLessThan(1e-5 * c * size);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('Theorem 2', () => {
  it.each([
    [0, 0],
    [0.2, 0],
    [0.2, 0.2],
    [0.4, 0.4],
    [0.4, 0],
  ])(
    'above the edge with β₁ = %d, β₂ = %d the update turns towards q₁ at least as fast as it says',
    async (beta1, beta2) => {
      const learningRate = 0.1;
      const edge = stabilityEdge({ learningRate, beta1, beta2 });
      const { A, vectors } = symmetric([1.05 * edge, 0.5 * edge, 0.3 * edge, 0.1 * edge], 5);
      const objective = quadratic({ A });
      // Nearly orthogonal to q₁ at first.
      const initialWeights = Float32Array.from(
        vectors[1]!,
        (x, k) => x + vectors[2]![k]! + vectors[3]![k]! + 1e-3 * vectors[0]![k]!,
      );
      const rows = await lastValueFrom(
        gradientDescent(objective, { learningRate, beta1, beta2, steps: 140, initialWeights }).pipe(
          alignment({ tolerance: 1e-6 }),
          toArray(),
        ),
      );
      const sharp = rows.map((row) => row.abs_q1_gradient);
      // |q₁ᵀ∇L| grows like e^{ct}: c from the second half,
      const c = Math.log(sharp[140]! / sharp[90]!) / 50;
      expect(c).toBeGreaterThan(0);
      // and 1 − |cos| falls at least like e^{−2ct}, down to rounding.
      const off = rows.map((row) => 1 - row.cos_q1_gradient);
      const from = off.findIndex((x) => x < 0.5);
      expect(from).toBeGreaterThan(0);
      for (let t = from; t <= 140; t++) expect(off[t]!).toBeLessThanOrEqual(2 * Math.exp(-2 * c * (t - from)) + 1e-9);
    },
  );

  it('below the edge nothing grows', async () => {
    const { A } = symmetric([0.95 * 20, 8, 3], 5);
    const objective = quadratic({ A });
    const rows = await lastValueFrom(
      gradientDescent(objective, { learningRate: 0.1, steps: 200 }).pipe(alignment(), toArray()),
    );
    expect(rows.at(-1)!.gradient_norm).toBeLessThan(1e-3 * rows[0]!.gradient_norm);
  });
});

describe('Theorem 1', () => {
  it('bounds both tails of the next loss, where batches are large enough to be near normal', async () => {
    const random = generator(21);
    const [n, m] = [64, 5];
    const objective = leastSquares({
      X: Array.from({ length: n }, () => [...normals(random, m)]),
      y: [...normals(random, n)],
    });
    const rows = await lastValueFrom(
      from([stepAt(Float32Array.from(normals(random, m)), { learningRate: 0.3 }, { objective })]).pipe(
        theoremOne({ batchSizes: [16, 32, 48], tails: [0.5, 1, 2, 3], draws: 2000, signDraws: 200 }),
        toArray(),
      ),
    );
    expect(rows).toHaveLength(12);
    for (const row of rows) {
      const error = Math.sqrt(row.allowed_share / row.draws);
      expect(row.share_above).toBeLessThanOrEqual(row.allowed_share + 3 * error);
      expect(row.share_below).toBeLessThanOrEqual(row.allowed_share + 3 * error);
      // The closed form of the spread is right: the bounds are not loose by accident.
      expect(Math.abs(row.predicted_std / row.next_loss_std - 1)).toBeLessThan(0.15);
    }
  });
});

describe('the spectral density', () => {
  it('is that of the eigenvalues, seen through its Gaussian, within its standard errors', async () => {
    const m = 40;
    const spectrum = Array.from({ length: m }, (_, j) => (j < 3 ? 10 - 2 * j : 2 * Math.cos(j)));
    const objective = quadratic({ A: symmetric(spectrum, 3).A });
    const rows = await lastValueFrom(
      from([stepAt(new Float32Array(m).fill(1), {}, { objective })]).pipe(
        spectralDensity({ draws: 30, steps: m, points: 121, width: 0.05 }),
        toArray(),
      ),
    );
    const { width } = rows[0]!;
    const seen = (x: number) => mean(spectrum.map((value) => Math.exp(-0.5 * ((x - value) / width) ** 2)));
    const off = rows.map(({ eigenvalue, density, density_standard_error: error }) => {
      const truth = seen(eigenvalue) / (width * Math.sqrt(2 * Math.PI));
      return Math.abs(density - truth) / (error + 1e-6);
    });
    expect(Math.max(...off)).toBeLessThan(5);
    expect(off.filter((x) => x > 2).length / off.length).toBeLessThan(0.12);
    const cell = rows[1]!.eigenvalue - rows[0]!.eigenvalue;
    expect(rows.reduce((sum, { density }) => sum + density * cell, 0)).toBeCloseTo(1, 2);
  });
});

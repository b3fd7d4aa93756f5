import { lastValueFrom, of, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { openStep } from '../../src/core/Step.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';
import { collectGarbage } from '../helpers/collectGarbage.ts';
import { asked, everyProbe } from '../helpers/everyProbe.ts';

const [n, m] = [8, 6];
const curvature = Float32Array.from({ length: m }, (_, k) => k - 1);
const pulls = Array.from({ length: n }, (_, i) => normals(generator(i), m));

/**
 * ℓ_i(θ) = ½ Σ_k a_kθ_k² + b_iᵀθ, with weak references to every vector [m] that a pass has brought.
 *
 * `held` counts those that somebody holds: no fewer than `expected` if a probe needs them, and where the garbage
 * collector has not come to all of the others yet it is asked again.
 */
function watched(exampleNorms: boolean): { objective: Objective; held(expected: number): Promise<number> } {
  const passed: WeakRef<Float32Array>[] = [];
  const kept = (vector: Float32Array) => {
    passed.push(new WeakRef(vector));
    return vector;
  };
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const own = (theta: Float32Array, i: number) => Float64Array.from(theta, (x, k) => curvature[k]! * x + pulls[i]![k]!);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, k) => sum + x * b[k]!, 0);
  const loss = (theta: Float32Array, i: number) =>
    dot(
      theta.map((x, k) => (curvature[k]! * x) / 2 + pulls[i]![k]!),
      theta,
    );
  const weighted = (theta: Float32Array, u: ArrayLike<number>, batch: Int32Array) => {
    const sum = new Float32Array(m);
    batch.forEach((i, j) => {
      own(theta, i).forEach((g, k) => {
        sum[k]! += u[j]! * g;
      });
    });
    return kept(sum);
  };
  const performance = (theta: Float32Array, batch: Int32Array) => {
    const exampleLosses = Float64Array.from(batch, (i) => loss(theta, i));
    return { loss: exampleLosses.reduce((a, b) => a + b) / batch.length, exampleLosses, accuracy: null };
  };
  const objective = createObjective({
    name: 'watched',
    paramCount: m,
    exampleCount: n,
    coupled: false,
    metadata: {},
    initialWeights: () => new Float32Array(m).fill(0.3),
    performance: async (theta) => performance(theta, all),
    lossAndGradient: async (theta, batch) => {
      const of = batch ?? all;
      return { ...performance(theta, of), gradient: weighted(theta, Array(of.length).fill(1 / of.length), of) };
    },
    hessianVector: async (theta, v, batch) => ({
      product: kept(v.map((x, k) => curvature[k]! * x)),
      projections: Float64Array.from(batch ?? all, (i) => dot(own(theta, i), v)),
    }),
    weightedGradient: async (theta, u) => weighted(theta, u, all),
    ...(exampleNorms && {
      exampleNormsSquared: async (theta) => Float64Array.from(all, (i) => dot(own(theta, i), own(theta, i))),
    }),
  });
  return {
    objective,
    held: async (expected) => {
      let count = Number.POSITIVE_INFINITY;
      for (let k = 0; k < 50 && count > expected; k++) {
        await collectGarbage();
        count = passed.filter((reference) => reference.deref() !== undefined).length;
      }
      return count;
    },
  };
}

const [K, S] = [4, 3];
/** How many vectors [m] of its passes a probe holds at a step beside ∇L and H∇L, asked for b = 1 and 3. */
const HELD: Record<string, { readonly options?: object; readonly held: number; readonly withoutNorms?: number }[]> = {
  batchSharpness: [{ held: 2 * K }],
  edge: [{ held: 2 * K }],
  expectedLossChange: [{ held: 4 * K }, { options: { estimator: 'examples' }, held: 5 * K }],
  gradientConcentration: [
    { held: 0, withoutNorms: K },
    { options: { estimator: 'batches' }, held: 2 * K },
  ],
  interactionAwareSharpness: [{ held: K }, { options: { estimator: 'batches' }, held: 4 * K }],
  resultantLength: [{ held: K, withoutNorms: 2 * K }],
  scalingRule: [{ held: 0, withoutNorms: K }],
  theoremOne: [{ held: 2 * S + 2 * K }],
};

it.each(everyProbe)('%s holds at a step what its cost says, and nothing of a step before', async (name, probe) => {
  for (const exampleNorms of [true, false]) {
    for (const { options, held, withoutNorms } of HELD[name] ?? [{ held: 0 }]) {
      const { objective, held: count } = watched(exampleNorms);
      const measured = async (index: number) => {
        const weights = Float32Array.from(normals(generator(index), m));
        const { step } = openStep({ index, weights, batchSize: 2, learningRate: 0.1 }, { objective });
        const point = objective.at(weights);
        await point.hessianVector(await point.gradient());
        const settings = { batchSizes: [1, 3], draws: K, signDraws: S, ...options };
        return (await lastValueFrom(of(step).pipe(asked(probe, settings), toArray()))).length;
      };
      for (const index of [0, 1]) {
        expect(await measured(index)).toBeGreaterThan(0);
        const expected = 2 + (exampleNorms ? held : (withoutNorms ?? held));
        expect(await count(expected), `${JSON.stringify(options)}, norms ${exampleNorms}, step ${index}`).toBe(
          expected,
        );
      }
      objective.at(new Float32Array(m));
      expect(await count(0)).toBe(0);
    }
  }
});

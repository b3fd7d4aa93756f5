import type { Objective } from '../../src/core/Objective.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';
import type { Derivatives } from '../../src/objectives/Derivatives.ts';

/**
 * The same objective, but `before` is awaited ahead of every pass over the data, and fails the pass where it rejects.
 */
export function watchPasses(
  inner: Objective,
  before: (pass: keyof Derivatives, weights: Float32Array) => unknown,
): Objective {
  const { paramCount, exampleCount, coupled, metadata } = inner;
  return createObjective({
    name: 'watched',
    paramCount,
    exampleCount,
    coupled,
    metadata,
    initialWeights: (seed) => inner.initialWeights(seed),
    performance: async (weights, split) => {
      await before('performance', weights);
      return inner.at(weights).performance(split);
    },
    lossAndGradient: async (weights, batch) => {
      await before('lossAndGradient', weights);
      const point = inner.at(weights);
      if (batch) return point.batchGradient(batch);
      const gradient = await point.gradient();
      return { ...(await point.performance('train')), gradient };
    },
    hessianVector: async (weights, v, batch) => {
      await before('hessianVector', weights);
      const point = inner.at(weights);
      return batch ? { product: await point.batchHessianVector(batch, v), projections: null } : point.hessianVector(v);
    },
    weightedGradient: async (weights, u) => {
      await before('weightedGradient', weights);
      return inner.at(weights).weightedGradient(u);
    },
  });
}

import type { Objective } from '../core/Objective.ts';
import type { StepData } from '../core/StepData.ts';

/** What decides where and over which examples a step's gradient is taken. */
export type GradientPlace = Pick<StepData, 'index' | 'weights' | 'velocity' | 'beta2' | 'batch'>;

/** Loss and gradient where a step's update takes them. */
export interface StepGradient {
  readonly loss: number;
  readonly gradient: Float32Array;
  readonly exampleLosses: Float64Array | null;
}

/**
 * The loss of a step's batch and its gradient, at θ_t + β₂ δ_{t−1}: what the update from the step uses.
 *
 * Cost: b/n gradients; on all examples without look-ahead it is ∇L(θ_t), shared with whoever asks the same point.
 */
export async function stepGradient(
  objective: Objective,
  { index, weights, velocity, beta2, batch }: GradientPlace,
): Promise<StepGradient> {
  const point = objective.at(weights);
  // δ_{−1} = 0, so step 0 has nothing to look ahead by.
  const there = velocity && beta2 > 0 && index > 0 ? point.moved(velocity, beta2) : point;
  if (batch) return there.batchGradient(batch);
  const gradient = await there.gradient();
  return { ...(await there.performance('train')), gradient };
}

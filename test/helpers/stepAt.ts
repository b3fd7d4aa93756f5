import type { StepRun } from '../../src/core/Step.ts';
import { openStep, type Step } from '../../src/core/Step.ts';
import type { StepData } from '../../src/core/StepData.ts';

/**
 * A step at given weights, for probes that are asked about one θ: of `run.objective`, or of the one that the probe
 * names.
 */
export function stepAt(weights: Float32Array, more: Partial<StepData> = {}, run: Partial<StepRun> = {}): Step {
  const data: StepData = {
    index: 0,
    weights,
    gradient: new Float32Array(weights.length),
    batchLoss: Number.NaN,
    batch: null,
    batchSize: 1,
    replacement: false,
    learningRate: 0.1,
    beta1: 0,
    beta2: 0,
    velocity: null,
    epoch: 0,
    ...more,
  };
  return openStep(data, run).step;
}

import type { OperatorFunction } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, int32, type Row } from '../core/Table.ts';
import { estimateRatio, noiseTrace } from '../estimators/gradientNoise.ts';
import { dot } from '../linalg/vector.ts';
import { measure } from '../operators/measure.ts';
import { lssr } from '../theory/lssr.ts';
import { requireBatchSizes } from './requireBatchSizes.ts';
import { requireUncoupled } from './requireUncoupled.ts';

const table = defineTable({
  name: 'scaling',
  description:
    'Learning rates for other batch sizes from the concentration measured at a step, one row for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'The batch size asked about.' }),
    rho_1: float64({ symbol: 'ρ', description: 'Concentration of the gradient of one example, as measured.' }),
    rho_1_standard_error: float64({ symbol: '', description: 'Of rho_1.' }),
    rho: float64({ symbol: 'ρ_b', description: 'Concentration of the batch gradient, by (17).' }),
    lssr: float64({
      symbol: 'η',
      description: "Learning rate that keeps the step's ρ_b/η: the linear and saturation scaling rule.",
    }),
    lssr_low: float64({ symbol: '', description: 'The same with ρ two standard errors off: the lower of both.' }),
    lssr_high: float64({ symbol: '', description: 'The higher of both.' }),
    lsr: float64({ symbol: '', description: 'Learning rate that keeps b/η: the linear scaling rule.' }),
    srsr: float64({ symbol: '', description: 'Learning rate that keeps √b/η: the square root scaling rule.' }),
    knee: float64({
      symbol: 'b*',
      description: 'Batch size at which the rule turns from linear to saturated, about 1/ρ.',
    }),
  },
});

export interface ScalingRuleOptions {
  /** The batch sizes asked about, each 1 … n. */
  readonly batchSizes: readonly number[];
  /** K, at least 2, default 16. */
  readonly draws?: number;
  /** Of the draws, default 0. */
  readonly seed?: number;
}

/**
 * Live advice: the learning rates that other batch sizes would need by LSSR, LSR and SRSR, from ρ measured at the step and the
 * batch size and learning rate of the run; see `lssr` for the equations and what they do not prove.
 *
 * Cost: ∇L, and one gradient more where the layers give the norms of per-example gradients (nothing is drawn then), else K, shared with gradientConcentration and interactionAwareSharpness.
 *
 * @param objective The training loss.
 * @param options `batchSizes`, `draws` (16), `seed` (0).
 * @throws BrinkError at the call where an option is out of range, or the objective has batch normalisation, which couples examples.
 * Source: Lee and Jang (2023), Section 5.
 */
export function scalingRule(
  objective: Objective,
  options: ScalingRuleOptions,
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'scalingRule';
  const n = objective.exampleCount;
  const { batchSizes, draws = 16, seed = 0 } = options;
  requireUncoupled(who, objective, "Measure ρ_b by gradientConcentration with estimator: 'batches'.");
  requireBatchSizes(who, batchSizes, objective);
  requireInteger(who, 'draws', draws, 2);
  return measure(objective, async (point, step) => {
    const gradient = await point.gradient();
    const traceSn = dot(gradient, gradient);
    const { exact, traces } = await noiseTrace(point, seed, step.index, draws);
    const rho = estimateRatio(traceSn, new Float64Array(draws), traceSn + exact, traces);
    const { batchSize, learningRate, replacement } = step;
    const { knee, rates } = lssr({
      ...{ n, batchSize, learningRate, replacement, batchSizes },
      ...{ rho: rho.value, rhoStandardError: rho.standardError },
    });
    return rates.map((rate) => ({
      step: step.index,
      batch_size: rate.batchSize,
      rho_1: rho.value,
      rho_1_standard_error: rho.standardError,
      rho: rate.rho,
      lssr: rate.lssr,
      lssr_low: rate.interval[0],
      lssr_high: rate.interval[1],
      lsr: rate.lsr,
      srsr: rate.srsr,
      knee,
    }));
  });
}
scalingRule.table = table;

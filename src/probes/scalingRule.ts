import * as columns from '../core/columns.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { estimateRatio, noiseTrace } from '../estimators/gradientNoise.ts';
import { requireUncoupled } from '../estimators/require.ts';
import { dot } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { lssr } from '../theory/lssr.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'scaling',
  description:
    'Learning rates for other batch sizes from the concentration measured at a step, one row for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: columns.step(),
    batch_size: columns.batchSize('The batch size asked about.'),
    rho_1: float64({ symbol: 'ρ', description: 'Concentration of the gradient of one example, as measured.' }),
    rho_1_standard_error: columns.standardError('rho_1'),
    rho: float64({ symbol: 'ρ_b', description: 'Concentration of the batch gradient, by (17).' }),
    lssr: float64({
      symbol: 'η',
      description: "Learning rate that keeps the step's ρ_b/η: the linear and saturation scaling rule.",
      scale: 'learning rate',
    }),
    lssr_low: float64({ symbol: '', description: 'The same with ρ two standard errors off: the lower of both.' }),
    lssr_high: float64({ symbol: '', description: 'The higher of both.' }),
    lsr: float64({
      symbol: '',
      description: 'Learning rate that keeps b/η: the linear scaling rule.',
      scale: 'learning rate',
      isReference: true,
    }),
    srsr: float64({
      symbol: '',
      description: 'Learning rate that keeps √b/η: the square root scaling rule.',
      scale: 'learning rate',
      isReference: true,
    }),
    knee: float64({
      symbol: 'b*',
      description: 'Batch size at which the rule turns from linear to saturated, about 1/ρ.',
    }),
  },
});

/** A row of `scalingRule`. */
export interface ScalingRow extends Row<typeof table> {}

/** Options of `scalingRule`. */
export type ScalingRuleOptions = OptionsOf<typeof scalingRule>;

/**
 * Live advice: the learning rates that other batch sizes would need by LSSR, LSR and SRSR, from ρ measured at the
 * step and the batch size and learning rate of the run; see `lssr` for the equations and what they do not prove.
 *
 *     LSSR keeps ρ_b/η, LSR keeps b/η, SRSR keeps √b/η
 *
 * ρ is that of the step alone, and it changes along training.
 *
 * Source: Lee and Jang (2023), Section 5.
 *
 * @throws BrinkError where an option is out of range, or the objective has batch normalisation, which couples examples.
 * @example
 * import { gradientDescent, leastSquares, scalingRule } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const objective = leastSquares({ X: [[1, 0], [0, 2]], y: [1, 1] });
 * const steps = gradientDescent(objective, { learningRate: 0.5, steps: 0, initialWeights: [0, 0] });
 * const { rho_1, lssr, lsr } = await firstValueFrom(steps.pipe(scalingRule({ batchSizes: [1] })));
 * console.log(rho_1, lssr, lsr); // 0.5 0.25 0.25
 * @see lssr, gradientConcentration
 */
export const scalingRule = probe({
  name: 'scalingRule',
  asks: 'Which learning rate would another batch size need? LSSR, LSR and SRSR',
  table,
  cost: '∇L, and one gradient more where the layers give the norms of per-example gradients (nothing is drawn then), else K, a vector of m each held at the step, shared with gradientConcentration and interactionAwareSharpness.',
  options: {
    batchSizes: usual.neededBatchSizes(),
    draws: usual.draws(),
    seed: usual.seed(),
  },
  begin: ({ batchSizes, draws, seed }, objective): Measurement<ScalingRow> => {
    requireUncoupled('scalingRule', objective, "Measure ρ_b by gradientConcentration with estimator: 'batches'.");
    const n = objective.exampleCount;
    return async (point, step) => {
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
    };
  },
});

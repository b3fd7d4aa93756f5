import * as columns from '../core/columns.ts';
import { oneOf } from '../core/optionKinds.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { estimateRatio, estimateSum, noiseTrace } from '../estimators/gradientNoise.ts';
import { requireUncoupled } from '../estimators/require.ts';
import { runningRatio } from '../estimators/runningRatio.ts';
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
    rho_1: float64({ symbol: 'ρ', description: 'Concentration of the gradient of one example, at the step.' }),
    rho_1_standard_error: columns.standardError('rho_1'),
    ...columns.runningRho('1'),
    rho: float64({ symbol: 'ρ_b', description: 'By (17) from the concentration that `concentration` names.' }),
    lssr: float64({
      symbol: 'η',
      description: "Learning rate that keeps the run's ρ_b/η: the linear and saturation scaling rule.",
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
    trace_S_n: columns.traceSn(),
    trace_S_1: float64({ symbol: 'tr(S_1)', description: 'Second moment of the gradient of one example, E‖g_i‖².' }),
    trace_S_1_standard_error: columns.standardError('trace_S_1'),
  },
});

/** A row of `scalingRule`. */
export interface ScalingRow extends Row<typeof table> {}

/** Options of `scalingRule`. */
export type ScalingRuleOptions = OptionsOf<typeof scalingRule>;

/**
 * Live advice: the learning rates that other batch sizes would need by LSSR, LSR and SRSR, from ρ as it is measured and
 * the batch size and learning rate of the run; see `lssr` for the equations and what they do not prove.
 *
 *     LSSR keeps ρ_b/η, LSR keeps b/η, SRSR keeps √b/η
 *
 * Which ρ: by default the running one, Σ_t ‖∇L‖²/Σ_t E‖g_i‖² over the steps measured so far. With learning rates tuned
 * over whole runs (Figure 5 on digits, b = 4 … 256) it agrees; ρ of a step at the end of training is ten times smaller,
 * and LSSR with it no better than LSR. The ρ of a step answers another question, which η keeps the bound at this step.
 * A run that is resumed, or whose probes begin afresh (`restartEvery`, a sweep's checkpoints), begins its sums anew;
 * `running_from` says where, and `rhoOfRun` sums over a table.
 *
 * Where ∇L is 0 and the gradients of examples are not, ρ is 0 and LSSR its limit; where they all are 0, ρ and LSSR are
 * NaN. A step with η = 0, at which some warm-ups begin, has no rows, and counts in the sums.
 *
 * In terms of the noise scale B_simple = 1/ρ − 1, ρ_b = 1/(1 + γB_simple/b): LSSR is McCandlish's η ∝ 1/(1 + B/b), and
 * ρ_b/ρ_{b₀} is AdaScale's gain ratio. Three derivations, one curve.
 *
 * Source: Lee and Jang (2023), Section 5; McCandlish et al. (2018); Johnson et al. (2020), AdaScale SGD.
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
 * @see lssr, rhoOfRun, gradientConcentration
 */
export const scalingRule = probe({
  name: 'scalingRule',
  asks: 'Which learning rate would another batch size need? LSSR, LSR and SRSR',
  table,
  cost: '∇L, and one gradient more where the layers give the norms of per-example gradients (nothing is drawn then), else K, a vector of m each held at the step, shared with gradientConcentration and interactionAwareSharpness.',
  options: {
    batchSizes: usual.neededBatchSizes(),
    concentration: oneOf(['running', 'step'], {
      default: 'running',
      description: "Which ρ the rules take. 'running': of the run so far, `running_rho`; 'step': of the step, `rho_1`.",
    }),
    draws: usual.draws(),
    seed: usual.seed(),
  },
  needs: () => ['learningRate', 'batchSize'],
  begin: ({ batchSizes, concentration, draws, seed }, objective): Measurement<ScalingRow> => {
    requireUncoupled('scalingRule', objective, "Measure ρ_b by gradientConcentration with estimator: 'batches'.");
    const n = objective.exampleCount;
    const running = runningRatio();
    let from: number | null = null;
    return async (point, step) => {
      from ??= step.index;
      const since = from;
      const gradient = await point.gradient();
      const traceSn = dot(gradient, gradient);
      const { exact: noise, traces } = await noiseTrace(point, seed, step.index, draws);
      const exact = traceSn + noise;
      const rho = estimateRatio(traceSn, new Float64Array(draws), exact, traces);
      const soFar = running(traceSn, { exact, traces });
      const second = estimateSum(exact, traces);
      const used = concentration === 'running' ? soFar : rho;
      const { batchSize, learningRate, replacement } = step;
      if (learningRate === 0) return [];
      // Where every gradient is 0 there is no ρ, and no LSSR; the other rules do not ask for one.
      const isKnown = !Number.isNaN(used.value);
      const hasError = isKnown && !Number.isNaN(used.standardError);
      const { knee, rates } = lssr({
        ...{ n, batchSize, learningRate, replacement, batchSizes },
        ...(isKnown ? { rho: used.value } : { rho: 0 }),
        ...(hasError && { rhoStandardError: used.standardError }),
      });
      const ifKnown = (value: number) => (isKnown ? value : Number.NaN);
      return rates.map((rate) => ({
        step: step.index,
        batch_size: rate.batchSize,
        rho_1: rho.value,
        rho_1_standard_error: rho.standardError,
        running_rho: soFar.value,
        running_from: since,
        running_rho_standard_error: soFar.standardError,
        rho: ifKnown(rate.rho),
        lssr: ifKnown(rate.lssr),
        lssr_low: hasError ? rate.interval[0] : Number.NaN,
        lssr_high: hasError ? rate.interval[1] : Number.NaN,
        lsr: rate.lsr,
        srsr: rate.srsr,
        knee: ifKnown(knee),
        trace_S_n: traceSn,
        trace_S_1: second.value,
        trace_S_1_standard_error: second.standardError,
      }));
    };
  },
});

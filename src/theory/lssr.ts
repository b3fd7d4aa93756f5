import { BrinkError, requireInteger, requireNumber } from '../core/errors.ts';
import { integers, requireFlag, requireOptions } from '../core/given.ts';
import { samplingCoefficient } from './samplingCoefficient.ts';

/** What is known: a learning rate that works with a batch size, and how concentrated gradients are. */
export interface LssrOptions {
  /** n, examples. */
  readonly n: number;
  /** ρ = ρ_1, concentration of the gradient of one example, in [0, 1]. */
  readonly rho: number;
  /** Its standard error, default 0. */
  readonly rhoStandardError?: number;
  /** b of the run that is known. */
  readonly batchSize: number;
  /** η of the run that is known. */
  readonly learningRate: number;
  /** The batch sizes that are asked about. */
  readonly batchSizes: readonly number[];
  /** Whether batches are drawn with replacement, default false. */
  readonly replacement?: boolean;
}

/** Learning rates for one batch size. */
export interface ScaledLearningRate {
  readonly batchSize: number;
  /** ρ_b. */
  readonly rho: number;
  /** η that keeps ρ_b/η: the linear and saturation scaling rule. */
  readonly lssr: number;
  /** η by LSSR for ρ two standard errors lower and higher, the smaller first. */
  readonly interval: readonly [number, number];
  /** η that keeps b/η: the linear scaling rule. */
  readonly lsr: number;
  /** η that keeps √b/η: the square root scaling rule. */
  readonly srsr: number;
}

const NAMES = ['n', 'rho', 'rhoStandardError', 'batchSize', 'learningRate', 'batchSizes', 'replacement'];

/** The rules' advice. */
export interface Scaling {
  /**
   * The batch size at which LSSR turns from linear to saturated: (γ_{n,b}/b)/ρ = 1 − γ_{n,b}/b. At ρ = 0 it never does:
   * n, and with replacement infinity.
   */
  readonly knee: number;
  readonly rates: readonly ScaledLearningRate[];
}

/**
 * ρ_b from ρ = ρ_1: 1/((γ/b)/ρ + 1 − γ/b).
 *
 * Source: Lee and Jang (2023), equation (17).
 */
export function concentrationOfBatch(n: number, batchSize: number, rho: number, replacement: boolean): number {
  const share = samplingCoefficient(n, batchSize, replacement) / batchSize;
  return 1 / (share / rho + 1 - share);
}

/**
 * Learning rates for other batch sizes by the linear and saturation scaling rule (LSSR), which keeps ρ_b/η, and
 * beside them by the linear (b/η) and the square root rule (√b/η).
 *
 * With ρ_b = 1/((γ_{n,b}/b)/ρ + 1 − γ_{n,b}/b), LSSR is linear in b below the knee b ≈ 1/ρ and constant above; at ρ = 0
 * every ρ_b is 0, and the rate is the limit, linear throughout.
 *
 * It is a rule for keeping the bound on the sharpness, found by experiment to keep test accuracy; it does not prove
 * that training goes as well. ρ changes along training: for learning rates of whole runs take that of a run,
 * Σ‖∇L‖²/ΣE‖g_i‖², as `rhoOfRun` and the column `running_rho` have it; ρ of the last steps is ten times too small.
 * Inverted, from two tuned pairs to ρ, the rule is `rhoFromPairs`.
 *
 * With the gradient noise scale B_simple = 1/ρ − 1 it is McCandlish's η ∝ 1/(1 + B/b), and ρ_b/ρ_{b₀} AdaScale's gain.
 *
 * Cost: none.
 *
 * @param options `n`, `rho` with `rhoStandardError` (0), the known `batchSize` and `learningRate`, the `batchSizes`
 *   asked about, `replacement` (false).
 * @throws BrinkError where a number is out of range.
 * Source: Lee and Jang (2023), Section 5, equation (17), Figure 5; Goyal et al. (2017); Krizhevsky (2014); McCandlish
 * et al. (2018); Johnson et al. (2020).
 */
export function lssr(options: LssrOptions): Scaling {
  const who = 'lssr';
  requireOptions(who, options, NAMES, '{ n, rho, batchSize, learningRate, batchSizes: [64, 128] }');
  const { n, rho, rhoStandardError = 0, batchSize, learningRate, replacement = false } = options;
  const batchSizes = integers(who, 'batchSizes', options.batchSizes, 1);
  requireFlag(who, 'replacement', replacement);
  requireInteger(who, 'n', n, 1);
  requireNumber(who, 'rho', rho, 0, true);
  if (rho > 1) throw new BrinkError(who, `rho is ${rho}. It is a share of at most 1.`);
  requireNumber(who, 'rhoStandardError', rhoStandardError, 0, true);
  requireNumber(who, 'learningRate', learningRate, 0);
  for (const [name, b] of [
    ['batchSize', batchSize] as const,
    ...batchSizes.map((b, i) => [`batchSizes[${i}]`, b] as const),
  ]) {
    requireInteger(who, name, b, 1);
    if (b > n && !replacement) throw new BrinkError(who, `${name} is ${b}, but there are only ${n} examples.`);
  }
  const shareOf = (b: number) => samplingCoefficient(n, b, replacement) / b;
  /** η ρ_b/ρ_{b₀}, in a form that has its limit at ρ = 0. */
  const rateFor = (b: number, r: number) => {
    const [known, asked] = [shareOf(batchSize), shareOf(b)];
    if (known === asked) return learningRate;
    return (learningRate * (known + r * (1 - known))) / (asked + r * (1 - asked));
  };
  const ends = [Math.max(rho - 2 * rhoStandardError, 0), Math.min(rho + 2 * rhoStandardError, 1)];
  return {
    knee: knee(n, rho, replacement),
    rates: batchSizes.map((b) => {
      const [low, high] = ends.map((end) => rateFor(b, end)).sort((x, y) => x - y) as [number, number];
      return {
        batchSize: b,
        rho: concentrationOfBatch(n, b, rho, replacement),
        lssr: rateFor(b, rho),
        interval: [low, high],
        lsr: (learningRate * b) / batchSize,
        srsr: learningRate * Math.sqrt(b / batchSize),
      };
    }),
  };
}

/** Where (γ/b)/ρ = 1 − γ/b, that is γ(1 + 1/ρ) = b: with replacement b = 1 + 1/ρ, else (n − b)(1 + 1/ρ) = b(n − 1). */
function knee(n: number, rho: number, replacement: boolean): number {
  return replacement ? 1 + 1 / rho : (n * (1 + rho)) / (1 + n * rho);
}

import { BrinkError, requireInteger, requireNumber } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { requireNames } from '../core/requireNames.ts';

/** η_0, and over how many first steps the rate rises to what it would be. */
interface Rate {
  /** η_0 > 0, the rate at the beginning, after any warm-up. */
  readonly rate: number;
  /** Over so many first steps the rate is multiplied by (t + 1)/(warmup + 1); default 0. */
  readonly warmup?: number;
}

/** η_t = η_0. */
export interface ConstantSchedule extends Rate {
  readonly schedule: 'constant';
}

/** η_t = η_0 · factor^k, k how many of the steps `at` have been reached. */
export interface StepsSchedule extends Rate {
  readonly schedule: 'steps';
  /** Rising. */
  readonly at: readonly number[];
  /** Default 0.1. */
  readonly factor?: number;
}

/** η_t = end + (η_0 − end)(1 + cos(π t/over))/2, and end from there on. */
export interface CosineSchedule extends Rate {
  readonly schedule: 'cosine';
  /** The rate in the end, at least 0; default 0. */
  readonly end?: number;
  /** Steps until then; default: those of the run. */
  readonly over?: number;
}

/** How the learning rate goes along training: an object that metadata can hold. */
export type Schedule = ConstantSchedule | StepsSchedule | CosineSchedule;

const NAMES: Readonly<Record<Schedule['schedule'], readonly string[]>> = {
  constant: [],
  steps: ['at', 'factor'],
  cosine: ['end', 'over'],
};

/** A learning rate for every step. */
export interface LearningRates {
  /** η_t of step t. */
  at(t: number): number;
  /** As metadata say it: a number, where it is one. */
  readonly metadata: number | JsonObject;
}

/**
 * The learning rates of a run of T updates. The step arrived at, from which no update goes, has the rate of the last.
 *
 * @param given A number, or a schedule.
 * @param T How many updates.
 * @throws BrinkError for a schedule that there is not, or a number out of range.
 * Source: Loshchilov and Hutter (2017) for the cosine; Goyal et al. (2017) for the warm-up.
 */
export function learningRates(who: string, given: number | Schedule, T: number): LearningRates {
  if (typeof given !== 'object' || given === null) {
    requireNumber(who, 'learningRate', given, 0);
    return { at: () => given, metadata: given };
  }
  const { schedule, rate, warmup = 0 } = given;
  if (!Object.hasOwn(NAMES, schedule)) {
    const all = Object.keys(NAMES).join(', ');
    throw new BrinkError(who, `learningRate.schedule is '${schedule}'. It must be one of ${all}.`);
  }
  requireNames(who, given, ['schedule', 'rate', 'warmup', ...NAMES[schedule]]);
  requireNumber(who, 'learningRate.rate', rate, 0);
  requireInteger(who, 'learningRate.warmup', warmup, 0);
  const { share, more } = shareOf(who, given, T);
  const rise = (t: number) => (t < warmup ? (t + 1) / (warmup + 1) : 1);
  const at = (t: number) => rate * share(t) * rise(t);
  return { at: (t) => at(Math.max(0, Math.min(t, T - 1))), metadata: { schedule, rate, warmup, ...more } };
}

/** η_t/η_0 without the warm-up, and what else metadata say. */
function shareOf(who: string, given: Schedule, T: number): { share(t: number): number; more: JsonObject } {
  if (given.schedule === 'steps') {
    const { at, factor = 0.1 } = given;
    if (!Array.isArray(at)) throw new BrinkError(who, `learningRate.at is ${String(at)}. It must be a list of steps.`);
    at.forEach((t, i) => {
      requireInteger(who, `learningRate.at[${i}]`, t, i === 0 ? 1 : (at[i - 1] as number) + 1);
    });
    requireNumber(who, 'learningRate.factor', factor, 0);
    return { share: (t) => factor ** at.filter((step) => t >= step).length, more: { at: [...at], factor } };
  }
  if (given.schedule === 'cosine') {
    const { end = 0, over = Math.max(1, T), rate } = given;
    requireNumber(who, 'learningRate.end', end, 0, true);
    requireInteger(who, 'learningRate.over', over, 1);
    if (end === 0 && T > over) {
      throw new BrinkError(
        who,
        `the learning rate is 0 from step ${over} on, and there are to be ${T}. Nothing would move; name an end above 0, or a longer over.`,
      );
    }
    const least = end / rate;
    const wave = (t: number) => (1 + Math.cos((Math.PI * Math.min(t, over)) / over)) / 2;
    return { share: (t) => least + (1 - least) * wave(t), more: { end, over } };
  }
  return { share: () => 1, more: {} };
}

import { shown } from './shown.ts';

/**
 * Every error that brink itself raises: `who: what is wrong, with the value and the step. Why; what to do.`
 *
 * A caller's mistake is thrown at the call; a fault in the data travels down the stream.
 */
export class BrinkError extends Error {
  override name = 'BrinkError';
  /** The function, probe or sink that noticed the fault. */
  readonly who: string;

  constructor(who: string, what: string, options?: ErrorOptions) {
    super(`${who}: ${what}`, options);
    this.who = who;
  }
}

/** The loss or its gradient stopped being finite: the run ends here, and every row up to here is written. */
export class DivergedError extends BrinkError {
  override name = 'DivergedError';
  /** The step at which the non-finite value appeared. */
  readonly step: number;

  constructor(who: string, step: number, what: string) {
    super(who, what);
    this.step = step;
  }
}

/** Throws unless `value` is an integer of at least `least`. */
export function requireInteger(who: string, name: string, value: unknown, least: number): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < least) {
    throw new BrinkError(who, `${given(name, value)} It must be an integer of at least ${least}.`);
  }
  if (!Number.isSafeInteger(value)) {
    throw new BrinkError(
      who,
      `${given(name, value)} Above 2⁵³ − 1 several integers are one number; choose a smaller one.`,
    );
  }
}

/** Throws unless `value` is a finite number above `bound` (or equal to it where `inclusive`). */
export function requireNumber(
  who: string,
  name: string,
  value: unknown,
  bound: number,
  inclusive = false,
): asserts value is number {
  if (!Number.isFinite(value) || (value as number) < bound || (value === bound && !inclusive)) {
    const range = bound === Number.NEGATIVE_INFINITY ? '' : inclusive ? ` of at least ${bound}` : ` above ${bound}`;
    throw new BrinkError(who, `${given(name, value)} It must be a finite number${range}.`);
  }
}

/** What was given under a name, as a message begins. */
export const given = (name: string, value: unknown): string =>
  value === undefined ? `${name} is missing.` : `${name} is ${shown(value)}.`;

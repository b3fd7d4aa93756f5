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
export function requireInteger(who: string, name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new BrinkError(who, `${name} is ${value}. It must be an integer of at least ${least}.`);
  }
}

/** Throws unless `value` is a finite number above `bound` (or equal to it where `inclusive`). */
export function requireNumber(who: string, name: string, value: number, bound: number, inclusive = false): void {
  if (!Number.isFinite(value) || value < bound || (value === bound && !inclusive)) {
    throw new BrinkError(
      who,
      `${name} is ${value}. It must be a finite number ${inclusive ? 'of at least' : 'above'} ${bound}.`,
    );
  }
}

import { BrinkError } from '../core/errors.ts';

/** Throws unless `shape` is [height, width, channels] and both sides can be halved `halvings` times. */
export function requireImages(who: string, shape: readonly number[], halvings: number): void {
  if (shape.length !== 3 || shape.some((length) => !Number.isInteger(length) || length < 1)) {
    throw new BrinkError(
      who,
      `inputShape is [${shape}]. It must be [height, width, channels], each a positive integer.`,
    );
  }
  const divisor = 2 ** halvings;
  if (shape[0]! % divisor !== 0 || shape[1]! % divisor !== 0) {
    throw new BrinkError(
      who,
      `inputShape is [${shape}]. Height and width are halved ${halvings} times, so they must be multiples of ${divisor}.`,
    );
  }
}

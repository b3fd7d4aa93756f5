import { BrinkError } from '../core/errors.ts';
import { integers } from '../core/given.ts';

/** [height, width, channels]; throws where it isn't that, or a side can't be halved `halvings` times. */
export function requireImages(
  who: string,
  given: readonly number[] | undefined,
  halvings: number,
): readonly [number, number, number] {
  const shape = integers(who, 'inputShape', given ?? [32, 32, 3], 1);
  if (shape.length !== 3) {
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
  return shape as unknown as readonly [number, number, number];
}

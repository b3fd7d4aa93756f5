import { BrinkError } from '../core/errors.ts';

/**
 * Does what asks the file system for something. Where that refuses, its error becomes a sentence: whose, what it was
 * about, what the file system says, and what to do.
 *
 * @throws BrinkError as it is where `body` throws one.
 */
export function sayingWhy<T>(who: string, what: string, advice: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof BrinkError) throw cause;
    throw new BrinkError(who, `${what}: ${(cause as Error).message}. ${advice}`, { cause });
  }
}

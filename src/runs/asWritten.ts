import { BrinkError } from '../core/errors.ts';
import { CommandLineError } from './CommandLineError.ts';

/**
 * What brink refuses while a pipeline is put together is the fault of the line that asked for it.
 *
 * @param refusing Whose errors are meant; default: everybody's.
 */
export function asWritten<T>(body: () => T, refusing?: readonly string[]): T {
  const blame = (error: unknown): never => blameLine(error, refusing);
  try {
    const value = body();
    return value instanceof Promise ? (value.catch(blame) as T) : value;
  } catch (error) {
    return blame(error);
  }
}

function blameLine(error: unknown, refusing: readonly string[] | undefined): never {
  const isMeant = error instanceof BrinkError && (refusing?.includes(error.who) ?? true);
  if (!isMeant) throw error;
  throw new CommandLineError(error.who, error.message.slice(`${error.who}: `.length), { cause: error });
}

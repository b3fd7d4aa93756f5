import { BrinkError } from '../core/errors.ts';
import { CommandLineError } from './CommandLineError.ts';

/** What brink refuses while a pipeline is put together is the fault of the line that asked for it. */
export function asWritten<T>(body: () => T): T {
  try {
    const value = body();
    return value instanceof Promise ? (value.catch(blame) as T) : value;
  } catch (error) {
    blame(error);
  }
}

function blame(error: unknown): never {
  if (!(error instanceof BrinkError)) throw error;
  throw new CommandLineError(error.who, error.message.slice(`${error.who}: `.length), { cause: error });
}

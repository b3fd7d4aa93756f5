import { BrinkError } from '../core/errors.ts';

/** What was asked for on the command line cannot be: nothing has begun, and the process exits with 2. */
export class CommandLineError extends BrinkError {
  override name = 'CommandLineError';
}

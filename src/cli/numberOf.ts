import { InvalidArgumentError } from 'commander';

/** A number as the command line has it. */
export function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

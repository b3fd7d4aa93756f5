import { InvalidArgumentError } from 'commander';

/** A number as the command line has it. */
export function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

/** Numbers, with commas between them. */
export const numbersOf = (text: string): readonly number[] => text.split(',').map(numberOf);

/** Collects the values of an option that may be given again. */
export const anotherOf = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

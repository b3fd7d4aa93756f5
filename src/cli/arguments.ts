import { InvalidArgumentError } from 'commander';

/** A number as the command line has it. */
export function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

/** Numbers, with commas between them; given again, more of them. */
export const numbersOf = (text: string, before: readonly number[] = []): readonly number[] => [
  ...before,
  ...text.split(',').map(numberOf),
];

/** Names, with commas between them; given again, more of them. */
export const namesOf = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(',').map((name) => name.trim()),
];

/** Collects the values of an option that may be given again. */
export const anotherOf = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

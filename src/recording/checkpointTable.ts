import { dirname, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { shown } from '../core/shown.ts';
import { isMissing, readColumns } from '../datasets/ownFiles/readColumns.ts';

/** What a table says of a step; what is missing is unknown. */
export interface KnownOfStep {
  readonly learningRate?: number;
  readonly batchSize?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epoch?: number;
}

/** A table of the steps of a run. */
export interface CheckpointTable {
  readonly file: string;
  readonly sha256: string;
  /** The step of a file; undefined: the table has no column of files. @throws BrinkError where it lacks this one. */
  indexOf(file: string): number | undefined;
  /** @throws BrinkError where there is no row of the step. */
  of(index: number): KnownOfStep;
}

/** The columns that are read, with what they are called in a step, and from which numbers on they may be. */
const COLUMNS = {
  learning_rate: ['learningRate', Number.POSITIVE_INFINITY],
  batch_size: ['batchSize', Number.POSITIVE_INFINITY],
  beta1: ['beta1', 1],
  beta2: ['beta2', 1],
  epoch: ['epoch', Number.POSITIVE_INFINITY],
} as const;

/**
 * Reads what a table says of each step; columns of other names are left alone.
 *
 * @throws BrinkError where it can't be read, has no column `step`, or a cell is none that it may be, with its row.
 */
export async function readCheckpointTable(who: string, path: string): Promise<CheckpointTable> {
  const { source, columns, count, numberIn, at } = await readColumns(who, path);
  const steps = columns.get('step');
  if (steps === undefined) {
    throw new BrinkError(who, `${path} has no column 'step'. It has ${[...columns.keys()].join(', ')}.`);
  }
  const files = columns.get('file');
  const rows = new Map<number, KnownOfStep>();
  const ofFile = new Map<string, number>();
  for (let row = 0; row < count; row++) {
    const wrong = (name: string, cell: unknown, advice: string) =>
      new BrinkError(who, `${path}, ${at(row)}, column '${name}' is ${shown(cell)}. ${advice}`);
    const index = numberIn(steps[row]);
    if (!Number.isSafeInteger(index) || index < 0) {
      throw wrong('step', steps[row], 'It must be a whole number, 0 or more.');
    }
    if (rows.has(index)) throw wrong('step', steps[row], 'There is a row of this step before it; each has one.');
    const known: Record<string, number> = {};
    for (const [name, [field, most]] of Object.entries(COLUMNS)) {
      const cell = columns.get(name)?.[row];
      if (isMissing(cell)) continue;
      const number = numberIn(cell);
      const isRight = Number.isFinite(number) && number >= 0 && number <= most;
      if (!isRight || (name === 'batch_size' && (!Number.isInteger(number) || number < 1))) {
        throw wrong(name, cell, 'It must be a number in its range, or empty where it is unknown.');
      }
      known[field] = number;
    }
    rows.set(index, known);
    const file = files?.[row];
    if (isMissing(file)) continue;
    ofFile.set(resolve(dirname(path), String(file)), index);
  }
  return {
    file: source.file,
    sha256: source.sha256,
    indexOf(file) {
      if (files === undefined) return undefined;
      const index = ofFile.get(resolve(file));
      if (index !== undefined) return index;
      throw new BrinkError(who, `${path} has no row of ${file}. Its column 'file' has paths from its own folder on.`);
    },
    of(index) {
      const row = rows.get(index);
      if (row !== undefined) return row;
      throw new BrinkError(
        who,
        `${path} has no row of step ${index}. It has ${count}; add one, or leave the file out.`,
      );
    },
  };
}

import type { TableEnd } from '../core/Step.ts';
import type { OpenRecording } from './openRecording.ts';
import { type TableBefore, tablesOf } from './tablesOf.ts';

/** What lies between the tables of a recorded run and the step that it goes on with. */
export interface Gap {
  /** The place in the recording of the step to begin with, so that no row is left out. */
  readonly from: number;
  readonly tables: readonly TableEnd[];
  /** The files of the tables. */
  readonly files: readonly string[];
  /** What is to be said; null: nothing. */
  readonly note: string | null;
}

/** Where no table is gone on with. */
export const NO_GAP = (from: number): Gap => ({ from, tables: [], files: [], note: null });

/**
 * Where a recorded run has to begin again, so that the rows which a crash kept from its tables are measured: at the
 * recorded step at or before the end of the table that ends first, of those that were cut off.
 */
export async function gapOf(who: string, recording: OpenRecording): Promise<Gap> {
  const { path, indices, header } = recording;
  const found = await tablesOf(who, path);
  const last = indices.length - 1;
  if (found === null) {
    const note =
      `${path} lies in no folder of a run whose run.json lists it, so that it is not known where the tables of its run ` +
      `end: measuring goes on with step ${indices[last]}.`;
    return { ...NO_GAP(last), note };
  }
  const { directory, tables, files, withoutStep, elsewhere } = found;
  const outside = elsewhere.map(
    (file) =>
      `${file} lies outside of its run's folder, so that it is not known where it ends: name the step for all rows ` +
      'from there on.',
  );
  if (files.length === 0) return { ...NO_GAP(last), note: outside.length > 0 ? outside.join(' ') : null };
  const ends = tables.filter(({ end }) => end === 'cut off').map(({ step }) => step ?? -1);
  const first = Math.min(...ends, indices[last]!);
  const from = Math.max(
    0,
    indices.findLastIndex((t) => t <= first),
  );
  const begin = indices[from]!;
  const beginning = (Object(header.source?.fork ?? null).step as number | undefined) ?? 0;
  const least = first < 0 ? beginning : first + 1;
  const notes = [
    `The tables of ${directory} end ${tables.map(endOf).join(', ')}; measuring goes on behind the end of each, ` +
      `from step ${begin} of the recording.`,
    ...(least < begin
      ? [`What is missing of the steps ${least} to ${begin - 1} can't be made: the recording begins later.`]
      : []),
    ...tables
      .filter(({ end }) => end === 'left out')
      .map(
        ({ table, step }) =>
          `The run went on without ${table}, which lacks those rows: name the step ${step ?? 0} for them.`,
      ),
    ...outside,
    ...withoutStep.map((table) => `The key of ${table} names no step: what it lacks is not known, and it begins anew.`),
  ];
  const reached = tables.flatMap(({ table, step, holds, end }) =>
    step === null && end !== 'over' ? [] : [{ table, step: step ?? -1, holds, isOver: end === 'over' }],
  );
  return { from, tables: reached, files, note: notes.join(' ') };
}

const endOf = ({ table, step, end }: TableBefore) =>
  `${step === null ? 'before the first row' : `at ${step}`} (${table}${end === 'over' ? ', which was over' : ''})`;

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { hasFields } from '../core/hasFields.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Writer } from '../files/isBeingWritten.ts';
import { isSameFile, realPath } from '../files/realPath.ts';

/** What the record of a run (run.json) says, as far as whoever goes on with its recording asks. */
export interface RecordedRun {
  readonly state: string;
  readonly files: readonly string[];
  /** Those outside of its folder, as absolute paths. */
  readonly elsewhere: readonly string[];
  /** Errors of its branches, once it has ended. */
  readonly branches: Readonly<Record<string, { readonly error: string | null }>>;
  /** The process that runs it, and when that was last there. */
  readonly process: Writer | null;
  readonly heartbeat: string | null;
  /** The tables that were cut off and that `recover` finished, by their paths in the run's folder, without ending. */
  readonly recovered: readonly string[];
  /** The tables whose branch ended while the run went on: what it failed with, or null; by their paths, as above. */
  readonly ended: Readonly<Record<string, string | null>>;
  /** The folders of the runs that went on with it, as paths from its own. */
  readonly continued: readonly string[];
  /** The recording that it went on with, as a path from its folder; null: none. */
  readonly recording: string | null;
  /** The step that it went on with; null: none. */
  readonly from: number | null;
  /** What the user adds. */
  readonly user: JsonObject;
}

/** The run in a folder; null where there is none. @throws BrinkError where its record can't be read. */
export function readRecordedRun(who: string, folder: string): RecordedRun | null {
  const value = parse(who, folder);
  if (value === null) return null;
  const { state, files, elsewhere, branches, process, heartbeat, recovered, ended, continued, resumed, metadata } =
    value;
  return {
    state: state as string,
    files: texts(files),
    elsewhere: texts(elsewhere),
    branches: Object(branches ?? {}),
    process: hasFields(process, { host: ['string'], pid: ['integer'] }) ? (process as unknown as Writer) : null,
    heartbeat: typeof heartbeat === 'string' ? heartbeat : null,
    recovered: texts(recovered),
    ended: Object(ended ?? {}),
    continued: texts(continued),
    recording: texts([Object(resumed ?? null).recording])[0] ?? null,
    from: (Object(resumed ?? null).step as number | undefined) ?? null,
    user: Object(Object(metadata ?? null).user ?? null),
  };
}

/** The run in a folder; null also where its record can't be read. */
export function findRecordedRun(who: string, folder: string): RecordedRun | null {
  try {
    return readRecordedRun(who, folder);
  } catch (error) {
    if (error instanceof BrinkError) return null;
    throw error;
  }
}

/** The run whose recording it is, and the recording in its folder, also where a link to it is named; null: none. */
export function runOf(who: string, recording: string): { readonly run: RecordedRun; readonly path: string } | null {
  for (const path of new Set([resolve(recording), realPath(recording)])) {
    const run = readRecordedRun(who, dirname(path));
    if (run?.files.includes(basename(path))) return { run, path };
  }
  return null;
}

/** The runs that went on with a recording and are still there, in the order in which they began. */
export function continuationsOf(
  who: string,
  recording: string,
  { continued }: RecordedRun,
): (readonly [folder: string, run: RecordedRun])[] {
  return continued.flatMap((path) => {
    for (const folder of from(dirname(recording), path)) {
      const record = readRecordedRun(who, folder);
      const said = record?.recording ?? null;
      const isOne = said !== null && from(folder, said).some((other) => isSameFile(other, recording));
      if (record && isOne) return [[folder, record] as const];
    }
    return [];
  });
}

/** Where a path from a folder leads, and where it does from the place that links to the folder lead to. */
const from = (folder: string, path: string): readonly string[] =>
  [...new Set([folder, realPath(folder)])].map((base) => resolve(base, path));

/**
 * Notes in the record of a recorded run that the run in `folder` goes on with its recording, so that the next to go on
 * knows of those tables too. A recording that lies in no run's folder has no record to note it in.
 *
 * @throws BrinkError where the record can't be written.
 */
export function noteContinuation(who: string, recording: string, folder: string): void {
  const found = runOf(who, recording);
  if (found === null) return;
  const home = dirname(found.path);
  const { continued } = found.run;
  amendRecord(who, home, { continued: [...new Set([...continued, relative(realPath(home), realPath(folder))])] });
}

/** Replaces entries of a run's record, in one stroke. @throws BrinkError where it can't be written. */
export function amendRecord(who: string, folder: string, changes: JsonObject): void {
  const record = parse(who, folder);
  const path = join(folder, 'run.json');
  // Under a name of its own: the run itself may be writing.
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify({ ...record, ...changes }, null, 2)}\n`, { flush: true });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new BrinkError(
      who,
      `the record of the run in ${folder} can't be written: ${(cause as Error).message}. ` +
        'Make room or the folder writable, or copy the run to where it can be.',
      { cause },
    );
  }
}

function parse(who: string, folder: string): Readonly<Record<string, unknown>> | null {
  const path = join(folder, 'run.json');
  if (!existsSync(path)) return null;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw noRecord(who, path, cause);
  }
  if (hasFields(value, { state: ['string'], files: ['array'] })) return value;
  throw noRecord(who, path);
}

function noRecord(who: string, path: string, cause?: unknown): BrinkError {
  return new BrinkError(
    who,
    `${path} is no record of a run, so that it is not known where its tables end. ` +
      'Take the recording out of that folder, or name the step to begin with.',
    { cause },
  );
}

const texts = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];

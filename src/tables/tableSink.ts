import { existsSync, rmSync } from 'node:fs';
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import {
  catchError,
  concat,
  defer,
  ignoreElements,
  type MonoTypeOperatorFunction,
  type Observable,
  tap,
  throwError,
} from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Row, Table } from '../core/Table.ts';
import { isBeingWritten } from '../files/isBeingWritten.ts';
import { currentRun, type RunContext } from '../files/runContext.ts';
import { checkTable } from './checkRow.ts';
import { finishParquet } from './finishParquet.ts';
import { openLog } from './openLog.ts';
import { logPaths, TableLog } from './TableLog.ts';
import type { TableFormat } from './tableMetadata.ts';

export interface SinkOptions {
  /** Whether a table of that name is replaced, also one that a crash left unfinished; default false: it is refused. */
  readonly overwrite?: boolean;
  /** Goes into the file's key-values beside the run's, default none. */
  readonly metadata?: JsonObject;
}

const ENDINGS: Record<TableFormat, string> = { arrow: '.arrows', parquet: '.parquet' };

/** What `toArrow` and `toParquet` share: rows are logged and passed on; the table is finished before the end passes on. */
export function tableSink<T extends Table>(
  who: string,
  format: TableFormat,
  table: T,
  path: string,
  { overwrite = false, metadata = {} }: SinkOptions,
): MonoTypeOperatorFunction<Row<T>> {
  const ending = ENDINGS[format];
  if (!path.endsWith(ending)) throw new BrinkError(who, `the path is '${path}'. It must end in '${ending}'.`);
  checkTable(who, table);
  return (rows) =>
    defer(() => {
      const run = currentRun();
      const target = resolve(run?.directory ?? '.', path);
      const stem = target.slice(0, -ending.length);
      const { part, whole } = logPaths(stem);
      clear(who, { target, part, whole }, overwrite);
      if (run) listFiles(run, [target, part, whole, `${target}.tmp`]);
      const log = new TableLog(table, stem, { format, metadata: { ...run?.metadata, ...metadata } });

      let finished: Promise<void> | undefined;
      const finish = (): Promise<void> => {
        finished ??= finishTable(who, log, format === 'parquet' ? { whole, target } : null);
        return finished;
      };
      const whenFinished: Observable<never> = defer(finish).pipe(ignoreElements());
      return concat(rows.pipe(tap((row) => log.append(row))), whenFinished).pipe(
        catchError((error) =>
          concat(
            whenFinished.pipe(catchError((second) => throwError(() => join(error, second)))),
            throwError(() => error),
          ),
        ),
        // Whoever unsubscribes is not there to be told.
        tap({ unsubscribe: () => void finish().catch((error) => process.emitWarning(error)) }),
      );
    });
}

/** Ends the log and makes its Parquet file; a write that failed before is told after what could be saved is saved. */
async function finishTable(
  who: string,
  log: TableLog<Table>,
  parquet: { whole: string; target: string } | null,
): Promise<void> {
  let failure: unknown;
  try {
    log.finish();
  } catch (error) {
    failure = error;
  }
  if (parquet && existsSync(parquet.whole)) {
    await finishParquet(who, parquet.whole, parquet.target).catch((second) => {
      throw failure ? join(failure, second) : second;
    });
  }
  if (failure) throw failure;
}

/** Both errors, where finishing failed for a reason of its own. */
function join(first: unknown, second: unknown): unknown {
  if (first === second) return first;
  return new AggregateError([first, second], `${(first as Error).message} ${(second as Error).message}`);
}

/** Makes room for a table: refuses what is there, or removes it where it may be overwritten. */
function clear(who: string, files: { target: string; part: string; whole: string }, overwrite: boolean): void {
  const { target, part, whole } = files;
  if (existsSync(target)) {
    if (!overwrite) {
      throw new BrinkError(
        who,
        `${target} is there already. It would be lost; name another file, or pass overwrite: true.`,
      );
    }
    rmSync(target);
  }
  for (const file of [part, whole]) {
    if (!existsSync(file)) continue;
    if (!overwrite) {
      throw new BrinkError(
        who,
        `${file} is there already. A run that was cut off or another sink left it; \`brink recover ${dirname(file)}\` finishes what a run left, or name another file.`,
      );
    }
    requireOwnLog(who, file, basename(target));
    rmSync(file);
  }
}

/** Throws unless a log was to become the file `target`, and nobody writes it. */
function requireOwnLog(who: string, file: string, target: string): void {
  const log = openLog(who, file);
  log.close();
  const is = basename(file).replace(/\.arrows(\.part)?$/, ENDINGS[log.format]);
  if (is !== target) {
    throw new BrinkError(
      who,
      `${file} belongs to the table ${is}, not to ${target}. It would be lost; name another file.`,
    );
  }
  if (isBeingWritten(file, log.writer)) {
    throw new BrinkError(who, `${file} is being written by process ${log.writer?.pid}. Name another file.`);
  }
}

/** Lists files among those of a run, as far as they lie in its folder. */
function listFiles(run: RunContext, files: readonly string[]): void {
  for (const file of files) {
    const within = relative(run.directory, file);
    if (!within.startsWith('..') && !isAbsolute(within)) run.files.add(within);
  }
}

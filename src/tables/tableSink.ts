import { existsSync, rmSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import {
  catchError,
  concat,
  defer,
  filter,
  ignoreElements,
  type MonoTypeOperatorFunction,
  type Observable,
  tap,
  throwError,
} from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import { requireFlag, requireOptions, requirePath } from '../core/given.ts';
import { type JsonObject, requireJson } from '../core/Json.ts';
import { branchOf, declaredOf, madeFrom, originOf, type Provenance } from '../core/origin.ts';
import type { RunBranch, Step, StepRun } from '../core/Step.ts';
import type { Row, Table } from '../core/Table.ts';
import { holderOf } from '../files/FileLock.ts';
import { isBeingWritten } from '../files/isBeingWritten.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { VERSIONS } from '../files/versions.ts';
import { checkTable } from './checkRow.ts';
import { ENDINGS, finishLog } from './finishLog.ts';
import type { FinishListener } from './finishParquet.ts';
import { openLog } from './openLog.ts';
import { otherEngine } from './otherEngine.ts';
import { endBefore, rowsBehind } from './rowsBehind.ts';
import { logPaths, TableLog } from './TableLog.ts';
import type { TableFormat } from './tableMetadata.ts';

/** Where rows go, and what else their file says. */
export interface SinkOptions {
  /**
   * Default: the branch's name, outside a run the table's; relative paths start in the run's folder, else in the
   * working folder.
   */
  readonly path?: string;
  /** Whether a table of that name is replaced, also one that a crash left unfinished; default false: it is refused. */
  readonly overwrite?: boolean;
  /** Goes into the file's key-values beside the run's, under names that neither run nor probe has; default none. */
  readonly metadata?: JsonObject;
}

/** What a table in a run, or behind a probe, says of itself. */
const SAID = [
  ...[...Object.keys(VERSIONS), 'run', 'source', 'user'],
  ...['probe', 'options', 'objective', 'otherEngine'],
];

/** Whether the first argument of a sink is the table of one's own rows. */
export const isTable = (first: Table | SinkOptions): first is Table => Object.hasOwn(Object(first), 'columns');

/** What is known of the rows when their table is opened. */
interface Known {
  readonly table: Table | null;
  readonly provenance: Provenance | null;
  /** The run that the rows come from; null: none, or not known. */
  readonly run: Pick<StepRun, 'metadata' | 'resumes'> | null;
  readonly branch: RunBranch | null;
}

/** A table that is open: where it will lie, and its log. */
interface OpenTable {
  readonly table: Table;
  readonly log: TableLog<Table>;
  /** Whether a row is none of those that a run which is gone on with has written here, */
  isNew(row: object): boolean;
  /** or in a table of another sink of the branch. */
  isNewSomewhere(row: object): boolean;
  finish(): Promise<void>;
}

/**
 * What `toArrow`, `toParquet` and `toCsv` share: rows are logged and passed on; the table is finished before the end
 * passes on. In a run that goes on with another, rows that the other has written are dropped; those that another sink
 * of the branch lacks are passed on.
 *
 * The table is that of the probe in front, or the one given. It is opened as soon as what its file says of itself is
 * known: a table that is given at the subscription, in a branch of a run as the run begins, else with the first row,
 * and at the end at the latest.
 */
export function tableSink<R extends object>(
  who: string,
  format: TableFormat,
  given: Table | undefined,
  options: SinkOptions,
): MonoTypeOperatorFunction<R> {
  requireOptions(who, options, ['path', 'overwrite', 'metadata'], '{ overwrite: true }');
  const { path, overwrite = false, metadata = {} } = options;
  requireFlag(who, 'overwrite', overwrite);
  requireJson(who, 'metadata', metadata);
  const ending = ENDINGS[format];
  if (path !== undefined) requirePath(who, path, [ending]);
  if (given) checkTable(who, given);

  const targetOf = (branch: RunBranch | null, table: Table | null): string =>
    resolve(branch?.directory ?? '.', path ?? `${branch?.name ?? table?.name}${ending}`);

  const filesOf = (target: string) => {
    const { part, whole } = logPaths(target.slice(0, -ending.length));
    return { target, part, whole };
  };

  /** Throws where the metadata would take the place of what the table says of its run or probe. */
  function requireOwnNames(): void {
    const taken = Object.keys(metadata).find((name) => SAID.includes(name));
    if (taken === undefined) return;
    throw new BrinkError(
      who,
      `metadata has the entry '${taken}', under which a table says what measured it. That would be lost; choose ` +
        'another name.',
    );
  }

  function claim(branch: RunBranch, table: Table | null): void {
    requireOwnNames();
    const { target, part, whole } = filesOf(targetOf(branch, table));
    branch.claim(
      who,
      target,
      [part, whole, `${target}.tmp`].filter((file) => file !== target),
    );
  }

  function open({ table, provenance, run, branch }: Known): OpenTable {
    if (table === null) {
      throw new BrinkError(
        who,
        'the table of the rows is not known: no probe stands in front, or what stands between hides it. Hand it over, as in toParquet(table).',
      );
    }
    if (provenance) requireOwnNames();
    const { target, part, whole } = filesOf(targetOf(branch, table));
    makeRoom(who, { target, part, whole }, overwrite);
    const about = branch?.metadata ?? { ...VERSIONS, source: run?.metadata ?? null };
    const log = new TableLog(table, target.slice(0, -ending.length), {
      format,
      metadata: { ...about, ...provenance, ...otherEngine(about.source, provenance?.objective), ...metadata },
      ...(!given && {
        rowAdvice:
          "the table is the probe's, and what stands between it and the sink has changed the row: " +
          `hand over a table of the rows that come, ${who}(table)`,
      }),
    });
    let finished: Promise<void> | undefined;
    const newIn = (file: string) => rowsBehind(table, endBefore(run, branch, file));
    const others = (branch?.targets ?? []).filter((file) => file !== target).map(newIn);
    const isNew = newIn(target);
    return {
      table,
      log,
      isNew,
      isNewSomewhere: (row) => isNew(row) || others.some((isNewThere) => isNewThere(row)),
      finish: () => {
        const tell: FinishListener = (done, rows) => branch?.tell(target, `${done} of ${rows} rows finished`);
        finished ??= finishTable(who, log, format === 'arrow' ? null : { format, whole, target, tell });
        return finished;
      },
    };
  }

  return (rows) => {
    const declared = declaredOf(rows);
    const branch = branchOf(rows) ?? null;
    const table = given ?? declared?.table ?? null;

    /** What is known without a row. */
    const openFrom = (first: Step | null): OpenTable =>
      open({ table, provenance: declared?.provenance(first) ?? null, run: first?.run ?? null, branch });

    function openFor(row: R): OpenTable {
      const origin = originOf(row);
      const own = branch ?? origin?.run.branch ?? null;
      const known = { table: table ?? origin?.table ?? null, provenance: origin?.provenance ?? null };
      if (own && !branch) claim(own, known.table);
      return open({ ...known, run: origin?.run ?? null, branch: own });
    }

    const written = defer(() => {
      let opened: OpenTable | null = null;
      if (branch) {
        claim(branch, table);
        branch.check(() => requireRoom(who, filesOf(targetOf(branch, table)), overwrite, branch.removes));
        branch.whenBegun((first) => {
          if (table) opened = openFrom(first);
        });
      } else if (given && !declared) {
        opened = openFrom(null);
      }

      /** Writes a row, if it is a new one; whether it is to be passed on. */
      function append(row: R): boolean {
        opened ??= openFor(row);
        const from = originOf(row)?.table;
        if (from && !given && from !== opened.table) {
          throw new BrinkError(
            who,
            `a row of the table '${from.name}' came behind rows of '${opened.table.name}'. A file holds one table; give each probe a sink of its own.`,
          );
        }
        if (opened.isNew(row)) opened.log.append(row as Row<Table>);
        return opened.isNewSomewhere(row);
      }

      const finish = async () => {
        opened ??= openFrom(null);
        await opened.finish();
      };
      const whenFinished: Observable<never> = defer(finish).pipe(ignoreElements());
      return concat(rows.pipe(filter(append)), whenFinished).pipe(
        catchError((error) => {
          const asItIs = throwError(() => error);
          if (opened === null) return asItIs;
          return concat(whenFinished.pipe(catchError((second) => throwError(() => join(error, second)))), asItIs);
        }),
        tap({
          unsubscribe: () => {
            if (opened === null) return;
            const whole = finish();
            // Whoever unsubscribes is not there to be told; a run is.
            if (branch) branch.waitFor(whole);
            else whole.catch((error) => process.emitWarning(error));
          },
        }),
      );
    });
    return madeFrom(written, rows);
  };
}

/**
 * Ends the log and makes its file, Parquet or CSV; a write that failed before is told after what could be saved is
 * saved.
 */
async function finishTable(
  who: string,
  log: TableLog<Table>,
  made: {
    readonly format: Exclude<TableFormat, 'arrow'>;
    readonly whole: string;
    readonly target: string;
    readonly tell: FinishListener;
  } | null,
): Promise<void> {
  let failure: unknown;
  try {
    log.finish();
  } catch (error) {
    failure = error;
  }
  if (made && existsSync(made.whole)) {
    await finishLog(who, made.format, made.whole, made.target, made.tell).catch((second) => {
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

/** Where a table lies: under its own name in the end, under others meanwhile. */
interface Files {
  readonly target: string;
  readonly part: string;
  readonly whole: string;
}

/**
 * Throws where a table would take the place of another file, unless it may; `isGone` are files that will not be
 * there.
 */
function requireRoom(
  who: string,
  { target, part, whole }: Files,
  overwrite: boolean,
  isGone = (_: string) => false,
): void {
  const isThere = (file: string) => existsSync(file) && !isGone(file);
  if (isThere(target) && !overwrite) {
    throw new BrinkError(
      who,
      `${target} is there already. It would be lost; name another file, or pass overwrite: true.`,
    );
  }
  for (const file of [part, whole]) {
    if (file === target || !isThere(file)) continue;
    if (!overwrite) {
      throw new BrinkError(
        who,
        `${file} is there already. A run that was cut off or another sink left it; \`brink recover ${dirname(file)}\` finishes what a run left, or name another file.`,
      );
    }
    requireOwnLog(who, file, basename(target));
  }
}

/** Makes room for a table: removes what may be overwritten. */
function makeRoom(who: string, files: Files, overwrite: boolean): void {
  requireRoom(who, files, overwrite);
  for (const file of Object.values(files)) {
    sayingWhy(who, `${file} cannot be written`, 'Name another file.', () => rmSync(file, { force: true }));
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
  const holder = isBeingWritten(file, log.writer) ? log.writer : holderOf(file.replace(/\.part$/, ''));
  if (holder) {
    throw new BrinkError(who, `${file} is being written by process ${holder.pid}. Name another file.`);
  }
}

import { renameSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Schema } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Row, Table } from '../core/Table.ts';
import { ArrowFile } from '../files/ArrowFile.ts';
import { type ArrowMessages, arrowMessages } from '../files/arrowMessages.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { syncFolder } from '../files/syncFolder.ts';
import { arrowSchema, toRecordBatch } from './arrowColumns.ts';
import { checkRow, checkTable, type StoredRow } from './checkRow.ts';
import { KeyMemory } from './KeyMemory.ts';
import { type TableFormat, toKeyValues } from './tableMetadata.ts';

/** A batch is written when it has this many rows, */
const BATCH_ROWS = 256;
/** or when its first row has waited this long, in milliseconds: a killed process can lose the rows of such a time, */
const BATCH_AGE = 250;
/**
 * or as soon as whoever adds rows pauses, as no timer runs in a long pass that may follow; that so many times at once,
 * and then once in `BATCH_AGE`.
 */
const BURST = 8;

const WHO = 'TableLog';

/** What a log says of itself, and of rows that don't fit it. */
interface LogOptions {
  readonly format: TableFormat;
  readonly metadata: JsonObject;
  /** What to do about a row that does not fit the table; default: give it the table's columns. */
  readonly rowAdvice?: string;
}

/** Where a table lives while it is written, and when it is whole. */
export const logPaths = (path: string) => ({ part: `${path}.arrows.part`, whole: `${path}.arrows` });

/**
 * The rows of a table while a run lives: an Arrow stream at `<path>.arrows.part`; `recover` finishes it after a crash.
 *
 * Rows are written in batches of 256, or at a pause of whoever adds them, at most four times a second and up to eight
 * times after a long one. That is synchronous: a batch that was written survives the process, and a few seconds later
 * the machine. A key that was there before is refused, as far back as `KeyMemory` remembers.
 */
export class TableLog<T extends Table> {
  readonly #table: T;
  readonly #paths: { readonly part: string; readonly whole: string };
  readonly #schema: Schema;
  readonly #messages: ArrowMessages;
  readonly #file: ArrowFile;
  #pending: StoredRow[] = [];
  readonly #keys: KeyMemory;
  readonly #rowAdvice: string | undefined;
  /** How many batches may be written at the next pauses, and when that was counted. */
  #burst = BURST;
  #counted = Date.now();
  #isPauseAwaited = false;
  #timer: NodeJS.Timeout | undefined;
  #failure: BrinkError | undefined;
  #rows = 0;
  #isFinished = false;

  /** @throws BrinkError where the table cannot be written, or a log of its name is there already. */
  constructor(table: T, path: string, { format, metadata, rowAdvice }: LogOptions) {
    checkTable(WHO, table);
    this.#table = table;
    this.#rowAdvice = rowAdvice;
    this.#keys = new KeyMemory(table);
    this.#paths = logPaths(path);
    const writer = { host: hostname(), pid: process.pid };
    this.#schema = arrowSchema(table, toKeyValues({ table, format, writer, metadata }));
    this.#messages = arrowMessages(this.#schema);
    const folder = dirname(path);
    const refused = `${this.#paths.part} cannot be opened`;
    const advice = 'Name a place that can be written.';
    sayingWhy(WHO, refused, advice, () => makeFolders(folder));
    try {
      this.#file = new ArrowFile(this.#paths.part, { kept: null, refused: (cause) => this.#refused(cause) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new BrinkError(WHO, `${refused}: ${(error as Error).message}. ${advice}`, { cause: error });
      }
      throw new BrinkError(
        WHO,
        `${this.#paths.part} is there already. Another sink or run is writing a table of that name, ` +
          `or one was cut off: then \`brink recover ${folder}\` finishes it.`,
      );
    }
    try {
      this.#file.write(this.#messages.schema);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** Rows that are written. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Adds a row.
   *
   * @throws BrinkError where it does not fit the table or has the key of another (the log goes on), or where the disk
   *   refuses.
   */
  append(row: Row<T>): void {
    if (this.#failure) throw this.#failure;
    if (this.#isFinished)
      throw new BrinkError(WHO, `the table '${this.#table.name}' is finished. No row can be added.`);
    const stored = checkRow(WHO, this.#table, row, this.#rowAdvice);
    this.#keys.take(WHO, stored);
    this.#pending.push(stored);
    if (this.#pending.length >= BATCH_ROWS) this.#flush();
    else this.#flushSoon();
  }

  /**
   * Writes what is pending, ends the stream, and gives the file its name; returns the path.
   *
   * @throws BrinkError where a write failed, now or before. The file has its name all the same if there was room to
   *   end the stream after its last whole batch.
   */
  finish(): string {
    if (this.#isFinished) return this.#paths.whole;
    this.#isFinished = true;
    try {
      if (!this.#failure) this.#flushLater();
    } finally {
      this.#file.end();
    }
    const { part, whole } = this.#paths;
    const advice = `Its ${this.#rows} rows are in ${part}, where that still is; \`brink recover DIR\` finishes it there.`;
    sayingWhy(WHO, `${whole} cannot be written`, advice, () => {
      renameSync(part, whole);
      syncFolder(dirname(whole));
    });
    if (this.#failure) throw this.#failure;
    return this.#paths.whole;
  }

  /** Writes what is pending at the next pause, or in a while. */
  #flushSoon(): void {
    if (this.#isPauseAwaited) return;
    const now = Date.now();
    this.#burst = Math.min(BURST, this.#burst + (now - this.#counted) / BATCH_AGE);
    this.#counted = now;
    if (this.#burst < 1) {
      this.#timer ??= setTimeout(() => this.#flushLater(), BATCH_AGE).unref();
      return;
    }
    this.#burst--;
    this.#isPauseAwaited = true;
    queueMicrotask(() => {
      this.#isPauseAwaited = false;
      this.#flushLater();
    });
  }

  /** As `#flush`, but a failure is told at the next row or at the end. */
  #flushLater(): void {
    try {
      this.#flush();
    } catch (error) {
      if (error !== this.#failure) throw error;
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = this.#pending;
    if (rows.length === 0) return;
    this.#pending = [];
    this.#file.write(this.#messages.batch(toRecordBatch(this.#schema, this.#table, rows)));
    this.#rows += rows.length;
  }

  #refused(cause: Error): BrinkError {
    this.#failure = new BrinkError(
      WHO,
      `${this.#paths.part} cannot be written: ${cause.message}. ` +
        `The ${this.#rows} rows before are kept, later ones are lost; ` +
        `make room, then \`brink recover ${dirname(this.#paths.part)}\` finishes the table.`,
      { cause },
    );
    return this.#failure;
  }
}

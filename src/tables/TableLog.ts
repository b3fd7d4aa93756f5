import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AsyncByteQueue, RecordBatchStreamWriter, type Schema } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Row, Table } from '../core/Table.ts';
import { arrowSchema, toRecordBatch } from './arrowColumns.ts';
import { checkRow, checkTable } from './checkRow.ts';
import { syncFolder } from './syncFolder.ts';
import { type TableFormat, toKeyValues } from './tableMetadata.ts';

/** A batch is written when it has this many rows, */
const BATCH_ROWS = 256;
/** or when its first row has waited this long, in milliseconds: what a killed process can lose. */
const BATCH_AGE = 1000;
/** The disk is asked to hold on to what it has this often, in milliseconds. */
const SYNC_AGE = 3000;

const WHO = 'TableLog';

/** Where a table lives while it is written, and when it is whole. */
export const logPaths = (path: string) => ({ part: `${path}.arrows.part`, whole: `${path}.arrows` });

/** Hands every byte to the operating system before `write` returns. */
class FileQueue extends AsyncByteQueue {
  readonly #file: number;
  /** Bytes of whole messages: where a failed write is cut off. */
  size = 0;

  constructor(file: number) {
    super();
    this.#file = file;
  }

  override write(value: Uint8Array | ArrayBufferLike | ArrayBufferView | string): void {
    const bytes = ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value as ArrayBufferLike);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    this.size += bytes.length;
  }
}

/**
 * The rows of a table while a run lives: an Arrow stream at `<path>.arrows.part`, which `recover` can finish after a crash.
 *
 * Rows are written in batches of 256, or after a second, synchronously: a batch that was written survives the process, and a
 * few seconds later the machine.
 */
export class TableLog<T extends Table> {
  readonly #table: T;
  readonly #paths: { readonly part: string; readonly whole: string };
  readonly #schema: Schema;
  readonly #file: number;
  readonly #queue: FileQueue;
  readonly #writer: RecordBatchStreamWriter;
  #pending: Row<T>[] = [];
  #pendingSince = 0;
  #synced = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #failure: BrinkError | undefined;
  #rows = 0;
  #finished = false;

  /** @throws BrinkError where the table cannot be written, or a log of its name is there already. */
  constructor(
    table: T,
    path: string,
    { format, metadata }: { readonly format: TableFormat; readonly metadata: JsonObject },
  ) {
    checkTable(WHO, table);
    this.#table = table;
    this.#paths = logPaths(path);
    this.#schema = arrowSchema(table, toKeyValues(table, format, metadata));
    mkdirSync(dirname(path), { recursive: true });
    try {
      this.#file = openSync(this.#paths.part, 'wx');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new BrinkError(
        WHO,
        `${this.#paths.part} is there already. A run is writing it, or was cut off; \`brink recover ${dirname(path)}\` finishes it.`,
      );
    }
    this.#queue = new FileQueue(this.#file);
    this.#writer = new RecordBatchStreamWriter();
    this.#guarded(() => this.#writer.reset(this.#queue, this.#schema));
  }

  /** Rows that are written. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds a row. @throws BrinkError where the row does not fit the table (the log goes on), or the disk refuses (it ends). */
  append(row: Row<T>): void {
    if (this.#failure) throw this.#failure;
    if (this.#finished) throw new BrinkError(WHO, `the table '${this.#table.name}' is finished. No row can be added.`);
    checkRow(WHO, this.#table, row);
    const now = Date.now();
    if (this.#pending.length === 0) this.#pendingSince = now;
    this.#pending.push(row);
    if (this.#pending.length >= BATCH_ROWS || now - this.#pendingSince >= BATCH_AGE) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flushLater(), BATCH_AGE).unref();
  }

  /** Writes what is pending, ends the stream, and gives the file its name; returns the path. */
  finish(): string {
    if (this.#finished) return this.#paths.whole;
    this.#finished = true;
    clearTimeout(this.#timer);
    try {
      if (!this.#failure) this.#flush();
      if (this.#failure) throw this.#failure;
      this.#guarded(() => {
        this.#writer.finish();
        fsyncSync(this.#file);
      });
    } finally {
      closeSync(this.#file);
    }
    renameSync(this.#paths.part, this.#paths.whole);
    syncFolder(dirname(this.#paths.whole));
    return this.#paths.whole;
  }

  /** A failed write is told at the next row. */
  #flushLater(): void {
    try {
      this.#flush();
    } catch {}
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = this.#pending;
    if (rows.length === 0) return;
    this.#pending = [];
    this.#guarded(() => {
      this.#writer.write(toRecordBatch(this.#schema, this.#table, rows));
      this.#rows += rows.length;
      if (Date.now() - this.#synced >= SYNC_AGE) {
        fsyncSync(this.#file);
        this.#synced = Date.now();
      }
    });
  }

  /** Cuts off what a failed write left, so that the file stays whole up to the batch before. */
  #guarded(write: () => void): void {
    const { size } = this.#queue;
    try {
      write();
    } catch (cause) {
      try {
        ftruncateSync(this.#file, size);
      } catch {}
      this.#failure = new BrinkError(
        WHO,
        `${this.#paths.part} cannot be written: ${(cause as Error).message}. The ${this.#rows} rows before are kept; make room, then \`brink recover ${dirname(this.#paths.part)}\` finishes the table.`,
        { cause },
      );
      throw this.#failure;
    }
  }
}

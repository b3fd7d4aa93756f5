import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import parquet, { type FieldDefinition } from 'parquetjs-lite';
import types from 'parquetjs-lite/lib/types.js';
import type { Column, ColumnType, Table } from '../core/Table.ts';
import { CHECKSUM, RunningChecksum, UNSET } from '../files/checksum.ts';
import { readFrom } from '../files/readFrom.ts';
import { WholeFile } from '../files/WholeFile.ts';
import type { OpenLog } from './openLog.ts';
import { FOOTER_LENGTH, SEALED } from './requireSealed.ts';
import { toKeyValues } from './tableMetadata.ts';

/** A row group, which is in memory whole, has at most this many rows, */
const GROUP_ROWS = 8192;
/** and as many as had this many bytes in the log. */
const GROUP_BYTES = 4 * 2 ** 20;

/**
 * Types of our own in the library's table, whose values pass unchanged: its own conversions refuse NaN and lose the
 * sign of −0. Rows are checked before they come here.
 */
const PARQUET: Record<ColumnType, string> = {
  float64: own('BRINK_DOUBLE', 'DOUBLE'),
  int32: own('BRINK_INT32', 'INT32'),
  bool: 'BOOLEAN',
  utf8: 'UTF8',
};

function own(name: string, primitiveType: string): string {
  // The library looks a conversion up under `originalType`, where there is one.
  types.PARQUET_LOGICAL_TYPES[name] = { primitiveType, originalType: name, toPrimitive: (value) => value };
  return name;
}

/**
 * Writes a finished log as a Parquet file, batch by batch.
 *
 * The last of its key-values is the CRC-32 of all its bytes, in whose place `UNSET` stands while it is computed; the
 * first says that there is one. Other readers pass them over.
 *
 * @param onRows Called after each batch with the number of rows that are done.
 */
export async function writeParquet(log: OpenLog, path: string, onRows: (done: number) => void): Promise<void> {
  const schema = new parquet.ParquetSchema(fieldsOf(log.table));
  const whole = new WholeFile(path);
  const { file } = whole;
  try {
    // The library starts to write in a constructor, where nobody could catch what goes wrong.
    let failure: unknown = null;
    let size = 0;
    const sum = new RunningChecksum();
    const write = async (bytes: Uint8Array) => {
      try {
        for (let at = 0; at < bytes.length && failure === null; ) at += writeSync(file, bytes, at);
        sum.add(bytes);
        size += bytes.length;
      } catch (error) {
        failure = error;
      }
    };
    const requireWritten = () => {
      if (failure !== null) throw failure;
    };
    // The page index lacks what some readers demand of it.
    const options = { rowGroupSize: groupRows(log), pageIndex: false };
    const envelope = new parquet.ParquetEnvelopeWriter(schema, write, async () => {}, 0, options);
    const writer = new parquet.ParquetWriter(schema, envelope, options);
    const keyValues = [[SEALED, 'crc32'], ...toKeyValues({ ...log, writer: null }), [CHECKSUM, UNSET]] as const;
    for (const [key, value] of keyValues) writer.setMetadata(key, value);
    let done = 0;
    for (const batch of log.batches()) {
      for (const row of batch) {
        // One after the other: calls that overlap write rows twice.
        await writer.appendRow(toParquetRow(log.table, row));
      }
      requireWritten();
      done += batch.length;
      onRows(done);
      // Whatever else the process does goes on meanwhile.
      await setImmediate();
    }
    await writer.close();
    requireWritten();
    putChecksum(file, size, sum.text);
    whole.finish();
  } catch (error) {
    whole.discard();
    throw error;
  }
}

/** Writes the checksum into its place, which lies in the footer: near the end of the file. */
function putChecksum(file: number, size: number, sum: string): void {
  const tail = Buffer.alloc(FOOTER_LENGTH);
  readFrom(file, size - tail.length, tail);
  const footer = Buffer.alloc(tail.readUInt32LE(0));
  const start = size - tail.length - footer.length;
  readFrom(file, start, footer);
  const at = footer.lastIndexOf(Buffer.from(UNSET, 'latin1'));
  if (at < 0) throw new Error('the footer has no place for a checksum');
  writeSync(file, Buffer.from(sum, 'latin1'), 0, UNSET.length, start + at);
}

function groupRows({ rows, bytes }: OpenLog): number {
  return Math.max(1, Math.min(GROUP_ROWS, Math.floor((GROUP_BYTES * rows) / Math.max(bytes, 1))));
}

function fieldsOf(table: Table): Record<string, FieldDefinition> {
  const field = (column: Column): FieldDefinition => {
    // Its statistics order text by UTF-16, so that some readers skip rows that match.
    const leaf = { type: PARQUET[column.type], compression: 'SNAPPY', statistics: false } as const;
    if (!column.list) return { ...leaf, optional: column.nullable };
    const element: FieldDefinition = { ...leaf, optional: true };
    return { type: 'LIST', optional: column.nullable, fields: { list: { repeated: true, fields: { element } } } };
  };
  return Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, field(column)]));
}

function toParquetRow(table: Table, row: Readonly<Record<string, unknown>>): object {
  const cell = (column: Column, value: unknown) =>
    column.list && value !== null
      ? { list: Array.from(value as ArrayLike<unknown>, (element) => ({ element })) }
      : value;
  return Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, cell(column, row[name])]));
}

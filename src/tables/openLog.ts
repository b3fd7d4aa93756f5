import { closeSync, openSync } from 'node:fs';
import { RecordBatchReader } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import { readFrom } from '../files/readFrom.ts';
import { scanStream } from '../files/scanStream.ts';
import { fromRecordBatch } from './arrowColumns.ts';
import { fromKeyValues, type TableMetadata } from './tableMetadata.ts';

/** A log on disk, finished or not, as far as it is whole. */
export interface OpenLog extends TableMetadata {
  readonly path: string;
  readonly rows: number;
  /** Bytes of the whole batches. */
  readonly bytes: number;
  /** The rows, batch by batch: one batch is in memory at a time. */
  batches(): Generator<Record<string, unknown>[]>;
  close(): void;
}

/** Opens an Arrow stream that `TableLog` wrote; close it. @throws BrinkError where it is not one. */
export function openLog(who: string, path: string): OpenLog {
  const file = openSync(path, 'r');
  try {
    const { schemaEnd, batches, end } = scanStream(file);
    if (schemaEnd === 0) {
      throw new BrinkError(
        who,
        `${path} has no whole schema message, so it holds no row. The process was stopped before it wrote one, or it is no Arrow stream; remove the file.`,
      );
    }
    const schemaBytes = read(file, 0, schemaEnd);
    const header = fromKeyValues(who, path, decode(schemaBytes).schema.metadata);
    return {
      ...header,
      path,
      rows: batches.reduce((sum, { rows }) => sum + rows, 0),
      bytes: end - schemaEnd,
      *batches() {
        for (const { start, end } of batches) {
          const [batch] = decode(Buffer.concat([schemaBytes, read(file, start, end)]));
          yield fromRecordBatch(header.table, batch!);
        }
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

const decode = (bytes: Uint8Array) => RecordBatchReader.from(bytes).open();

function read(file: number, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  const count = readFrom(file, start, bytes);
  if (count < bytes.length) throw new Error(`the file ends at byte ${start + count}, within a batch`);
  return bytes;
}

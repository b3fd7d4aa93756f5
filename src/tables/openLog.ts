import { type OpenArrowFile, openArrowFile } from '../files/openArrowFile.ts';
import { fromRecordBatch } from './arrowColumns.ts';
import { fromKeyValues, type TableMetadata } from './tableMetadata.ts';

/** A log on disk, finished or not, as far as it is whole. */
export interface OpenLog extends TableMetadata, Pick<OpenArrowFile, 'end' | 'tornBytes' | 'close'> {
  readonly path: string;
  readonly rows: number;
  /** Bytes of the whole batches. */
  readonly bytes: number;
  /** The rows, batch by batch: one batch is in memory at a time. */
  batches(): Generator<Record<string, unknown>[]>;
}

/** What is said of a log that holds nothing. */
const UNBEGUN =
  'has no whole schema message, so it holds no row. ' +
  'The process was stopped before it wrote one, or it is no Arrow stream; remove the file.';

/** Opens an Arrow stream that `TableLog` wrote; close it. @throws BrinkError where it is not one. */
export function openLog(who: string, path: string): OpenLog {
  return openArrowFile(who, path, UNBEGUN, ({ schema, batches, end, tornBytes, read, close }) => {
    const header = fromKeyValues(who, path, schema.metadata);
    return {
      ...header,
      path,
      rows: batches.reduce((sum, { rows }) => sum + rows, 0),
      bytes: batches.reduce((sum, { start, end }) => sum + end - start, 0),
      end,
      tornBytes,
      *batches() {
        for (const k of batches.keys()) yield fromRecordBatch(header.table, read(k));
      },
      close,
    };
  });
}

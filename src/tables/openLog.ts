import { damaged, type OpenArrowFile, openArrowFile } from '../files/openArrowFile.ts';
import { fromRecordBatch } from './arrowColumns.ts';
import { fromKeyValues, type TableMetadata } from './tableMetadata.ts';

/** A log on disk, finished or not, as far as it is whole. */
export interface OpenLog extends TableMetadata, Pick<OpenArrowFile, 'end' | 'tornBytes' | 'close'> {
  readonly path: string;
  readonly rows: number;
  /** Bytes of the whole batches. */
  readonly bytes: number;
  /** Throws where a batch is not as it was written, as far as its checksum tells. */
  requireSound(): void;
  /**
   * The rows, batch by batch: one batch is in memory at a time.
   *
   * @throws BrinkError at a batch that is damaged.
   */
  batches(): Generator<Record<string, unknown>[]>;
}

/** What is said of a log that holds nothing. */
const UNBEGUN =
  'has no whole schema message, so it holds no row. ' +
  'The process was stopped before it wrote one, or it is no Arrow stream; remove the file.';

/** Opens an Arrow stream that `TableLog` wrote; close it. @throws BrinkError where it is not one. */
export function openLog(who: string, path: string): OpenLog {
  return openArrowFile(who, path, UNBEGUN, ({ schema, batches, end, tornBytes, ...file }) => {
    const header = fromKeyValues(who, path, schema.metadata);
    const rows = batches.reduce((sum, { rows }) => sum + rows, 0);
    // What has its last name was ended before.
    const damage = file.damage ?? (file.isEnded || path.endsWith('.part') ? null : 'its end is missing');
    const nameOf = (k: number) => {
      const before = batches.slice(0, k).reduce((sum, { rows }) => sum + rows, 0);
      return `the batch from row ${before + 1}`;
    };
    return {
      ...header,
      path,
      rows,
      bytes: batches.reduce((sum, { start, end }) => sum + end - start, 0),
      end,
      tornBytes,
      requireSound() {
        const k = [...batches.keys()].findIndex((k) => !file.isSound(k));
        if (k >= 0) throw damaged(who, path, nameOf(k), 'its bytes are not those that were written (CRC-32)');
        if (damage) throw damaged(who, path, `what follows row ${rows}`, damage);
      },
      *batches() {
        for (const k of batches.keys()) {
          const batch = file.read(k, nameOf(k));
          let rows: Record<string, unknown>[];
          try {
            rows = fromRecordBatch(header.table, batch);
          } catch (cause) {
            throw damaged(who, path, nameOf(k), (cause as Error).message, cause);
          }
          yield rows;
        }
        if (damage) throw damaged(who, path, `what follows row ${rows}`, damage);
      },
      close: file.close,
    };
  });
}

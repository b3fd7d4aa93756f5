import { createReadStream } from 'node:fs';
import { RecordBatchReader } from 'apache-arrow';
import { fromRecordBatch } from './arrowColumns.ts';
import { fromKeyValues, type TableMetadata } from './tableMetadata.ts';

/** A finished log, batch by batch. */
export interface OpenLog extends TableMetadata {
  batches(): AsyncGenerator<Record<string, unknown>[]>;
}

/** Opens an Arrow stream that `TableLog` wrote. @throws BrinkError where it is not one. */
export async function readLog(who: string, path: string): Promise<OpenLog> {
  const reader = await RecordBatchReader.from(createReadStream(path));
  await reader.open();
  const described = fromKeyValues(who, path, reader.schema.metadata);
  return {
    ...described,
    async *batches() {
      for await (const batch of reader) yield fromRecordBatch(described.table, batch);
    },
  };
}

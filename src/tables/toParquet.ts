import type { MonoTypeOperatorFunction } from 'rxjs';
import type { Row, Table } from '../core/Table.ts';
import { type SinkOptions, tableSink } from './tableSink.ts';

/**
 * Writes the rows that pass through it to a Parquet file, for pandas, polars, DuckDB and every other dataframe tool.
 *
 * While rows come they go to an Arrow stream beside it (`<name>.arrows.part`): a process that is killed loses at most the last
 * second of rows, and `brink recover` finishes the table. When the rows end, or their source fails, the Parquet file is made
 * (SNAPPY; NaN, −0 and 64-bit integers bit by bit), its rows are counted, the stream is removed, and only then does the end
 * pass on. Run metadata stands in the file's key-values.
 *
 * Not for weights: a row costs about 0.1 ms.
 *
 * @param table The declaration, `topEigenvalues.table`.
 * @param path Default `<table.name>.parquet`; relative paths start in the run's folder, outside a run in the working folder.
 * @param options `overwrite` (false), `metadata` ({}).
 * @throws BrinkError at the call where the path does not end in `.parquet`; in the stream where the file is there already, a
 *   row does not fit the table, or the disk refuses. Rows before are kept.
 */
export function toParquet<T extends Table>(
  table: T,
  path = `${table.name}.parquet`,
  options: SinkOptions = {},
): MonoTypeOperatorFunction<Row<T>> {
  return tableSink('toParquet', 'parquet', table, path, options);
}

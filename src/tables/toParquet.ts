import type { MonoTypeOperatorFunction } from 'rxjs';
import type { Row, Table } from '../core/Table.ts';
import { isTable, type SinkOptions, tableSink } from './tableSink.ts';

/**
 * Writes the rows that pass through it to a Parquet file, for pandas, polars, DuckDB and every other dataframe tool.
 *
 * The table is that of the probe in front of it, and the file has the branch's name: `sharpness: (s) =>
 * s.pipe(interactionAwareSharpness(), toParquet())` writes `sharpness.parquet`, also where no row comes. Rows of your
 * own need their table: `toParquet(table)`.
 *
 * While rows come they go to an Arrow stream beside it (`<name>.arrows.part`): a process that is killed loses at most
 * the last second of rows, and `brink recover` finishes the table. When the rows end, or their source fails, the
 * Parquet file is made (SNAPPY; NaN and −0 bit by bit), its rows are counted, the stream is removed, and only then
 * does the end pass on. What measured the rows stands in the file's key-values: probe, options, objective, source,
 * versions, run.
 *
 * Cost: about 0.1 ms a row. Not for weights.
 *
 * @param table The declaration, for rows of your own; default: the probe's.
 * @param options `path` (the branch's name; outside a run the table's), `overwrite` (false), `metadata` ({}).
 * @throws BrinkError at the call where the path does not end in `.parquet` or an option does not exist; before the
 *   first step where another branch writes the file; in the stream where it is there already, a row does not fit the
 *   table or repeats a key (of the 65,536 rows before, or of any where the key is the step), or the disk refuses.
 *   Rows before are kept.
 */
export function toParquet<R extends object>(options?: SinkOptions): MonoTypeOperatorFunction<R>;
export function toParquet<T extends Table>(table: T, options?: SinkOptions): MonoTypeOperatorFunction<Row<T>>;
// biome-ignore lint/suspicious/noExplicitAny: the rows' type is that of the stream, see the two signatures above
export function toParquet(first: Table | SinkOptions = {}, second: SinkOptions = {}): MonoTypeOperatorFunction<any> {
  return isTable(first)
    ? tableSink('toParquet', 'parquet', first, second)
    : tableSink('toParquet', 'parquet', undefined, first);
}

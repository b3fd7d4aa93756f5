import type { MonoTypeOperatorFunction } from 'rxjs';
import type { Row, Table } from '../core/Table.ts';
import { isTable, type SinkOptions, tableSink } from './tableSink.ts';

/**
 * Writes the rows that pass through it to a file of comma-separated values, for spreadsheets and whatever reads nothing
 * else.
 *
 * Table, name and path are as with `toParquet`. The first line names the columns; null is an empty cell, an empty text
 * `""`, lists are JSON, numbers come back to the bit, and what is none is `NaN`, `inf` or `-inf`. What it does not
 * hold: types, units and the key-values (probe, options, objective, checksums), which `run.json` has in part; and
 * `readTable` reads it not. While rows come they go to an Arrow stream beside it (`<name>.arrows.part`): a
 * process that is killed loses at most the last second of rows, and `brink recover` finishes the table.
 *
 * Cost: about 20 µs a row.
 *
 * ```ts
 * import { gradientDescent, run, toCsv, toy, trainingLoss } from 'brink';
 *
 * const train = () =>
 *   run(gradientDescent(toy(), { learningRate: 0.01, steps: 10 }), { loss: (s) => s.pipe(trainingLoss(), toCsv()) });
 * ```
 *
 * @param table The declaration, for rows of your own; default: the probe's.
 * @param options `path` (the branch's name; outside a run the table's), `overwrite` (false), `metadata` ({}, in the log
 *   alone).
 * @throws BrinkError as `toParquet`.
 */
export function toCsv<R extends object>(options?: SinkOptions): MonoTypeOperatorFunction<R>;
export function toCsv<T extends Table>(table: T, options?: SinkOptions): MonoTypeOperatorFunction<Row<T>>;
// biome-ignore lint/suspicious/noExplicitAny: the rows' type is that of the stream, see the two signatures above
export function toCsv(first: Table | SinkOptions = {}, second: SinkOptions = {}): MonoTypeOperatorFunction<any> {
  return isTable(first) ? tableSink('toCsv', 'csv', first, second) : tableSink('toCsv', 'csv', undefined, first);
}

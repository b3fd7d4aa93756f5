import type { MonoTypeOperatorFunction } from 'rxjs';
import type { Row, Table } from '../core/Table.ts';
import { isTable, type SinkOptions, tableSink } from './tableSink.ts';

/**
 * Writes the rows that pass through it to an Arrow IPC stream (`.arrows`), which Arrow libraries map without parsing.
 *
 * The table is that of the probe in front of it, and the file has the branch's name: `loss: (s) =>
 * s.pipe(trainingLoss(), toArrow())` writes `loss.arrows`, also where no row comes. Rows of your own need their
 * table: `toArrow(table)`.
 *
 * While rows come the file is called `<name>.arrows.part`: a process that is killed loses at most the last second of
 * rows, and `brink recover` finishes the table. When the rows end, or their source fails, the file gets its name, and
 * only then does the end pass on. What measured the rows stands in the schema's key-values: probe, options,
 * objective, source, versions, run.
 *
 * Cost: about 10 µs a row.
 *
 * @param table The declaration, for rows of your own; default: the probe's.
 * @param options `path` (the branch's name; outside a run the table's), `overwrite` (false), `metadata` ({}).
 * @throws BrinkError at the call where the path does not end in `.arrows` or an option does not exist; before the
 *   first step where another branch writes the file; in the stream where it is there already, a row does not fit the
 *   table or repeats a key (of the 65,536 rows before, or of any where the key is the step), or the disk refuses.
 *   Rows before are kept.
 */
export function toArrow<R extends object>(options?: SinkOptions): MonoTypeOperatorFunction<R>;
export function toArrow<T extends Table>(table: T, options?: SinkOptions): MonoTypeOperatorFunction<Row<T>>;
// biome-ignore lint/suspicious/noExplicitAny: the rows' type is that of the stream, see the two signatures above
export function toArrow(first: Table | SinkOptions = {}, second: SinkOptions = {}): MonoTypeOperatorFunction<any> {
  return isTable(first)
    ? tableSink('toArrow', 'arrow', first, second)
    : tableSink('toArrow', 'arrow', undefined, first);
}

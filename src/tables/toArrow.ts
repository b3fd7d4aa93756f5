import type { MonoTypeOperatorFunction } from 'rxjs';
import type { Row, Table } from '../core/Table.ts';
import { type SinkOptions, tableSink } from './tableSink.ts';

/**
 * Writes the rows that pass through it to an Arrow IPC stream (`.arrows`), which Arrow libraries map without parsing.
 *
 * While rows come the file is called `<name>.arrows.part`: a process that is killed loses at most the last second of rows, and
 * `brink recover` finishes the table. When the rows end, or their source fails, the file gets its name, and only then does the
 * end pass on. Run metadata stands in the schema's key-values.
 *
 * @param table The declaration, `trainingLoss.table`.
 * @param path Default `<table.name>.arrows`; relative paths start in the run's folder, outside a run in the working folder.
 * @param options `overwrite` (false), `metadata` ({}).
 * @throws BrinkError at the call where the path does not end in `.arrows`; in the stream where the file is there already, a
 *   row does not fit the table, or the disk refuses. Rows before are kept.
 */
export function toArrow<T extends Table>(
  table: T,
  path = `${table.name}.arrows`,
  options: SinkOptions = {},
): MonoTypeOperatorFunction<Row<T>> {
  return tableSink('toArrow', 'arrow', table, path, options);
}

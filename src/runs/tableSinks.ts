import type { MonoTypeOperatorFunction } from 'rxjs';
import { toArrow } from '../tables/toArrow.ts';
import { toCsv } from '../tables/toCsv.ts';
import { toParquet } from '../tables/toParquet.ts';
import { toTensorBoard } from '../tables/toTensorBoard.ts';
import { requireName } from './requireName.ts';

/** Where rows can go, by the names that a command line has for it. The first of those asked for has the main place. */
export const SINKS = ['parquet', 'arrow', 'csv', 'tensorboard'] as const;
export type SinkName = (typeof SINKS)[number];

/** @throws CommandLineError where one is none. */
export function checkSinks(who: string, names: readonly string[]): readonly SinkName[] {
  for (const name of names) requireName(who, 'sink', name, SINKS);
  return names as readonly SinkName[];
}

/**
 * Writes the rows of a table to each sink: as `loss.parquet`, where Parquet is among them; those beside it into folders
 * of their own, as `csv/loss.csv`, and scalars for TensorBoard into `tensorboard/loss`.
 */
export function toSinks(names: readonly SinkName[], table: string): MonoTypeOperatorFunction<object> {
  const [main] = SINKS.filter((name) => names.includes(name));
  const aside = (name: SinkName, ending: string) => (name === main ? {} : { path: `${name}/${table}.${ending}` });
  const made: Readonly<Record<SinkName, () => MonoTypeOperatorFunction<object>>> = {
    parquet: () => toParquet(),
    arrow: () => toArrow(aside('arrow', 'arrows')),
    csv: () => toCsv(aside('csv', 'csv')),
    tensorboard: () => toTensorBoard(),
  };
  const sinks = SINKS.filter((name) => names.includes(name)).map((name) => made[name]());
  return (rows) => sinks.reduce((written, sink) => sink(written), rows);
}

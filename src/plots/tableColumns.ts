import { BrinkError } from '../core/errors.ts';
import { nearestName } from '../core/nearestName.ts';
import type { Column, Table } from '../core/Table.ts';

/** A row of any table. */
export type AnyRow = Readonly<Record<string, unknown>>;

const ERROR = '_standard_error';
const ENDS = ['_low', '_high'] as const;

/** A name with spaces. */
export const wordsOf = (name: string): string => name.replaceAll('_', ' ');

/** A column's symbol, or its name where it has none; both where another column has the same. */
export function symbolOf(table: Table, name: string): string {
  const { symbol } = table.columns[name]!;
  const isShared = Object.values(table.columns).filter((column) => column.symbol === symbol).length > 1;
  return symbol === '' ? wordsOf(name) : isShared ? titleOf(table, name) : symbol;
}

/** A column as an axis names it: in words, by its symbol, with its unit. */
export function titleOf({ columns }: Table, name: string): string {
  const { symbol, unit } = columns[name]!;
  return [wordsOf(name), symbol === wordsOf(name) ? '' : symbol, unit === '1' ? '' : `[${unit}]`]
    .filter(Boolean)
    .join(' ');
}

/** A column as the axis of its own frame names it: by its symbol; in words too, where that is but a letter. */
export function shortTitleOf(table: Table, name: string): string {
  const { symbol, unit } = table.columns[name]!;
  return symbol.length > 2 ? `${symbol}${unit === '1' ? '' : ` [${unit}]`}` : titleOf(table, name);
}

/** The column of the standard error of a column, if there is one. */
export const errorOf = ({ columns }: Table, name: string): string | undefined =>
  `${name}${ERROR}` in columns ? `${name}${ERROR}` : undefined;

/** The columns of the ends of a column's interval, if there are both. */
export function endsOf({ columns }: Table, name: string): readonly [string, string] | undefined {
  const [low, high] = ENDS.map((end) => name + end) as [string, string];
  return low in columns && high in columns ? [low, high] : undefined;
}

const isNumeric = ({ type }: Column) => type === 'float64' || type === 'int32';

/** Throws where a table has no such column, or one without numbers. */
export function requireNumeric(who: string, { name: table, columns }: Table, what: string, name: string): void {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  const names = Object.keys(columns).filter((other) => isNumeric(columns[other]!));
  const there = `Columns with numbers are ${names.join(', ')}.`;
  if (!column) {
    const nearest = nearestName(name, names);
    const advice = nearest ? `Did you mean ${nearest}? ` : '';
    throw new BrinkError(who, `${what} is '${name}', and '${table}' has no such column. ${advice}${there}`);
  }
  if (isNumeric(column) && !(what === 'x' && column.list)) return;
  const held = column.list ? `a list of ${column.type}` : column.type;
  throw new BrinkError(who, `${what} is '${name}', a column of ${held}, which can't be drawn there. ${there}`);
}

/**
 * The columns that are drawn unless others are asked for: measured numbers, with what belongs to another one left out.
 */
export function measuredColumns(table: Table): string[] {
  const { key, columns } = table;
  const belongs = new Set(
    Object.keys(columns).flatMap((name) => [errorOf(table, name), ...(endsOf(table, name) ?? [])]),
  );
  return Object.keys(columns).filter((name) => {
    const { type, list, scale } = columns[name]!;
    return type === 'float64' && !key.includes(name) && !belongs.has(name) && (!list || scale !== undefined);
  });
}

/** The coordinates of a table whose rows are points of a plane. */
export function planeOf({ key, columns }: Table): readonly [string, string] | undefined {
  const places = key.filter((name) => columns[name]?.type === 'float64');
  return places.length === 2 ? [places[0]!, places[1]!] : undefined;
}

/** Of the key: the last column of float64, then the first ones, whichever takes several values. */
export function defaultX({ key, columns }: Table, rows: readonly AnyRow[]): string | undefined {
  const places = key.filter((name) => columns[name]?.type === 'float64');
  const candidates = [...places.toReversed(), ...key.filter((name) => columns[name]?.type === 'int32')];
  return candidates.find((name) => rows.some((row) => row[name] !== rows[0]![name])) ?? candidates[0];
}

/** Numbers of some columns, those in lists too, that are finite. */
export function finiteValues(rows: readonly AnyRow[], names: readonly string[]): number[] {
  return rows
    .flatMap((row) => names.flatMap((name) => row[name]))
    .filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
}

import { BrinkError, given } from '../core/errors.ts';
import { nearestName } from '../core/nearestName.ts';
import { requireNames } from '../core/requireNames.ts';
import { shown } from '../core/shown.ts';

/** What is drawn of a row: a column by its name, or a function of the row. */
export type Reading<R, V = number | null | undefined> = (keyof R & string) | ((row: R, k: number) => V);

/** Throws unless the argument of a layer has rows and a name, and nothing that there is not. */
export function requireLayer(
  who: string,
  layer: { readonly name: string; readonly rows?: readonly object[] },
  names: readonly string[],
): void {
  requireNames(who, layer, names);
  if (typeof layer.name !== 'string' || layer.name === '') {
    throw new BrinkError(who, `${given('name', layer.name)} It is what the legend says, and not empty.`);
  }
  if (names.includes('rows') && !Array.isArray(layer.rows)) {
    throw new BrinkError(who, `${given('rows', layer.rows)} It must be an array of rows.`);
  }
}

/** Reads something of every row. @throws BrinkError where no row has the column. */
export function readAll<R extends object, V>(
  who: string,
  rows: readonly R[],
  what: string,
  reading: Reading<R, V>,
): readonly V[] {
  if (typeof reading === 'function') return rows.map(reading);
  const first = rows[0];
  if (first && !(reading in first)) {
    const names = Object.keys(first);
    const nearest = nearestName(reading, names);
    throw new BrinkError(
      who,
      `${what} is '${reading}', which is no column of the rows. ${nearest ? `Did you mean ${nearest}? ` : ''}` +
        `There are ${names.join(', ')}.`,
    );
  }
  return rows.map((row) => row[reading] as V);
}

/** Reads a number of every row; NaN where there is none. @throws BrinkError for what is no number. */
export function readNumbers<R extends object>(
  who: string,
  rows: readonly R[],
  what: string,
  reading: Reading<R>,
): readonly number[] {
  return readAll(who, rows, what, reading).map((value, k) => {
    if (value === null || value === undefined) return Number.NaN;
    if (typeof value === 'number') return value;
    throw new BrinkError(who, `${what} of row ${k} is ${shown(value)}. Only numbers can be drawn.`);
  });
}

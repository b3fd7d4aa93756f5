import type { Table } from '../core/Table.ts';
import type { Scalar } from './eventFile.ts';

/** The numbers of a row, each with its tag: the column's name, and what the key has beside the step. */
export function scalarsOf({ columns, key }: Table, row: Readonly<Record<string, unknown>>): Scalar[] {
  const rest = key.filter((name) => name !== 'step').map((name) => `/${name}=${row[name]}`);
  return Object.entries(columns).flatMap(([name, { list }]) => {
    const value = row[name];
    const isNumber = typeof value === 'number' || typeof value === 'boolean';
    return key.includes(name) || list || !isNumber ? [] : [{ tag: `${name}${rest.join('')}`, value: Number(value) }];
  });
}

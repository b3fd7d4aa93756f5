import { BrinkError } from '../core/errors.ts';
import type { Column, ColumnType, Table } from '../core/Table.ts';

const INT64 = 2n ** 63n;

/** Whether a value that is not null can stand in a column of a type, and what it should have been. */
const CHECKS: Record<ColumnType, { readonly wanted: string; holds(value: unknown): boolean }> = {
  float64: { wanted: 'a number', holds: (v) => typeof v === 'number' },
  float32: { wanted: 'a number', holds: (v) => typeof v === 'number' },
  int32: { wanted: 'a 32-bit integer', holds: (v) => typeof v === 'number' && (v | 0) === v && !Object.is(v, -0) },
  int64: { wanted: 'a bigint of 64 bits', holds: (v) => typeof v === 'bigint' && v >= -INT64 && v < INT64 },
  timestamp: { wanted: 'a bigint of 64 bits', holds: (v) => typeof v === 'bigint' && v >= -INT64 && v < INT64 },
  bool: { wanted: 'true or false', holds: (v) => typeof v === 'boolean' },
  utf8: { wanted: 'well-formed text', holds: (v) => typeof v === 'string' && v.isWellFormed() },
};

const show = (value: unknown) => (typeof value === 'string' ? JSON.stringify(value) : String(value));

/**
 * Throws unless a row has exactly the table's columns, each with a value of its type.
 *
 * @throws BrinkError naming the table, the column, the value and the row's key.
 */
export function checkRow(who: string, table: Table, row: Readonly<Record<string, unknown>>): void {
  const refuse = (what: string): never => {
    const key = table.key.map((name) => `${name} ${show(row[name])}`).join(', ');
    throw new BrinkError(
      who,
      `${what} in the row with ${key} of the table '${table.name}'. The rows before it are kept; give the row the columns that the table declares.`,
    );
  };
  for (const [name, column] of Object.entries(table.columns)) {
    if (!(name in row)) refuse(`column '${name}' is missing`);
    checkCell(name, column, row[name], refuse);
  }
  for (const name of Object.keys(row)) if (!(name in table.columns)) refuse(`column '${name}' is not declared`);
}

function checkCell(name: string, column: Column, value: unknown, refuse: (what: string) => never): void {
  const { wanted, holds } = CHECKS[column.type];
  if (value === null || value === undefined) {
    if (!column.nullable || value === undefined) refuse(`column '${name}' is ${value}, which it may not be`);
    return;
  }
  if (!column.list) {
    if (!holds(value)) refuse(`column '${name}' is ${show(value)}, not ${wanted}`);
    return;
  }
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && 'length' in value))
    refuse(`column '${name}' is ${show(value)}, not a list`);
  const list = value as ArrayLike<unknown>;
  for (let i = 0; i < list.length; i++) {
    if (!holds(list[i])) refuse(`column '${name}' has ${show(list[i])} at place ${i} of its list, not ${wanted}`);
  }
}

/** Throws where a table cannot be written: a name that one of the formats or their readers cannot carry. */
export function checkTable(who: string, table: Table): void {
  const names = Object.keys(table.columns);
  if (names.length === 0) throw new BrinkError(who, `the table '${table.name}' has no columns. Declare at least one.`);
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new BrinkError(
        who,
        `the table '${table.name}' has a column named ${JSON.stringify(name)}. Readers reorder or split such names; use letters, digits and underscores, a letter first.`,
      );
    }
  }
  for (const name of table.key) {
    if (!names.includes(name))
      throw new BrinkError(
        who,
        `the key of the table '${table.name}' names '${name}', which is not among its columns.`,
      );
  }
}

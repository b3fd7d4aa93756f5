import { inspect } from 'node:util';
import { BrinkError } from '../core/errors.ts';
import { type Column, type ColumnType, requireDistinct, type Table } from '../core/Table.ts';

/** A checked row, a copy: lists are plain arrays, and a NaN has its one canonical form. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** Whether a value that is not null can stand in a column of a type, and what it should have been. */
const CHECKS: Record<ColumnType, { readonly wanted: string; holds(value: unknown): boolean }> = {
  float64: { wanted: 'a number', holds: (v) => typeof v === 'number' },
  int32: { wanted: 'a 32-bit integer', holds: (v) => typeof v === 'number' && (v | 0) === v && !Object.is(v, -0) },
  bool: { wanted: 'true or false', holds: (v) => typeof v === 'boolean' },
  utf8: { wanted: 'well-formed text', holds: (v) => typeof v === 'string' && v.isWellFormed() },
};

const show = (value: unknown) =>
  inspect(value, { depth: 0, maxArrayLength: 3, maxStringLength: 60, breakLength: Number.POSITIVE_INFINITY });

/**
 * A row as it will be stored; throws unless it has exactly the table's columns, each with a value of its type.
 *
 * @param advice What to do about a row that does not.
 * @throws BrinkError naming the table, the column, the value and the row's key.
 */
export function checkRow(
  who: string,
  table: Table,
  row: Readonly<Record<string, unknown>>,
  advice = 'give the row the columns that the table declares',
): StoredRow {
  const refuse = (what: string): never => {
    const key = table.key.map((name) => `${name} ${show(row[name])}`).join(', ');
    throw new BrinkError(
      who,
      `${what} in the row with ${key} of the table '${table.name}'. The rows before it are kept; ${advice}.`,
    );
  };
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new BrinkError(
      who,
      `${show(row)} came where a row of the table '${table.name}' was expected. The rows before it are kept; emit objects with the columns that the table declares.`,
    );
  }
  for (const name of Object.keys(row)) {
    if (!Object.hasOwn(table.columns, name)) refuse(`column '${name}' (${show(row[name])}) is not declared`);
  }
  return Object.fromEntries(
    Object.entries(table.columns).map(([name, column]) => [name, checkCell(name, column, row[name], refuse)]),
  );
}

function checkCell(name: string, column: Column, value: unknown, refuse: (what: string) => never): unknown {
  const { wanted, holds } = CHECKS[column.type];
  if (value === undefined) refuse(`column '${name}' is missing`);
  if (value === null) {
    if (!column.nullable) refuse(`column '${name}' is null, which it may not be,`);
    return null;
  }
  if (!column.list) {
    if (!holds(value)) refuse(`column '${name}' is ${show(value)}, not ${wanted},`);
    return canonical(value);
  }
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && 'length' in value)) {
    refuse(`column '${name}' is ${show(value)}, not a list,`);
  }
  return Array.from(value as ArrayLike<unknown>, (element, i) => {
    if (!holds(element)) refuse(`column '${name}' has ${show(element)} at place ${i} of its list, not ${wanted},`);
    return canonical(element);
  });
}

/** The bits of a NaN that arithmetic makes differ between machines; those of the literal do not. */
function canonical(value: unknown): unknown {
  return Number.isNaN(value) ? Number.NaN : value;
}

/** Throws where a table cannot be written: a name that one of the formats or their readers cannot carry. */
export function checkTable(who: string, table: Table): void {
  const names = Object.keys(table.columns);
  if (names.length === 0) throw new BrinkError(who, `the table '${table.name}' has no columns. Declare at least one.`);
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new BrinkError(
        who,
        `the table '${table.name}' has a column named ${JSON.stringify(name)}. ` +
          'Readers reorder or split such names; use letters, digits and underscores, a letter first.',
      );
    }
  }
  requireDistinct(who, table);
  for (const name of table.key) {
    if (!names.includes(name))
      throw new BrinkError(
        who,
        `the key of the table '${table.name}' names '${name}', which is not among its columns.`,
      );
  }
}

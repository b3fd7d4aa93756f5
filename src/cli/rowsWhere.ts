import { BrinkError } from '../core/errors.ts';
import { nearestName } from '../core/nearestName.ts';
import type { Column, Table } from '../core/Table.ts';

const CONDITION = /^(\w+)\s*(!=|>=|<=|=|>|<)\s*(.*)$/s;

type Value = number | boolean | string;

const COMPARE: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

/**
 * The rows of a table that meet all of some conditions: `batch_size=32`, `step>=100`, `verdict!=stable`. A cell that is
 * null meets none.
 *
 * @throws BrinkError where one is not written so, or names no column, or compares with what the column can't hold.
 */
export function rowsWhere<R extends object>(table: Table, rows: readonly R[], conditions: readonly string[]): R[] {
  const tests = conditions.map((condition) => testOf(table, condition));
  return rows.filter((row) => tests.every((test) => test(row)));
}

function testOf({ name: table, columns }: Table, condition: string): (row: object) => boolean {
  const [, name, comparison, text] = CONDITION.exec(condition) ?? [];
  if (name === undefined || comparison === undefined || text === undefined) {
    throw new BrinkError('where', `the condition is '${condition}'. It must be like batch_size=32 or step>=100.`);
  }
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (!column) {
    const names = Object.keys(columns);
    const nearest = nearestName(name, names);
    throw new BrinkError(
      'where',
      `'${table}' has no column '${name}'. ${nearest ? `Did you mean ${nearest}? ` : ''}There are ${names.join(', ')}.`,
    );
  }
  const value = comparedWith(name, column, text);
  const meets = COMPARE[comparison]!;
  return (row) => {
    const cell = (row as Readonly<Record<string, Value | null>>)[name];
    return cell !== null && cell !== undefined && meets(cell, value);
  };
}

function comparedWith(name: string, { type, list }: Column, text: string): Value {
  if (list) throw new BrinkError('where', `'${name}' holds lists, which can't be compared.`);
  if (type === 'utf8') return text;
  if (type === 'bool' && (text === 'true' || text === 'false')) return text === 'true';
  const number = Number(text);
  if (type !== 'bool' && text.trim() !== '' && !Number.isNaN(number)) return number;
  const wanted = type === 'bool' ? 'true or false' : 'a number';
  throw new BrinkError('where', `'${name}' is compared with '${text}'. It must be ${wanted}.`);
}

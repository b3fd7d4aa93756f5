import { uniformInt } from 'pure-rand/distribution/uniformInt';
import * as declare from '../../src/core/Table.ts';
import { type ColumnType, defineTable, list, nullable, type Row, type Table } from '../../src/core/Table.ts';
import { generator } from '../../src/linalg/random.ts';

/** Every type there is, as cells and as lists, either of which may be null. */
export const hostileTable: Table = defineTable({
  name: 'hostile',
  description: 'Values that file formats lose.',
  key: ['step'],
  columns: {
    step: declare.int32({ symbol: 't', description: 'The row.' }),
    ...both(declare.float64({ unit: 'J', symbol: 'λ', description: 'Doubles.' })),
    ...both(declare.int32({ symbol: 'i', description: 'Integers.' })),
    ...both(declare.bool({ symbol: 'b', description: 'Truths.' })),
    ...both(declare.utf8({ symbol: 's', description: 'Texts.' })),
  },
});

function both(plain: declare.Column<ColumnType, false, false>): Record<string, declare.Column> {
  return { [plain.type]: nullable(plain), [`${plain.type}_list`]: nullable(list(plain)) };
}

const { step, float64, utf8, int32_list } = hostileTable.columns;
/** A part of it, where many rows are wanted soon. */
export const smallTable: Table = defineTable({
  ...hostileTable,
  name: 'small',
  key: ['step'],
  columns: { step: step!, float64: float64!, utf8: utf8!, int32_list: int32_list! },
});

/** What each type finds hardest to carry. */
export const HARD: Record<ColumnType, readonly (number | boolean | string)[]> = {
  float64: [NaN, -0, 0, Infinity, -Infinity, 5e-324, -(2 ** -1023), 1.7976931348623157e308, 0.1, 2 ** 53 + 2],
  int32: [0, -1, 2 ** 31 - 1, -(2 ** 31)],
  bool: [true, false],
  utf8: ['', '\0', '\uFEFFmark', '👩‍🔬', '𝔏𐍈', '\uFFFF', 'a,b"c\n', 'ÿ'.repeat(300), 'null', 'NaN'],
};

/** Rows of a table with the key `step`: half hard values, half random bits, nulls and empty lists between. */
export function hostileRows(seed: number, count: number, table: Table = hostileTable): Row<Table>[] {
  const random = generator(seed);
  const below = (n: number) => uniformInt(random, 0, n - 1);
  const bits = new DataView(new ArrayBuffer(8));
  const ANY: Record<ColumnType, () => number | boolean | string> = {
    // A number of JavaScript has one NaN.
    float64: () => bits.getFloat64(0) || 0,
    int32: () => bits.getInt32(0),
    bool: () => bits.getInt8(0) < 0,
    utf8: () => Array.from({ length: below(12) }, () => String.fromCodePoint(below(0xd800))).join(''),
  };
  const scalar = (type: ColumnType) => {
    if (below(2) === 0) return HARD[type][below(HARD[type].length)]!;
    for (const at of [0, 4]) bits.setInt32(at, uniformInt(random, -(2 ** 31), 2 ** 31 - 1));
    return ANY[type]();
  };
  const cell = ({ type, list: isList, nullable: isNullable }: declare.Column) => {
    if (isNullable && below(4) === 0) return null;
    if (!isList) return scalar(type);
    const items = Array.from({ length: below(5) }, () => scalar(type));
    // A typed array, which a sink takes as a list.
    return type === 'float64' && below(2) === 0 ? Float64Array.from(items as number[]) : items;
  };
  return Array.from(
    { length: count },
    (_, step) =>
      Object.fromEntries(
        Object.entries(table.columns).map(([name, column]) => [name, name === 'step' ? step : cell(column)]),
      ) as Row<Table>,
  );
}

export type CellText = string | null | CellText[];

/** A cell as text that tells apart what differs in a bit: floats as their bytes, integers as digits. */
export function cellText(type: ColumnType, value: unknown): CellText {
  if (value === null) return null;
  if (typeof value === 'object') return Array.from(value as ArrayLike<unknown>, (item) => cellText(type, item));
  if (type !== 'float64') return String(value);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value as number);
  return bits.getBigUint64(0).toString(16);
}

import { BrinkError, given } from './errors.ts';
import { requireList, requireOptions, requireText } from './given.ts';

/** The types a column can have. */
export const COLUMN_TYPES = ['float64', 'int32', 'bool', 'utf8'] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

/** What one column holds, for sinks, plots and documentation. */
export interface Column<T extends ColumnType = ColumnType, L extends boolean = boolean, N extends boolean = boolean> {
  readonly type: T;
  /** A cell is a list of `type`. */
  readonly list: L;
  /** A cell may be null. */
  readonly nullable: N;
  /** Physical unit, '1' where there is none. */
  readonly unit: string;
  /** The paper's symbol. */
  readonly symbol: string;
  /** One sentence. */
  readonly description: string;
  /** What it is a measure of, where other columns are too: columns of one scale are drawn on one axis. */
  readonly scale?: string;
  /** Others are held against it: an edge, a bound, a prediction. Drawn dashed. */
  readonly isReference?: boolean;
}

/** What a column's declaration says in words. */
export interface ColumnText {
  readonly symbol: string;
  readonly description: string;
  /** Default '1'. */
  readonly unit?: string;
  /** Columns of one scale are drawn on one axis. Default: none, an axis of its own. */
  readonly scale?: string;
  /** Whether it is an edge, a bound or a prediction, and drawn dashed. Default: false. */
  readonly isReference?: boolean;
}

function column<T extends ColumnType>(type: T, text: ColumnText): Column<T, false, false> {
  requireOptions(
    type,
    text,
    ['symbol', 'description', 'unit', 'scale', 'isReference'],
    "{ symbol: 'λ₁', description: 'The sharpness.' }",
  );
  if (typeof text.symbol !== 'string') {
    throw new BrinkError(type, `${given('symbol', text.symbol)} It must be a string, '' where there is no symbol.`);
  }
  requireText(type, 'description', text.description);
  if (text.unit !== undefined) requireText(type, 'unit', text.unit);
  return {
    type,
    list: false,
    nullable: false,
    unit: text.unit ?? '1',
    symbol: text.symbol,
    description: text.description,
    ...(text.scale !== undefined && { scale: text.scale }),
    ...(text.isReference !== undefined && { isReference: text.isReference }),
  };
}

/** A double-precision column. */
export const float64 = (text: ColumnText) => column('float64', text);
/** A 32-bit integer column. */
export const int32 = (text: ColumnText) => column('int32', text);
/** A column of true and false. */
export const bool = (text: ColumnText) => column('bool', text);
/** A column of text. */
export const utf8 = (text: ColumnText) => column('utf8', text);
/** The same column with lists as cells. */
export const list = <T extends ColumnType, N extends boolean>(c: Column<T, false, N>): Column<T, true, N> => ({
  ...c,
  list: true,
});
/** The same column with null allowed. */
export const nullable = <T extends ColumnType, L extends boolean>(c: Column<T, L, false>): Column<T, L, true> => ({
  ...c,
  nullable: true,
});

/** Columns by name, in the order in which they are written. */
export type Columns = Readonly<Record<string, Column>>;

/** A table's declaration: what the sinks, the documentation and the plots read. */
export interface Table<C extends Columns = Columns> {
  /** File name without its ending. */
  readonly name: string;
  /** One sentence: what a row is. */
  readonly description: string;
  /** The columns that together name a row. */
  readonly key: readonly string[];
  readonly columns: C;
}

/**
 * Declares a table; the row type follows from the columns.
 *
 * @throws BrinkError where a part of the declaration is missing, or two columns differ by case alone.
 */
export function defineTable<const C extends Columns>(
  table: Table<C> & { readonly key: readonly (keyof C & string)[] },
): Table<C> {
  requireOptions(
    'defineTable',
    table,
    ['name', 'description', 'key', 'columns'],
    '{ name, description, key, columns }',
  );
  requireText('defineTable', 'name', table.name);
  requireText('defineTable', 'description', table.description);
  requireList('defineTable', 'key', table.key);
  requireOptions('defineTable (columns)', table.columns, null, '{ step: int32({ … }) }');
  requireDistinct('defineTable', table);
  return table;
}

/**
 * Throws where the names of two columns differ by case alone: DuckDB and Spark take them for one.
 */
export function requireDistinct(who: string, { name, columns }: Table): void {
  const seen = new Map<string, string>();
  for (const column of Object.keys(columns)) {
    const other = seen.get(column.toLowerCase());
    if (other !== undefined) {
      throw new BrinkError(
        who,
        `the table '${name}' has the columns '${other}' and '${column}', which differ by case alone. ` +
          'DuckDB and Spark take them for one; rename one of them.',
      );
    }
    seen.set(column.toLowerCase(), column);
  }
}

type Scalar<T extends ColumnType> = T extends 'float64' | 'int32' ? number : T extends 'bool' ? boolean : string;
type Cell<C extends Column> =
  | (C['list'] extends true ? readonly Scalar<C['type']>[] : Scalar<C['type']>)
  | (C['nullable'] extends true ? null : never);

/** The rows of a table: `Row<typeof topEigenvalues.table>`. */
export type Row<T extends Table> = { readonly [K in keyof T['columns']]: Cell<T['columns'][K]> };

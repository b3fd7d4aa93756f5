import {
  Bool,
  type Data,
  type DataType,
  Field,
  Float64,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow';
import type { Column, ColumnType, Table } from '../core/Table.ts';

type Numeric = Exclude<ColumnType, 'bool' | 'utf8'>;
type Cell = unknown;

const ARROW: Record<ColumnType, () => DataType> = {
  float64: () => new Float64(),
  int32: () => new Int32(),
  bool: () => new Bool(),
  utf8: () => new Utf8(),
};

const STORAGE = { float64: Float64Array, int32: Int32Array } as const;

/** Keeps a leading U+FEFF, which in a cell is text, and refuses what is not UTF-8. */
export const TEXT = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** The Arrow schema of a table, with its declaration in the fields' key-values. */
export function arrowSchema(table: Table, metadata: ReadonlyMap<string, string>): Schema {
  const fields = Object.entries(table.columns).map(([name, column]) => {
    const scalar = ARROW[column.type]();
    const type = column.list ? new List(new Field('element', scalar, false)) : scalar;
    const { unit, symbol, description } = column;
    return new Field(name, type, column.nullable, new Map(Object.entries({ unit, symbol, description })));
  });
  return new Schema(fields, new Map(metadata));
}

/** Rows, checked already, as one Arrow record batch. */
export function toRecordBatch(
  schema: Schema,
  table: Table,
  rows: readonly Readonly<Record<string, Cell>>[],
): RecordBatch {
  const children = Object.entries(table.columns).map(([name, column], c) =>
    columnData(
      schema.fields[c]!.type,
      column,
      rows.map((row) => row[name]),
    ),
  );
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children }),
  );
}

function columnData(type: DataType, column: Column, cells: readonly Cell[]): Data {
  const valid = cells.map((cell) => cell !== null);
  const nullCount = valid.filter((v) => !v).length;
  const nullBitmap = nullCount > 0 ? bits(valid) : null;
  const length = cells.length;
  if (column.list) {
    const lists = cells.map((cell) => (cell === null ? [] : Array.from(cell as ArrayLike<Cell>)));
    const listType = type as List;
    const child = columnData(listType.children[0]!.type, { ...column, list: false, nullable: false }, lists.flat());
    return makeData({
      type: listType,
      length,
      nullCount,
      nullBitmap,
      valueOffsets: offsets(lists.map((l) => l.length)),
      child,
    });
  }
  if (column.type === 'utf8') {
    const encoder = new TextEncoder();
    const texts = cells.map((cell) => encoder.encode((cell as string | null) ?? ''));
    const data = new Uint8Array(texts.reduce((sum, t) => sum + t.length, 0));
    const valueOffsets = offsets(texts.map((t) => t.length));
    texts.forEach((t, i) => {
      data.set(t, valueOffsets[i]!);
    });
    return makeData({ type: type as Utf8, length, nullCount, nullBitmap, valueOffsets, data });
  }
  if (column.type === 'bool') {
    return makeData({ type: type as Bool, length, nullCount, nullBitmap, data: bits(cells.map(Boolean)) });
  }
  const data = STORAGE[column.type].from(cells.map((cell) => (cell as number | null) ?? 0));
  return makeData({ type, length, nullCount, nullBitmap, data } as Parameters<typeof makeData>[0]);
}

function offsets(lengths: readonly number[]): Int32Array {
  const out = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    out[i + 1] = out[i]! + length;
  });
  return out;
}

function bits(values: readonly boolean[]): Uint8Array {
  const out = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, i) => {
    if (value) out[i >> 3]! |= 1 << (i & 7);
  });
  return out;
}

/** The rows of a record batch that `toRecordBatch` made. */
export function fromRecordBatch(table: Table, batch: RecordBatch): Record<string, unknown>[] {
  const columns = Object.entries(table.columns).map(
    ([name, column], c) => [name, columnCells(column, batch.data.children[c] as Data)] as const,
  );
  return Array.from({ length: batch.numRows }, (_, i) =>
    Object.fromEntries(columns.map(([name, cells]) => [name, cells[i]])),
  );
}

function columnCells(column: Column, data: Data): Cell[] {
  const isValid = (i: number) => data.nullCount === 0 || bit(data.nullBitmap, data.offset + i);
  const value = cellReader(column, data);
  return Array.from({ length: data.length }, (_, i) => (isValid(i) ? value(i) : null));
}

function cellReader(column: Column, data: Data): (i: number) => Cell {
  if (column.list) {
    const elements = columnCells({ ...column, list: false, nullable: false }, data.children[0] as Data);
    return (i) => elements.slice(data.valueOffsets[i], data.valueOffsets[i + 1]);
  }
  if (column.type === 'utf8') {
    return (i) => TEXT.decode((data.values as Uint8Array).subarray(data.valueOffsets[i], data.valueOffsets[i + 1]));
  }
  if (column.type === 'bool') return (i) => bit(data.values as Uint8Array, data.offset + i);
  const storage = STORAGE[column.type as Numeric];
  const bytes = data.values as ArrayBufferView;
  const values =
    bytes instanceof storage ? bytes : new storage(bytes.buffer as ArrayBuffer, bytes.byteOffset, data.length);
  return (i) => values[i];
}

const bit = (bitmap: Uint8Array, i: number): boolean => ((bitmap[i >> 3]! >> (i & 7)) & 1) === 1;

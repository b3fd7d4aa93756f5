import { type Table as ArrowTable, type Batch, Type, tableFromIPC } from '@uwdata/flechette';
import { type AsyncBuffer, parquetMetadataAsync, parquetRead } from 'hyparquet';

/** Texts are in UTF-8: a U+FEFF before one is part of it, no mark of the byte order, as which libraries drop it. */
const TEXT = new TextDecoder('utf-8', { ignoreBOM: true });
const PARSERS = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && TEXT.decode(bytes) };

/** Numbers of a column; where a cell is null `nulls` is 1 and the number NaN. Truth is 0 or 1. */
export interface Numbers {
  readonly kind: 'numbers';
  readonly values: Float64Array<ArrayBuffer>;
  readonly nulls: Uint8Array<ArrayBuffer> | null;
}
export interface Texts {
  readonly kind: 'texts';
  readonly values: readonly (string | null)[];
}
export interface Lists {
  readonly kind: 'lists';
  readonly values: readonly (readonly number[] | null)[];
}
export type Decoded = Numbers | Texts | Lists;

/** What is said of a column before it is read. */
export interface Wanted {
  readonly name: string;
  readonly kind: Decoded['kind'];
}

/** Rows of some columns. */
export interface Rows {
  readonly rows: number;
  readonly columns: Readonly<Record<string, Decoded>>;
}

/**
 * An Arrow stream that comes in parts, each of whole messages. What is asked for is decoded, and nothing else; the
 * parts stay, for columns that are asked for later.
 */
export class ArrowParts {
  readonly #schema: Uint8Array;
  readonly #parts: ArrowTable[] = [];

  constructor(schema: Uint8Array) {
    this.#schema = schema;
  }

  get rows(): number {
    return this.#parts.reduce((sum, { numRows }) => sum + numRows, 0);
  }

  /** Takes a part, and gives some of its columns. */
  append(messages: Uint8Array, wanted: readonly Wanted[]): Rows {
    const part = tableFromIPC([this.#schema, messages]);
    for (const { data } of part.children) data.forEach(readWholeTexts);
    this.#parts.push(part);
    return { rows: part.numRows, columns: columnsOf([part], wanted) };
  }

  /** Some columns of all parts so far. */
  read(wanted: readonly Wanted[]): Rows {
    return { rows: this.rows, columns: columnsOf(this.#parts, wanted) };
  }
}

/** Has a batch, or the batch of the cells of its lists, give its texts whole. */
function readWholeTexts(batch: Batch<unknown>): void {
  batch.children?.forEach(readWholeTexts);
  if (batch.type.typeId !== Type.Utf8) return;
  const { values, offsets } = batch as unknown as { readonly values: Uint8Array; readonly offsets: Int32Array };
  batch.value = (row) => TEXT.decode(values.subarray(offsets[row], offsets[row + 1]));
}

function columnsOf(parts: readonly ArrowTable[], wanted: readonly Wanted[]): Rows['columns'] {
  return Object.fromEntries(
    wanted.map(({ name, kind }) => {
      const cells = parts.flatMap((part) => (part.getChild(name) === undefined ? [] : [part.getChild(name)]));
      const count = cells.reduce((sum, column) => sum + column.length, 0);
      if (kind !== 'numbers') {
        const values = cells.flatMap((column) => Array.from(column as Iterable<unknown>));
        return [name, kind === 'texts' ? textsOf(values) : listsOf(values)];
      }
      const values = new Float64Array(count);
      let nulls: Uint8Array<ArrayBuffer> | null = null;
      let at = 0;
      for (const column of cells) {
        // Typed arrays come as they lie in the message.
        const found = column.toArray() as ArrayLike<unknown>;
        if (ArrayBuffer.isView(found)) values.set(found as unknown as Float64Array, at);
        else nulls = fill(values, nulls, found, at);
        at += column.length;
      }
      return [name, { kind, values, nulls }];
    }),
  );
}

function fill(
  values: Float64Array,
  before: Uint8Array<ArrayBuffer> | null,
  cells: ArrayLike<unknown>,
  at: number,
): Uint8Array<ArrayBuffer> | null {
  let nulls = before;
  for (let k = 0; k < cells.length; k++) {
    const cell = cells[k];
    if (cell === null || cell === undefined) {
      nulls ??= new Uint8Array(values.length);
      nulls[at + k] = 1;
      values[at + k] = Number.NaN;
    } else values[at + k] = Number(cell);
  }
  return nulls;
}

const textsOf = (cells: readonly unknown[]): Texts => ({
  kind: 'texts',
  values: cells.map((cell) => (cell === null || cell === undefined ? null : String(cell))),
});
const listsOf = (cells: readonly unknown[]): Lists => ({
  kind: 'lists',
  values: cells.map((cell) => (cell === null || cell === undefined ? null : Array.from(cell as ArrayLike<number>))),
});

/** Some columns of a Parquet file, of which no other bytes are asked for. */
export async function readParquet(file: AsyncBuffer, wanted: readonly Wanted[]): Promise<Rows> {
  const metadata = await parquetMetadataAsync(file);
  const rows = Number(metadata.num_rows);
  const columns: Record<string, Decoded> = {};
  for (const { name, kind } of wanted) {
    const values = new Float64Array(kind === 'numbers' ? rows : 0);
    let nulls: Uint8Array<ArrayBuffer> | null = null;
    const cells: unknown[] = [];
    await parquetRead({
      file,
      metadata,
      columns: [name],
      parsers: PARSERS,
      geoparquet: false,
      onChunk: ({ columnData, rowStart }) => {
        if (kind === 'numbers') nulls = fill(values, nulls, columnData as ArrayLike<unknown>, rowStart);
        else for (let k = 0; k < columnData.length; k++) cells[rowStart + k] = columnData[k];
      },
    });
    columns[name] = kind === 'numbers' ? { kind, values, nulls } : kind === 'texts' ? textsOf(cells) : listsOf(cells);
  }
  return { rows, columns };
}

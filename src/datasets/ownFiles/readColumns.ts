import { extname } from 'node:path';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Compressors } from 'hyparquet';
import { BrinkError } from '../../core/errors.ts';
import { type CsvRecord, parseCsv } from '../../files/csv.ts';
import { openSource, type Source } from './openSource.ts';

/** A table of a file: its columns by their names. */
export interface Columns {
  readonly source: Source;
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
  readonly count: number;
  /** A cell as a number; NaN where it is none: text that is a number counts where all is text. */
  numberIn(cell: unknown): number;
  /** Where a row stands, in words. */
  at(row: number): string;
}

export const TABLE_ENDINGS = ['.csv', '.tsv', '.parquet'] as const;

/** A number as text has it: no hexadecimal, no empty text. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads a table by its file's ending. Cells of text that are numbers stay text: what a column means is said where it
 * is used.
 */
export async function readColumns(who: string, path: string, expected?: readonly string[]): Promise<Columns> {
  const ending = extname(path).toLowerCase();
  if (!(TABLE_ENDINGS as readonly string[]).includes(ending)) {
    throw new BrinkError(
      who,
      `${path} is none of ${TABLE_ENDINGS.join(', ')}. Arrays (.npz, .npy, .safetensors) are read by fileData.`,
    );
  }
  const source = await openSource(who, path, expected);
  return ending === '.parquet' ? parquet(who, source) : csv(who, source, ending === '.tsv' ? '\t' : ',');
}

/** Whether a cell is empty: null, or text with nothing in it. */
export const isMissing = (cell: unknown): boolean => cell === null || cell === undefined || cell === '';

function csv(who: string, source: Source, separator: string): Columns {
  const { path, bytes } = source;
  const [header, ...records] = parseCsv(who, path, utf8(who, path, bytes), separator);
  if (header === undefined) throw new BrinkError(who, `${path} is empty. Its first line names the columns.`);
  const names = header.cells;
  const numeric = names.find((name) => NUMBER.test(name));
  if (numeric !== undefined || names.includes('')) {
    const what = numeric === undefined ? 'an empty cell' : `the number ${numeric}`;
    throw new BrinkError(
      who,
      `${path} has ${what} in its first line, which must name the columns. Put their names there.`,
    );
  }
  const twice = names.find((name, k) => names.indexOf(name) < k);
  if (twice !== undefined) throw new BrinkError(who, `${path} has two columns '${twice}'. Rename one.`);
  for (const { line, cells } of records) requireWidth(who, path, names.length, line, cells);
  return {
    source,
    columns: new Map(names.map((name, k) => [name, records.map(({ cells }) => cells[k]!)])),
    count: records.length,
    numberIn: (cell) => (NUMBER.test(cell as string) ? Number(cell) : Number.NaN),
    at: (row) => `line ${records[row]!.line}`,
  };
}

function requireWidth(who: string, path: string, width: number, line: number, { length }: CsvRecord['cells']): void {
  if (length === width) return;
  throw new BrinkError(
    who,
    `line ${line} of ${path} has ${length} cells, and its first line ${width}. Each must have as many.`,
  );
}

function utf8(who: string, path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BrinkError(who, `${path} is no text in UTF-8. Save it so.`, { cause });
  }
}

/** What a Parquet file may be packed by, beside Snappy. */
const COMPRESSORS: Compressors = {
  GZIP: (bytes) => gunzipSync(bytes),
  ZSTD: (bytes) => zstdDecompressSync(bytes),
  BROTLI: (bytes) => brotliDecompressSync(bytes),
};

async function parquet(who: string, source: Source): Promise<Columns> {
  const { path, bytes } = source;
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end)).buffer,
  };
  try {
    const metadata = await parquetMetadataAsync(file);
    const rows = await parquetReadObjects({ file, metadata, utf8: false, compressors: COMPRESSORS });
    const names = parquetSchema(metadata).children.map(({ element }) => element.name);
    return {
      source,
      columns: new Map(names.map((name) => [name, rows.map((row) => row[name] ?? null)])),
      count: rows.length,
      numberIn: (cell) => (typeof cell === 'number' || typeof cell === 'bigint' ? Number(cell) : Number.NaN),
      at: (row) => `row ${row} (the first is 0)`,
    };
  } catch (cause) {
    throw new BrinkError(who, `${path} can't be read as Parquet: ${(cause as Error).message}. Write it anew.`, {
      cause,
    });
  }
}

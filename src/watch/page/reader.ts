import type { AsyncBuffer } from 'hyparquet';
import { ArrowParts, type Rows, readParquet, type Wanted } from './decode.ts';

/** What is asked of the reader of tables. */
export type Request =
  /** The next part of a log: its schema, where it is the first one. */
  | {
      readonly kind: 'append';
      readonly key: string;
      readonly schema: Uint8Array | null;
      readonly bytes: Uint8Array;
      readonly wanted: readonly Wanted[];
    }
  /** Columns of all parts so far. */
  | { readonly kind: 'columns'; readonly key: string; readonly wanted: readonly Wanted[] }
  /** Columns of a finished table. */
  | { readonly kind: 'parquet'; readonly file: FileSource; readonly wanted: readonly Wanted[] };

/** Where a Parquet file is: at an address that answers to ranges, or here. */
export type FileSource = { readonly url: string; readonly size: number } | { readonly bytes: Uint8Array };

/** A fetch that was answered otherwise, or, with status 0, not at all. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message = `the server answered ${status}`) {
    super(message);
    this.status = status;
  }
}

/** Reads tables, in a worker or beside the page. */
export class Reader {
  readonly #logs = new Map<string, ArrowParts>();

  async answer(request: Request): Promise<Rows> {
    if (request.kind === 'parquet') return readParquet(bufferOf(request.file), request.wanted);
    const { key } = request;
    if (request.kind === 'columns') {
      const log = this.#logs.get(key);
      return log ? log.read(request.wanted) : { rows: 0, columns: {} };
    }
    if (request.schema !== null) this.#logs.set(key, new ArrowParts(request.schema));
    return this.#logs.get(key)!.append(request.bytes, request.wanted);
  }
}

function bufferOf(file: FileSource): AsyncBuffer {
  if ('bytes' in file) {
    const { bytes } = file;
    return { byteLength: bytes.length, slice: (start, end) => bytes.slice(start, end).buffer as ArrayBuffer };
  }
  const { url, size } = file;
  return {
    byteLength: size,
    slice: async (start, end = size) =>
      (await fetchBytes(url, start < 0 ? size + start : start, Math.min(end, size))).buffer,
  };
}

/** After so long without a byte nobody waits any more, in milliseconds. */
export const SILENCE = 60_000;

/** The bytes from one place to before another. @throws Refused */
export async function fetchBytes(url: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const given = new AbortController();
  const bytes = new Uint8Array(end - start);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => given.abort(new Error(`nothing came for ${SILENCE / 1000} s`)), SILENCE);
  };
  try {
    wait();
    const response = await fetch(url, { headers: { Range: `bytes=${start}-${end - 1}` }, signal: given.signal });
    if (response.status !== 206) throw new Refused(response.status);
    const body = response.body!.getReader();
    let at = 0;
    for (let part = await body.read(); !part.done; part = await body.read()) {
      wait();
      if (at + part.value.length <= bytes.length) bytes.set(part.value, at);
      at += part.value.length;
    }
    // Fewer are no whole messages.
    if (at !== bytes.length) throw new Error(`of ${bytes.length} bytes ${at} came`);
    return bytes;
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(0, (error as Error).message);
  } finally {
    clearTimeout(timer);
  }
}

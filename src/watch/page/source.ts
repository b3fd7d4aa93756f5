import { type PackedState, unpackState } from '../packedState.ts';
import type { WatchedTable, WatchState } from '../WatchState.ts';
import type { Rows } from './decode.ts';
import { fetchBytes, Reader, Refused, type Request, SILENCE } from './reader.ts';

/** Where the page has its runs from: the server, or itself. */
export interface Source {
  /** Whether there may be more than was seen. */
  readonly isLive: boolean;
  /** How everything stands; null where nothing has changed. @throws Error where nobody answers. */
  state(): Promise<WatchState | null>;
  /** Bytes of a log. @throws Refused with 409 where the table is another one meanwhile. */
  bytes(run: string, table: WatchedTable, start: number, end: number): Promise<Uint8Array>;
  /** Where a Parquet file is. */
  file(run: string, table: WatchedTable): { url: string; size: number } | { bytes: Uint8Array };
  read(request: Request): Promise<Rows>;
}

const addressOf = (run: string, { id, generation }: WatchedTable) =>
  new URL(`/data/${run}/${id}?g=${encodeURIComponent(generation)}`, location.href).href;

/** The server that the page came from. */
export function liveSource(): Source {
  const worker = new Worker('/worker.js');
  const waiting = new Map<number, { done: (rows: Rows) => void; failed: (error: Error) => void }>();
  let next = 0;
  let broken: Error | null = null;
  worker.onerror = ({ message }) => {
    broken = new Error(`the part of the page that reads tables is not there: ${message || 'it could not be had'}`);
    for (const { failed } of waiting.values()) failed(broken);
    waiting.clear();
  };
  worker.onmessage = ({ data }) => {
    const { done, failed } = waiting.get(data.id)!;
    waiting.delete(data.id);
    if (data.rows) done(data.rows);
    else failed(data.status === null ? new Error(data.error) : new Refused(data.status, data.error));
  };
  let tag: string | null = null;
  return {
    isLive: true,
    async state() {
      const response = await fetch('/state', {
        headers: tag === null ? {} : { 'If-None-Match': tag },
        cache: 'no-store',
        // A connection can die without a word: what does not come is asked for again.
        signal: AbortSignal.timeout(SILENCE),
      });
      if (response.status === 304) return null;
      if (!response.ok) throw new Refused(response.status);
      tag = response.headers.get('ETag');
      return unpackState(await response.json());
    },
    bytes: (run, table, start, end) => fetchBytes(addressOf(run, table), start, end),
    file: (run, table) => ({ url: addressOf(run, table), size: table.wholeBytes }),
    read: (request) =>
      new Promise((done, failed) => {
        if (broken) throw broken;
        const id = next++;
        waiting.set(id, { done, failed });
        worker.postMessage({ id, request }, request.kind === 'append' ? [request.bytes.buffer as ArrayBuffer] : []);
      }),
  };
}

/** What a saved page holds: the state, and each table's bytes in base 64. */
export interface Saved {
  readonly state: PackedState;
  readonly tables: Readonly<Record<string, string>>;
}

/** The runs that lie within the page itself. */
export function savedSource({ state, tables }: Saved): Source {
  const reader = new Reader();
  const decoded = new Map<string, Uint8Array>();
  const bytesOf = (run: string, { id }: WatchedTable) => {
    const key = `${run} ${id}`;
    let bytes = decoded.get(key);
    if (bytes === undefined) {
      bytes = Uint8Array.from(atob(tables[key]!), (c) => c.charCodeAt(0));
      decoded.set(key, bytes);
    }
    return bytes;
  };
  let isTold = false;
  return {
    isLive: false,
    async state() {
      if (isTold) return null;
      isTold = true;
      return unpackState(state);
    },
    bytes: async (run, table, start, end) => bytesOf(run, table).slice(start, end),
    file: (run, table) => ({ bytes: bytesOf(run, table) }),
    read: (request) => reader.answer(request),
  };
}

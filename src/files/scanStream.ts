import { fstatSync } from 'node:fs';
import { Message, MessageHeader } from 'apache-arrow';
import { readFrom } from './readFrom.ts';

/** Where one message lies in a file. */
export interface MessagePlace {
  readonly start: number;
  /** Where its header ends and its body begins. */
  readonly bodyStart: number;
  readonly end: number;
  /** The key-values of the message itself. */
  readonly keyValues: ReadonlyMap<string, string>;
}

/** Where one record batch lies in a file, and how many rows it has. */
export interface BatchPlace extends MessagePlace {
  readonly rows: number;
}

/** What an Arrow stream on disk holds that is whole. */
export interface StreamScan {
  /** Null where there is no whole one. */
  readonly schema: MessagePlace | null;
  readonly batches: readonly BatchPlace[];
  /** Where the last whole message ends. */
  readonly end: number;
  /** Whether the end of the stream is marked there. */
  readonly isEnded: boolean;
  /**
   * Whether what comes after is more than the beginning of one message, as a process that was stopped leaves: whole
   * messages follow, or the end of the stream is marked there.
   */
  readonly isBroken: boolean;
  /** Bytes in the file. */
  readonly size: number;
}

/** A mark and the length of the header, 4 bytes each, precede it. */
const PREFIX = 8;
/** Messages begin at multiples of so many bytes. */
const ALIGNMENT = 8;
/** Columns within columns: no table of brink's has more than a list in one. */
const MOST_NESTED = 8;
/** What is looked through at once, in bytes. */
const WINDOW = 2 ** 20;
const NOTHING = { schema: null, batches: [], end: 0 } as const;

/**
 * Walks the message headers of an Arrow stream, without reading the batches.
 *
 * @param before What was found when the file was shorter: it goes on from there, as a file that grows is looked at
 *   again and again.
 */
export function scanStream(file: number, before: Pick<StreamScan, 'schema' | 'batches' | 'end'> = NOTHING): StreamScan {
  const { size } = fstatSync(file);
  const batches = [...before.batches];
  let { schema, end } = before;
  for (;;) {
    const message = messageAt(file, end, size);
    const wanted = schema === null ? MessageHeader.Schema : MessageHeader.RecordBatch;
    if (message === null || message === 'end' || message.type !== wanted) {
      const isEnded = message === 'end' && schema !== null;
      const rest = isEnded ? end + PREFIX : end;
      return { schema, batches, end, isEnded, isBroken: hasMore(file, rest, size), size };
    }
    const { type: _, ...place } = message;
    if (schema === null) schema = place;
    else batches.push(place);
    end = place.end;
  }
}

/** The message that begins at a place; `end` where the stream ends there, null where there is no whole one. */
function messageAt(file: number, start: number, size: number): (BatchPlace & { type: MessageHeader }) | 'end' | null {
  const prefix = Buffer.alloc(PREFIX);
  if (readFrom(file, start, prefix) < PREFIX || prefix.readInt32LE(0) !== -1) return null;
  const length = prefix.readInt32LE(4);
  if (length === 0) return 'end';
  const bodyStart = start + PREFIX + length;
  if (length < 0 || bodyStart > size) return null;
  const bytes = new Uint8Array(length);
  if (readFrom(file, start + PREFIX, bytes) < length) return null;
  const header = decode(bytes);
  if (header === null || !(header.bodyLength >= 0) || bodyStart + header.bodyLength > size) return null;
  const { type, bodyLength, rows, keyValues } = header;
  return { type, start, bodyStart, end: bodyStart + bodyLength, rows, keyValues };
}

/** A message header; null where the bytes are none. */
function decode(bytes: Uint8Array) {
  try {
    if (!isPlausible(bytes)) return null;
    const message = Message.decode(bytes);
    const rows = message.isRecordBatch() ? message.header().length : 0;
    return { type: message.headerType, bodyLength: Number(message.bodyLength), rows, keyValues: message.metadata };
  } catch {
    return null;
  }
}

/**
 * Whether the lists in a message header are no longer than it: the decoder walks through what they claim, which damage
 * can make billions.
 */
function isPlausible(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Where the k-th field of a table lies; 0 where it has none. */
  const field = (table: number, k: number) => {
    const vtable = table - view.getInt32(table, true);
    const slot = 4 + 2 * k;
    const offset = slot < view.getUint16(vtable, true) ? view.getUint16(vtable + slot, true) : 0;
    return offset === 0 ? 0 : table + offset;
  };
  const follow = (at: number) => at + view.getUint32(at, true);
  const fits = (at: number, size: number) =>
    at === 0 || view.getUint32(follow(at), true) * size <= bytes.length - follow(at) - 4;
  const message = follow(0);
  if (!fits(field(message, 4), 4)) return false;
  const type = field(message, 1);
  const header = field(message, 2);
  if (type === 0 || header === 0) return type === 0;
  if (view.getUint8(type) === MessageHeader.RecordBatch) {
    return [1, 2].every((k) => fits(field(follow(header), k), 16)) && fits(field(follow(header), 4), 8);
  }
  if (view.getUint8(type) !== MessageHeader.Schema) return true;

  /** The tables in the k-th field of a table, which is a list of them. */
  const tablesIn = (table: number, k: number) => {
    const at = field(table, k);
    if (at === 0) return [];
    const list = follow(at);
    return Array.from({ length: view.getUint32(list, true) }, (_, i) => follow(list + 4 + 4 * i));
  };
  const isColumn = (table: number, depth = 0): boolean =>
    depth < MOST_NESTED &&
    [5, 6].every((k) => fits(field(table, k), 4)) &&
    tablesIn(table, 5).every((child) => isColumn(child, depth + 1));
  const schema = follow(header);
  return [1, 2, 3].every((k) => fits(field(schema, k), 4)) && tablesIn(schema, 1).every((column) => isColumn(column));
}

/** Whether a whole record batch, or the end of the stream, lies behind a place. */
function hasMore(file: number, from: number, size: number): boolean {
  const window = Buffer.alloc(Math.min(WINDOW, Math.max(PREFIX, size - from)));
  for (let at = Math.ceil(from / ALIGNMENT) * ALIGNMENT; at + PREFIX <= size; at += WINDOW) {
    const count = readFrom(file, at, window);
    for (let k = 0; k + PREFIX <= count; k += ALIGNMENT) {
      if (window.readInt32LE(k) !== -1) continue;
      const message = messageAt(file, at + k, size);
      if (message === null) continue;
      if (message === 'end' ? at + k + PREFIX === size : message.type === MessageHeader.RecordBatch) return true;
    }
  }
  return false;
}

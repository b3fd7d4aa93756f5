import { fstatSync, readSync } from 'node:fs';
import { Message, MessageHeader } from 'apache-arrow';

/** Where one record batch lies in a file, and how many rows it has. */
export interface BatchPlace {
  readonly start: number;
  readonly end: number;
  readonly rows: number;
}

/** What an Arrow stream on disk holds that is whole. */
export interface StreamScan {
  /** Where the schema message ends; 0 where there is no whole one. */
  readonly schemaEnd: number;
  readonly batches: readonly BatchPlace[];
  /** Where the last whole message ends: what comes after is torn. */
  readonly end: number;
  /** Whether the end of the stream is marked there. */
  readonly isEnded: boolean;
  /** Bytes in the file. */
  readonly size: number;
}

/** Walks the message headers of an Arrow stream, without reading the batches. */
export function scanStream(file: number): StreamScan {
  const { size } = fstatSync(file);
  const batches: BatchPlace[] = [];
  const prefix = Buffer.alloc(8);
  let schemaEnd = 0;
  let end = 0;
  let isEnded = false;
  while (end + prefix.length <= size) {
    readSync(file, prefix, 0, prefix.length, end);
    const length = prefix.readInt32LE(4);
    const bodyStart = end + prefix.length + length;
    if (prefix.readInt32LE(0) !== -1 || length < 0 || bodyStart > size) break;
    if (length === 0) {
      isEnded = schemaEnd > 0;
      break;
    }
    const bytes = new Uint8Array(length);
    readSync(file, bytes, 0, length, end + prefix.length);
    const header = decode(bytes);
    if (header === undefined || header.bodyLength < 0 || bodyStart + header.bodyLength > size) break;
    if (header.type !== (schemaEnd === 0 ? MessageHeader.Schema : MessageHeader.RecordBatch)) break;
    const start = end;
    end = bodyStart + header.bodyLength;
    if (schemaEnd === 0) schemaEnd = end;
    else batches.push({ start, end, rows: header.rows });
  }
  return { schemaEnd, batches, end, isEnded, size };
}

/** A message header; undefined where the bytes are none. */
function decode(bytes: Uint8Array): { type: MessageHeader; bodyLength: number; rows: number } | undefined {
  try {
    const message = Message.decode(bytes);
    const rows = message.isRecordBatch() ? message.header().length : 0;
    return { type: message.headerType, bodyLength: Number(message.bodyLength), rows };
  } catch {
    return undefined;
  }
}

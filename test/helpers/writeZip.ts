import { closeSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** Writes a zip archive of stored files; with more than 65,534 of them as zip64, as other programs do. */
export function writeZip(path: string, files: Iterable<readonly [name: string, bytes: Uint8Array]>): void {
  const file = openSync(path, 'w');
  let at = 0;
  const write = (bytes: Uint8Array) => {
    writeSync(file, bytes);
    at += bytes.length;
  };
  const directory: Buffer[] = [];
  const sums = new Map<Uint8Array, number>();
  let pending: Uint8Array[] = [];
  let waiting = 0;
  for (const [name, bytes] of files) {
    const text = Buffer.from(name);
    const sum = sums.get(bytes) ?? crc32(bytes);
    sums.set(bytes, sum);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 6);
    for (const [header, place] of [
      [local, 14],
      [entry, 16],
    ] as const) {
      header.writeUInt32LE(sum, place);
      header.writeUInt32LE(bytes.length, place + 4);
      header.writeUInt32LE(bytes.length, place + 8);
      header.writeUInt16LE(text.length, place + 12);
    }
    entry.writeUInt32LE(at + waiting, 42);
    directory.push(entry, text);
    pending.push(local, text, bytes);
    waiting += 30 + text.length + bytes.length;
    if (waiting > 1 << 20) {
      write(Buffer.concat(pending));
      [pending, waiting] = [[], 0];
    }
  }
  write(Buffer.concat(pending));
  const [start, count] = [at, directory.length / 2];
  write(Buffer.concat(directory));
  const size = at - start;
  const isLarge = count >= 0xffff;
  if (isLarge) {
    const end64 = Buffer.alloc(56 + 20);
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(44n, 4);
    for (const place of [24, 32]) end64.writeBigUInt64LE(BigInt(count), place);
    end64.writeBigUInt64LE(BigInt(size), 40);
    end64.writeBigUInt64LE(BigInt(start), 48);
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(at), 64);
    end64.writeUInt32LE(1, 72);
    write(end64);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  for (const place of [8, 10]) end.writeUInt16LE(isLarge ? 0xffff : count, place);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(isLarge ? 0xffffffff : start, 16);
  write(end);
  closeSync(file);
}

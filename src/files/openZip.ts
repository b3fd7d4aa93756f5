import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type Entry, fromBuffer, type ZipFile } from 'yauzl';
import { BrinkError } from '../core/errors.ts';

/** A zip archive of any size, of which nothing is unpacked but what is asked for. */
export interface OpenZip {
  /** The files in it, in the order of its directory. */
  readonly names: readonly string[];
  /** Unpacks one. @throws BrinkError where it is damaged. */
  read(name: string): Promise<Buffer>;
  close(): void;
}

/**
 * Opens a zip archive, also one of more than 65,535 files (zip64); close it.
 *
 * It is in memory while it is open: its directory is read in half a second then, where 120,000 files take nine from the
 * disk.
 *
 * @throws BrinkError where it can't be read, is none, or is damaged.
 */
export async function openZip(who: string, path: string): Promise<OpenZip> {
  const wrong = (cause: Error) =>
    new BrinkError(who, `${path} can't be read as a zip archive: ${cause.message}. Get it anew.`, { cause });
  const bytes = await readFile(path).catch((cause) => Promise.reject(wrong(cause)));
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    const options = { lazyEntries: true, autoClose: false };
    fromBuffer(bytes, options, (error, file) => (error ? reject(wrong(error)) : resolve(file)));
  });
  const entries = new Map<string, Entry>();
  try {
    await new Promise<void>((resolve, reject) => {
      zip.on('entry', (entry: Entry) => {
        if (!entry.fileName.endsWith('/')) entries.set(entry.fileName, entry);
        zip.readEntry();
      });
      zip.on('end', resolve);
      zip.on('error', (error) => reject(wrong(error)));
      zip.readEntry();
    });
  } catch (error) {
    zip.close();
    throw error;
  }

  async function read(name: string): Promise<Buffer> {
    const entry = entries.get(name);
    if (entry === undefined) throw new BrinkError(who, `${path} has no ${name}. Get it anew.`);
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error) {
          reject(wrong(error));
          return;
        }
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => resolve(Buffer.concat(chunks)));
        stream.on('error', (cause) => reject(wrong(cause)));
      });
    });
    if (crc32(bytes) === entry.crc32) return bytes;
    throw new BrinkError(who, `${path} is damaged: ${name} does not have its checksum. Get it anew.`);
  }
  return { names: [...entries.keys()], read, close: () => zip.close() };
}

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WholeFile } from '../files/WholeFile.ts';

/** Of the checksum behind the pixels. */
const DIGEST_BYTES = 32;

const digestOf = (pixels: Uint8Array) => createHash('sha256').update(pixels).digest();

/** Pixels that were kept, `size` bytes of them; null where there are none, or they are not as they were kept. */
export async function keptPixels(path: string, size: number): Promise<Buffer | null> {
  const bytes = await readFile(path).catch(() => null);
  if (bytes?.length !== size + DIGEST_BYTES) return null;
  const pixels = bytes.subarray(0, size);
  return digestOf(pixels).equals(bytes.subarray(size)) ? pixels : null;
}

/** Keeps pixels, with their checksum behind them. What can't be written is said, and decoded again the next time. */
export function keepPixels(who: string, path: string, pixels: readonly Uint8Array[]): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const whole = new WholeFile(path);
    try {
      const hash = createHash('sha256');
      for (const part of pixels) {
        hash.update(part);
        writeFileSync(whole.file, part);
      }
      writeFileSync(whole.file, hash.digest());
      whole.finish();
    } catch (error) {
      whole.discard();
      throw error;
    }
  } catch (cause) {
    process.emitWarning(
      `${who}: ${path} can't be written (${(cause as Error).message}). The images will be decoded again the next time.`,
      'BrinkWarning',
    );
  }
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Checksums of a file of any size, in one reading, in hexadecimal. */
export async function checksums(path: string): Promise<{ readonly md5: string; readonly sha256: string }> {
  const [md5, sha256] = [createHash('md5'), createHash('sha256')];
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    md5.update(chunk);
    sha256.update(chunk);
  }
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

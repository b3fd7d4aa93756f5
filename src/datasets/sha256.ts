import { createHash } from 'node:crypto';

/** The SHA-256 of an array's bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array | Float32Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

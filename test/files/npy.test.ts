import { describe, expect, it } from 'vitest';
import { parseNpy } from '../../src/files/npy.ts';

/** An npy array of texts of three characters each, given by their code points. */
function texts(...points: readonly (readonly number[])[]): Buffer {
  const header = `{'descr': '<U3', 'fortran_order': False, 'shape': (${points.length},), }`.padEnd(117).concat('\n');
  const data = new Uint32Array(points.flatMap((entry) => [0, 1, 2].map((k) => entry[k] ?? 0)));
  const size = Buffer.alloc(2);
  size.writeUInt16LE(header.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    size,
    Buffer.from(header),
    Buffer.from(data.buffer),
  ]);
}

describe('text in an npy array', () => {
  it('is read up to its zeros, beyond 16 bits too', () => {
    expect(parseNpy('test', 'labels', texts([0x61, 0x62], [0x1f600], [])).values).toEqual(['ab', '😀', '']);
  });

  it('is refused by its place where it is none', () => {
    expect(() => parseNpy('test', 'labels', texts([0x61], [0x61, 0x110000]))).toThrow(
      'test: labels is damaged: entry 1 holds what is no character.',
    );
  });
});

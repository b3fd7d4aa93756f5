import { expect, it } from 'vitest';
import { type Allocator, guardMemory } from '../../src/engine/kernels/wasm/guardMemory.ts';

/** An allocator that answers with the places given, one after the other, in a memory of so many bytes. */
function allocator(places: number[], bytes: number): Allocator {
  // The first call is the guard's own.
  places.unshift(8);
  return { HEAPU8: { length: bytes } as Uint8Array, _malloc: () => places.shift()!, _free: () => {} };
}
const full =
  'wasm: the memory is full: it ends at 4 GiB, and 100 bytes more were asked for. Begin anew with a smaller chunk';

it('a place that is taken is not handed out again, where the memory is near its end', () => {
  const module = allocator([1000, 2000, 1050], 2 ** 32);
  guardMemory(module);
  expect(module._malloc(100)).toBe(1000);
  expect(module._malloc(100)).toBe(2000);
  expect(() => module._malloc(100)).toThrow(full);
});

it('no place at all is an error', () => {
  const module = allocator([0], 2 ** 20);
  guardMemory(module);
  expect(() => module._malloc(100)).toThrow(full);
});

it('a place that was given back may be handed out', () => {
  const module = allocator([1000, 1000, 1100], 2 ** 32);
  guardMemory(module);
  module._malloc(100);
  module._free(1000);
  expect(module._malloc(100)).toBe(1000);
  expect(module._malloc(100)).toBe(1100);
});

it('places beyond 2 GiB are counted on, though they come as negative numbers', () => {
  const module = allocator([-2000, -2000], 2 ** 32);
  guardMemory(module);
  expect(module._malloc(100)).toBe(2 ** 32 - 2000);
  module._free(2 ** 32 - 2000);
  expect(module._malloc(100)).toBe(2 ** 32 - 2000);
});

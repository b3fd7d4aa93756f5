import { BrinkError } from '../../../core/errors.ts';

/** The part of TensorFlow.js's module that hands out memory. */
export interface Allocator {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(place: number): void;
}

/** Where the memory has grown to this the end of what can be addressed, 4 GiB, is near. */
const NEAR_THE_END = 3.5 * 2 ** 30;

/**
 * Makes an allocator throw where the memory is full.
 *
 * At 4 GiB the stock one wraps around: it hands out a place that is taken, and tensors silently overwrite each other.
 */
export function guardMemory(module: Allocator): void {
  // Each replaces itself when it is called for the first time.
  module._free(module._malloc(1));
  const { _malloc, _free } = module;
  /** Bytes by place. */
  const taken = new Map<number, number>();
  const overlaps = (place: number, bytes: number) => {
    for (const [other, size] of taken) if (place < other + size && other < place + bytes) return true;
    return false;
  };
  module._malloc = (bytes) => {
    // A place beyond 2 GiB comes as a negative number.
    const place = _malloc(bytes) >>> 0;
    if (place === 0 || (module.HEAPU8.length >= NEAR_THE_END && overlaps(place, bytes))) {
      throw new BrinkError(
        'wasm',
        `the memory is full: it ends at 4 GiB, and ${bytes} bytes more were asked for. Begin anew with a smaller ` +
          'chunk or smaller keptBytes, or take the native engine.',
      );
    }
    taken.set(place, bytes);
    return place;
  };
  module._free = (place) => {
    taken.delete(place >>> 0);
    _free(place);
  };
}

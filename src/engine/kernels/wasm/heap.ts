import type { TensorInfo } from '@tensorflow/tfjs';
import type { SharedBackend } from './sharedBackend.ts';
import { scratchSize, type Task } from './tasks.ts';

/** TensorFlow.js's memory in WebAssembly, for kernels of our own. Places and sizes are in floats. */
export interface Heap {
  /** A new tensor, not filled. */
  make(shape: readonly number[]): TensorInfo;
  /** A new tensor of zeros. */
  zeros(shape: readonly number[]): TensorInfo;
  /** A tensor's numbers in place, until the next `make`, `zeros` or `reserve`: the memory may move when it grows. */
  numbers(tensor: TensorInfo): Float32Array;
  placeOf(tensor: TensorInfo): number;
  /** Takes memory until it is freed. */
  reserve(size: number): number;
  free(place: number): void;
  /** The numbers at a place, for as long. */
  at(place: number, size: number): Float32Array;
  doublesAt(place: number, count: number): Float64Array;
  run(tasks: readonly Task[]): void;
}

export function heapOf(backend: object): Heap {
  const shared = backend as SharedBackend;
  const { wasm, threads } = shared;
  const heap: Heap = {
    make: (shape) => shared.makeOutput([...shape], 'float32'),
    zeros: (shape) => {
      const tensor = heap.make(shape);
      heap.numbers(tensor).fill(0);
      return tensor;
    },
    numbers: (tensor) => shared.typedArrayFromHeap(tensor) as Float32Array,
    placeOf: (tensor) => shared.typedArrayFromHeap(tensor).byteOffset / 4,
    reserve: (size) => wasm._malloc(4 * size) / 4,
    free: (place) => wasm._free(4 * place),
    at: (place, size) => new Float32Array(wasm.HEAPU8.buffer, 4 * place, size),
    doublesAt: (place, count) => new Float64Array(wasm.HEAPU8.buffer, 4 * place, count),
    run: (tasks) => {
      const size = Math.max(1, ...tasks.map(scratchSize));
      const scratch = heap.reserve(threads.count * size);
      threads.run({ tasks, scratch, scratchSize: size });
      heap.free(scratch);
    },
  };
  return heap;
}

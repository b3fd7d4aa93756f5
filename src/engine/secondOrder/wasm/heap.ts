import type { TensorInfo } from '@tensorflow/tfjs';
import { type Products, productsModule } from './products.ts';
import { runShare, scratchSize, type Task } from './tasks.ts';

interface WasmBackend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    readonly asm: { readonly memory: WebAssembly.Memory };
    _malloc(bytes: number): number;
    _free(place: number): void;
  };
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array;
}

/** TensorFlow.js's memory in WebAssembly, for kernels of our own. Places and sizes are in floats. */
export interface Heap {
  /** A new tensor, not filled. */
  make(shape: readonly number[]): TensorInfo;
  placeOf(tensor: TensorInfo): number;
  /** Takes memory until it is freed. */
  reserve(size: number): number;
  free(place: number): void;
  /** The numbers at a place, until the next `make` or `reserve`: the memory may move when it grows. */
  at(place: number, size: number): Float32Array;
  run(tasks: readonly Task[]): void;
}

let products: Products | undefined;

export function heapOf(backend: object): Heap {
  const { wasm } = backend as WasmBackend;
  const heap: Heap = {
    make: (shape) => (backend as WasmBackend).makeOutput(shape, 'float32'),
    placeOf: (tensor) => (backend as WasmBackend).typedArrayFromHeap(tensor).byteOffset / 4,
    reserve: (size) => {
      const place = wasm._malloc(4 * size) >>> 0;
      if (place === 0) throw new Error(`WebAssembly has no ${4 * size} bytes left. A smaller chunk needs less.`);
      return place / 4;
    },
    free: (place) => wasm._free(4 * place),
    at: (place, size) => new Float32Array(wasm.HEAPU8.buffer, 4 * place, size),
    run: (tasks) => {
      products ??= new WebAssembly.Instance(productsModule(), { host: { memory: wasm.asm.memory } })
        .exports as unknown as Products;
      const scratch = heap.reserve(Math.max(...tasks.map(scratchSize)));
      runShare(new Float32Array(wasm.HEAPU8.buffer), products, tasks, scratch, 0, 1);
      heap.free(scratch);
    },
  };
  return heap;
}

import type { TensorInfo } from '@tensorflow/tfjs';
import type { BackendName } from './register.ts';

interface CpuBackend {
  data: { get(id: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  incRef(id: object): void;
}
interface WasmBackend {
  typedArrayFromHeap(tensor: TensorInfo): Float32Array;
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
}

/** The numbers behind tensors of a backend that computes in this process's memory. */
export interface HostBuffers {
  /** A new tensor of zeros. Make all outputs before any `read`: WebAssembly's memory may move when it grows. */
  make(shape: readonly number[]): TensorInfo;
  /** A tensor's numbers, in place. */
  read(tensor: TensorInfo): Float32Array;
}

export function hostBuffers(name: Exclude<BackendName, 'tensorflow'>, backend: object): HostBuffers {
  if (name === 'cpu') {
    const cpu = backend as CpuBackend;
    return {
      make: (shape) => cpu.makeTensorInfo([...shape], 'float32', new Float32Array(shape.reduce((a, b) => a * b, 1))),
      read: (tensor) => cpu.data.get(tensor.dataId).values,
    };
  }
  const wasm = backend as WasmBackend;
  return {
    make: (shape) => {
      const tensor = wasm.makeOutput([...shape], 'float32');
      wasm.typedArrayFromHeap(tensor).fill(0);
      return tensor;
    },
    read: (tensor) => wasm.typedArrayFromHeap(tensor),
  };
}

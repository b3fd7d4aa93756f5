import type { DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs';
import type { Device } from './Dawn.ts';

/** A buffer on the device. */
export interface DeviceBuffer {
  readonly size: number;
  destroy(): void;
}

/** TensorFlow.js's buffers: those in use, and those that wait to be used again, by size and use. */
export interface BufferManager {
  readonly freeBuffers: Map<string, DeviceBuffer[]>;
  numFreeBuffers: number;
  numBytesUsed: number;
  numBytesAllocated: number;
  acquireBuffer(size: number, ...rest: unknown[]): DeviceBuffer;
}

/** What a program is given beside its tensors, in the order of `uniforms`. */
export interface Uniform {
  readonly type: 'int32' | 'uint32' | 'float32';
  readonly data: readonly number[];
}

/** A program in WGSL as TensorFlow.js runs it: it adds declarations of tensors and uniforms, and an entry. */
export interface Program {
  readonly variableNames: readonly string[];
  readonly outputShape: readonly number[];
  /** Which axes of the output each dimension of the dispatch runs along. */
  readonly dispatchLayout: { readonly x: number[]; readonly y?: number[]; readonly z?: number[] };
  readonly dispatch: readonly [number, number, number];
  readonly workgroupSize: readonly [number, number, number];
  /** Programs of equal keys, ranks and types are the same program. */
  readonly shaderKey: string;
  /** Declarations of its own uniforms: `name : i32, …`. */
  readonly uniforms?: string;
  /** Whether the number of the output's entries is among the uniforms, as `size`. */
  readonly size?: boolean;
  getUserCode(): string;
}

/** TensorFlow.js's backend `webgpu`, as far as brink looks into it. */
export interface WebGpuBackend extends KernelBackend {
  readonly device: Device;
  readonly bufferManager: BufferManager;
  /** What is known of each tensor: `values`, where the host has them, and the `resource` on the device. */
  readonly tensorMap: {
    get(dataId: object): { readonly values: unknown; readonly resource: unknown; readonly shape: readonly number[] };
  };
  /** Puts a tensor on the device, where it is not there. */
  uploadToGPU(dataId: object): void;
  runWebGPUProgram(
    program: Program,
    inputs: readonly TensorInfo[],
    dtype: DataType,
    uniforms?: readonly Uniform[],
  ): TensorInfo;
}

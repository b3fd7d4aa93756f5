import type { Tensor, TensorInfo } from '@tensorflow/tfjs';

/** A tensor of TensorFlow's own: its handle, and what is known without reading it. */
export interface NativeTensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** An attribute of an operation, with the kind of its value. */
export interface NativeAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** The addon through which TensorFlow.js reaches TensorFlow's C library. */
export interface NativeBinding {
  createTensor(shape: readonly number[], dtype: number, data: ArrayLike<number>): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array;
  executeOp(name: string, attributes: NativeAttribute[], inputs: number[], outputCount: number): NativeTensor[];
  isUsingGpuDevice(): boolean;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_SHAPE: number;
}

/** The backend `tensorflow` of TensorFlow.js, as far as a recording looks into it. */
export interface NativeBackend {
  binding: NativeBinding;
  readonly tensorMap: { get(dataId: object): { readonly values: unknown } };
  /** The handles of tensors; values that are still on the host go to TensorFlow first. */
  getInputTensorIds(tensors: readonly (Tensor | TensorInfo)[]): number[];
  readSync(dataId: object): unknown;
  read(dataId: object): Promise<unknown>;
}

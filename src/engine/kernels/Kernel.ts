import type { Tensor, TensorInfo } from '@tensorflow/tfjs';

/** Strides, axes and the like. Nothing flows back through a tensor that stands in an attribute. */
// biome-ignore lint/suspicious/noExplicitAny: attributes are whatever their kernel says
export type Attributes = Record<string, any>;

/** What a kernel is given, by name. */
export type Inputs = Readonly<Record<string, Tensor>>;

/** The kernel that TensorFlow.js itself has under a name, on the same backend. */
export type StockKernel = (inputs: Inputs, attributes: Attributes, backend: object) => TensorInfo;

/** One operation on one backend: from inputs and attributes to its output; `stock` is there for one that wraps it. */
export type Kernel = (inputs: Inputs, attributes: Attributes, backend: object, stock: StockKernel) => TensorInfo;

/** Kernels by name. */
export type KernelTable = Readonly<Record<string, Kernel>>;

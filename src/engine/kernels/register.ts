import type { GradConfig, KernelConfig, NamedTensorInfoMap, Tensor, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** The backends for which kernels are registered. */
export const BACKENDS = ['cpu', 'wasm', 'tensorflow'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Attributes as this layer reads them; a tensor in an attribute is one through which nothing flows back. */
// biome-ignore lint/suspicious/noExplicitAny: attributes are whatever their kernel says
export type Attributes = Record<string, any>;

/** Whether a backend's package is loaded. (Asking TensorFlow.js for the backend itself would start it.) */
export function isLoaded(name: BackendName): boolean {
  return tf.getKernelsForBackend(name).length > 0;
}

/** Runs a kernel by name. */
export function runKernel(name: string, inputs: Record<string, Tensor>, attributes: Attributes = {}): Tensor {
  return tf.engine().runKernel(name, inputs, attributes) as Tensor;
}

/** The derivative of a kernel with respect to each input, from dy, what it saved, and its attributes. */
export type Derivative = (dy: Tensor, saved: Tensor[], attributes: Attributes) => Record<string, () => Tensor>;

/** Registers how a kernel is differentiated, in place of what TensorFlow.js has. */
export function registerGradient(
  kernelName: string,
  saves: { readonly inputs?: string[]; readonly output?: boolean },
  derivative: Derivative,
): void {
  if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave: saves.inputs ?? [],
    outputsToSave: saves.output ? [true] : [],
    gradFunc: (dy, saved, attributes) => derivative(dy as Tensor, saved as Tensor[], attributes),
  } satisfies GradConfig);
}

/** What a kernel here is: from inputs and attributes to its output. */
export type Kernel = (inputs: NamedTensorInfoMap, attributes: Attributes, backend: object) => TensorInfo;

/** Registers a kernel for a backend, in place of what TensorFlow.js has. */
export function registerKernel(kernelName: string, backendName: BackendName, kernel: Kernel): void {
  const stock = tf.getKernel(kernelName, backendName);
  if (stock) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    ...(stock?.setupFunc && { setupFunc: stock.setupFunc }),
    ...(stock?.disposeFunc && { disposeFunc: stock.disposeFunc }),
    kernelFunc: ({ inputs, attrs, backend }) =>
      kernel(inputs as NamedTensorInfoMap, (attrs ?? {}) as Attributes, backend as object),
  } satisfies KernelConfig);
}

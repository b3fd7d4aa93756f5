import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Attributes, Inputs, KernelTable, StockKernel } from './Kernel.ts';

/** Registers kernels for a backend of TensorFlow.js that has started, in place of what it has under their names. */
export function registerKernels(backendName: string, kernels: KernelTable): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const own = tf.getKernel(kernelName, backendName);
    if (own) tf.unregisterKernel(kernelName, backendName);
    const stock: StockKernel = (inputs, attrs, backend) => {
      if (!own) throw new Error(`TensorFlow.js has no kernel ${kernelName} on ${backendName}.`);
      return own.kernelFunc({ inputs, attrs, backend }) as TensorInfo;
    };
    tf.registerKernel({
      ...own,
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) =>
        kernel(inputs as Inputs, (attrs ?? {}) as Attributes, backend as object, stock),
    } satisfies KernelConfig);
  }
}

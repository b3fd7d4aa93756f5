import type { TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { isLoaded, registerKernel } from '../register.ts';
import { sumInDouble } from './sumInDouble.ts';

/** Replaces kernels of TensorFlow.js's WebAssembly backend that are wrong, or lose digits. */
export function installWasmTraps(): void {
  if (!isLoaded('wasm')) return;

  // The stock kernels copy the numbers: Identity whatever the tape keeps, Cast what is of its type already.
  const share = (x: TensorInfo, backend: object): TensorInfo => {
    (backend as tf.KernelBackend).incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  };
  registerKernel('Identity', 'wasm', ({ x }, _attributes, backend) => share(x!, backend));
  const cast = tf.getKernel('Cast', 'wasm')!.kernelFunc;
  registerKernel('Cast', 'wasm', ({ x }, attrs, backend) =>
    attrs.dtype === x!.dtype ? share(x!, backend) : (cast({ inputs: { x: x! }, attrs, backend }) as TensorInfo),
  );

  // The stock kernels add one after the other in float32: 1e6 entries cost four digits.
  for (const name of ['Sum', 'Mean']) {
    const stock = tf.getKernel(name, 'wasm')!.kernelFunc;
    registerKernel(name, 'wasm', ({ x }, attrs, backend) => {
      const { axis, keepDims } = attrs;
      if (x!.dtype !== 'float32') return stock({ inputs: { x: x! }, attrs, backend }) as TensorInfo;
      return sumInDouble(x!, axis, keepDims, name === 'Mean', backend);
    });
  }
}

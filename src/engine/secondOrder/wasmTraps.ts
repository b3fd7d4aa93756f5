import type { TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { hostBuffers } from './hostBuffers.ts';
import { isLoaded, registerKernel } from './register.ts';

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

/** Σ or mean over axes, accumulated in float64. */
function sumInDouble(
  x: TensorInfo,
  axis: number | number[],
  keepDims: boolean,
  mean: boolean,
  backend: object,
): TensorInfo {
  const axes = tf.util.parseAxisParam(axis, x.shape);
  const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const outShape = keepDims ? kept : x.shape.filter((_, i) => !axes.includes(i));
  const { make, read } = hostBuffers('wasm', backend);
  const output = make(outShape);
  const [from, to] = [read(x), read(output)];
  const sums = new Float64Array(to.length);
  // How far the output moves when an input axis moves by one; 0 along the axes that are summed.
  const outStrides = tf.util.computeStrides([...kept, 1]).map((stride, i) => (axes.includes(i) ? 0 : stride));
  const index = new Array<number>(x.shape.length).fill(0);
  const inner = x.shape.at(-1) ?? 1;
  const innerStride = outStrides.at(-1) ?? 0;
  for (let start = 0, at = 0; start < from.length; start += inner) {
    if (innerStride === 0) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += from[start + k]!;
      sums[at]! += sum;
    } else for (let k = 0; k < inner; k++) sums[at + k]! += from[start + k]!;
    for (let d = x.shape.length - 2; d >= 0; d--) {
      at += outStrides[d]!;
      index[d]!++;
      if (index[d]! < x.shape[d]!) break;
      at -= outStrides[d]! * x.shape[d]!;
      index[d] = 0;
    }
  }
  const scale = mean ? to.length / from.length : 1;
  for (let k = 0; k < to.length; k++) to[k] = sums[k]! * scale;
  return output;
}

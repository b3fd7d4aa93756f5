import type { Tensor, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { nativeOperation } from '../kernels/native/nativeOperation.ts';
import { BACKENDS, isLoaded, registerGradient, registerKernel, runKernel } from '../kernels/register.ts';
import { heapOf } from '../kernels/wasm/heap.ts';

/**
 * The derivative of relu as multiplication with the mask y > 0, which is its own adjoint.
 *
 * The output y, which the next layer keeps anyway, travels in an attribute, through which nothing flows back: the mask takes
 * no memory of its own, and the second backward pass does not follow it.
 */
export function installRelu(): void {
  registerGradient('Relu', { output: true }, (dy, [y]) => ({ x: () => runKernel('ReluMask', { dy }, { y }) }));
  registerGradient('ReluMask', {}, (c, _saved, attributes) => ({
    dy: () => runKernel('ReluMask', { dy: c }, attributes),
  }));
  for (const name of BACKENDS.filter(isLoaded)) {
    registerKernel('ReluMask', name, ({ dy }, { y }, backend) => {
      if (name === 'tensorflow') return nativeOperation(backend, 'ReluGrad', { T: 'float32' }, {}, [dy!, y]);
      if (name === 'wasm' && dy!.shape.length > 0 && tf.util.sizeFromShape(dy!.shape) % 4 === 0)
        return maskOnWasm(y, dy!, backend);
      return tf.tidy(() => tf.mul(dy as Tensor, tf.step(y)));
    });
  }
}

/** dy where y > 0, else 0; as many entries as a multiple of 4. */
function maskOnWasm(y: TensorInfo, dy: TensorInfo, backend: object): TensorInfo {
  const heap = heapOf(backend);
  const output = heap.make(dy.shape);
  const [mask, values, place] = [y, dy, output].map(heap.placeOf) as [number, number, number];
  const size = tf.util.sizeFromShape(dy.shape);
  heap.run([{ kind: 'positivePart', mask, values, output: place, size }]);
  return output;
}

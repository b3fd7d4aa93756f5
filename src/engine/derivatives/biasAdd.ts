import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { BACKENDS, isLoaded, registerGradient, registerKernel } from '../kernels/register.ts';

/** x + b as a kernel of its own: the derivative of add keeps both terms, this one keeps neither. */
export function installBiasAdd(): void {
  registerGradient('BiasAdd', {}, (dy) => ({
    x: () => dy.clone(),
    b: () => {
      const leading = dy.shape.map((_, i) => i).slice(0, -1);
      return leading.length === 0 ? dy.clone() : tf.sum(dy, leading);
    },
  }));
  for (const name of BACKENDS.filter(isLoaded)) {
    registerKernel('BiasAdd', name, ({ x, b }) => tf.add(x as Tensor, b as Tensor));
  }
}

import * as tf from '@tensorflow/tfjs';
import { hostBuffers } from '../kernels/hostBuffers.ts';
import { nativeOperation } from '../kernels/native/nativeOperation.ts';
import { BACKENDS, isLoaded, registerGradient, registerKernel, runKernel } from '../kernels/register.ts';

/**
 * Derivatives of y = tanh x to second order from y alone: T(x, dy) = (1 − y²) dy, ∂⟨T, c⟩/∂dy = T(x, c), ∂⟨T, c⟩/∂x = −2 y T(x, c dy).
 *
 * T takes x for the tape's sake, which thereby knows that T depends on it; y, from which it computes, travels in an attribute.
 */
export function installTanh(): void {
  registerGradient('Tanh', { inputs: ['x'], output: true }, (dy, [x, y]) => ({
    x: () => runKernel('TanhGrad', { x: x!, dy }, { y }),
  }));
  registerGradient('TanhGrad', { inputs: ['x', 'dy'] }, (c, [x, dy], { y }) => ({
    dy: () => runKernel('TanhGrad', { x: x!, dy: c }, { y }),
    x: () => tf.mul(tf.mul(runKernel('TanhGrad', { x: x!, dy: tf.mul(c, dy!) }, { y }), y), -2),
  }));
  for (const name of BACKENDS.filter(isLoaded)) {
    registerKernel('TanhGrad', name, ({ dy }, { y }, backend) => {
      if (name === 'tensorflow') return nativeOperation(backend, 'TanhGrad', { T: 'float32' }, {}, [y, dy!]);
      const { make, read } = hostBuffers(name, backend);
      const output = make(dy!.shape);
      const [to, values, from] = [read(output), read(y), read(dy!)];
      for (let k = 0; k < to.length; k++) to[k] = (1 - values[k]! * values[k]!) * from[k]!;
      return output;
    });
  }
}

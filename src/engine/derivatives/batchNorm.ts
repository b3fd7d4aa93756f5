import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { BACKENDS, isLoaded, type Kernel, registerGradient, registerKernel, runKernel } from '../kernels/register.ts';

/**
 * Batch normalisation with the batch's own statistics, closed to second order in three kernels that keep nothing but their
 * inputs.
 *
 * With x̂ = r (x − mean x), r = 1/√(var x + ε), and P d = d − mean d − x̂ mean(x̂ d), which is symmetric, all means over every
 * axis but the last:
 *   y = γ x̂ + β,  D(x, γ, dy) = ∂⟨y, dy⟩/∂x = γ r P dy,  S(x, dy) = ∂⟨y, dy⟩/∂γ = Σ x̂ dy,
 *   ∂⟨D, c⟩/∂dy = D(x, γ, c),  ∂⟨D, c⟩/∂γ = r Σ c P dy,
 *   ∂⟨D, c⟩/∂x = −γ r² (x̂ mean(c P dy) + mean(x̂ dy) P c + mean(x̂ c) P dy),
 *   ∂⟨S, q⟩/∂dy = q x̂,  ∂⟨S, q⟩/∂x = D(x, q, dy).
 */
export function installBatchNorm(): void {
  registerGradient('BatchNorm', { inputs: ['x', 'gamma'] }, (dy, [x, gamma], { epsilon }) => ({
    x: () => runKernel('BatchNormInput', { x: x!, gamma: gamma!, dy }, { epsilon }),
    gamma: () => runKernel('BatchNormScale', { x: x!, dy }, { epsilon }),
    beta: () => tf.sum(dy, leading(dy)),
  }));
  registerGradient('BatchNormInput', { inputs: ['x', 'gamma', 'dy'] }, (c, [x, gamma, dy], { epsilon }) => ({
    dy: () => runKernel('BatchNormInput', { x: x!, gamma: gamma!, dy: c }, { epsilon }),
    gamma: () => {
      const { r, project } = statistics(x!, epsilon);
      return tf.mul(tf.reshape(r, [-1]), tf.sum(tf.mul(c, project(dy!)), leading(c)));
    },
    x: () => {
      const { xHat, r, mean, project } = statistics(x!, epsilon);
      const projected = project(dy!);
      const sum = tf.add(
        tf.mul(xHat, mean(tf.mul(c, projected))),
        tf.add(tf.mul(mean(tf.mul(xHat, dy!)), project(c)), tf.mul(mean(tf.mul(xHat, c)), projected)),
      );
      return tf.neg(tf.mul(tf.mul(gamma!, tf.square(r)), sum));
    },
  }));
  registerGradient('BatchNormScale', { inputs: ['x', 'dy'] }, (q, [x, dy], { epsilon }) => ({
    dy: () => tf.mul(statistics(x!, epsilon).xHat, q),
    x: () => runKernel('BatchNormInput', { x: x!, gamma: q, dy: dy! }, { epsilon }),
  }));

  const kernels: Record<string, (inputs: Record<string, Tensor>, epsilon: number) => Tensor> = {
    BatchNorm: ({ x, gamma, beta }, epsilon) => tf.add(tf.mul(statistics(x!, epsilon).xHat, gamma!), beta!),
    BatchNormInput: ({ x, gamma, dy }, epsilon) => {
      const { r, project } = statistics(x!, epsilon);
      return tf.mul(tf.mul(gamma!, r), project(dy!));
    },
    BatchNormScale: ({ x, dy }, epsilon) => tf.sum(tf.mul(statistics(x!, epsilon).xHat, dy!), leading(dy!)),
  };
  for (const name of BACKENDS.filter(isLoaded)) {
    for (const [kernelName, compute] of Object.entries(kernels)) {
      const kernel: Kernel = (inputs, { epsilon }) => tf.tidy(() => compute(inputs as Record<string, Tensor>, epsilon));
      registerKernel(kernelName, name, kernel);
    }
  }
}

/** Every axis but the last. */
const leading = (x: Tensor): number[] => x.shape.map((_, i) => i).slice(0, -1);

function statistics(x: Tensor, epsilon: number) {
  const mean = (d: Tensor): Tensor => tf.mean(d, leading(d), true);
  const centred = tf.sub(x, mean(x));
  const r = tf.rsqrt(tf.add(mean(tf.square(centred)), epsilon));
  const xHat = tf.mul(centred, r);
  const project = (d: Tensor): Tensor => tf.sub(tf.sub(d, mean(d)), tf.mul(xHat, mean(tf.mul(xHat, d))));
  return { xHat, r, mean, project };
}

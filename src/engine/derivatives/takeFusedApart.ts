import * as tf from '@tensorflow/tfjs';

type Fused = Pick<typeof tf.fused, 'matMul' | 'conv2d' | 'depthwiseConv2d'>;

/**
 * Takes TensorFlow.js's fused operations apart: their gradient is written by hand (tf.customGrad), which nobody can
 * verify from outside, and WebAssembly's kernels make 0 of NaN where they have an activation.
 *
 * The layers of tf.layers are built on them.
 */
export function takeFusedApart(): void {
  const finish = <T extends tf.Tensor>(y: T, options: Omit<Parameters<Fused['matMul']>[0], 'a' | 'b'>): T => {
    const { bias, activation, preluActivationWeights, leakyreluAlpha } = options;
    // tf.layers says null where it means none.
    const sum = bias ? tf.add(y, bias) : y;
    return tf.backend_util.applyActivation(
      sum,
      activation ?? 'linear',
      preluActivationWeights as tf.Tensor,
      leakyreluAlpha,
    ) as T;
  };
  const apart: Fused = {
    matMul: (options) => {
      const { a, b, transposeA, transposeB } = options;
      return finish(tf.matMul(a, b, transposeA, transposeB), options);
    },
    conv2d: (options) => {
      const { x, filter, strides, pad, dataFormat, dilations, dimRoundingMode } = options;
      return finish(tf.conv2d(x, filter, strides, pad, dataFormat, dilations, dimRoundingMode), options);
    },
    depthwiseConv2d: (options) => {
      const { x, filter, strides, pad, dataFormat, dilations, dimRoundingMode } = options;
      return finish(tf.depthwiseConv2d(x, filter, strides, pad, dataFormat, dilations, dimRoundingMode), options);
    },
  };
  Object.assign(tf.fused, apart);
}

import * as tf from '@tensorflow/tfjs';

const stock = { ...tf.fused };

/**
 * Takes TensorFlow.js's fused operations without an activation apart: their gradient is written by hand
 * (tf.customGrad), which nobody can verify from outside. Those with an activation take themselves apart under
 * differentiation.
 *
 * The layers of tf.layers are built on them.
 */
export function takeFusedApart(): void {
  // tf.layers says null where it means none.
  const isLinear = (activation: string | null | undefined) => (activation ?? 'linear') === 'linear';
  const plus = <T extends tf.Tensor>(y: T, bias: Parameters<typeof tf.add>[1] | null | undefined): T =>
    bias ? tf.add(y, bias) : y;
  const apart: Pick<typeof tf.fused, 'matMul' | 'conv2d' | 'depthwiseConv2d'> = {
    matMul: (options) => {
      const { a, b, transposeA, transposeB, bias, activation } = options;
      return isLinear(activation) ? plus(tf.matMul(a, b, transposeA, transposeB), bias) : stock.matMul(options);
    },
    conv2d: (options) => {
      const { x, filter, strides, pad, dataFormat, dilations, dimRoundingMode, bias, activation } = options;
      return isLinear(activation)
        ? plus(tf.conv2d(x, filter, strides, pad, dataFormat, dilations, dimRoundingMode), bias)
        : stock.conv2d(options);
    },
    depthwiseConv2d: (options) => {
      const { x, filter, strides, pad, dataFormat, dilations, dimRoundingMode, bias, activation } = options;
      return isLinear(activation)
        ? plus(tf.depthwiseConv2d(x, filter, strides, pad, dataFormat, dilations, dimRoundingMode), bias)
        : stock.depthwiseConv2d(options);
    },
  };
  Object.assign(tf.fused, apart);
}

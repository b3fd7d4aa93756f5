import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { einsumEquation } from '../kernels/einsumEquation.ts';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';

/** The derivative of einsum with respect to one tensor: an einsum of dy and the others, spread over what it lacks. */
export const einsum: DerivativeTable = {
  Einsum: {
    inputs: 'all',
    gradient: (dy, tensors, { equation }) => {
      const { inputs, output } = einsumEquation(
        equation,
        tensors.map(({ shape }) => shape),
      );
      const gradient = (k: number): Tensor => {
        const others = inputs.map((labels, j) => ({ labels, tensor: tensors[j]! })).filter((_, j) => j !== k);
        const factors = [{ labels: output, tensor: dy }, ...others];
        const own = [...inputs[k]!];
        const isIn = own.map((label) => factors.some(({ labels }) => labels.includes(label)));
        const target = own.filter((_, axis) => isIn[axis]).join('');
        const product = tf.einsum(
          `${factors.map(({ labels }) => labels).join(',')}->${target}`,
          ...factors.map(({ tensor }) => tensor),
        );
        const shape = tensors[k]!.shape;
        if (isIn.every(Boolean)) return product;
        const kept = shape.map((length, axis) => (isIn[axis] ? length : 1));
        const axes = shape.map((_, axis) => axis).filter((axis) => !isIn[axis]);
        return runKernel('Spread', { x: tf.reshape(product, kept) }, { shape, axes });
      };
      return Object.fromEntries(tensors.map((_, k) => [k, () => gradient(k)]));
    },
  },
};

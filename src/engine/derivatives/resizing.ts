import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Attributes } from '../kernels/Kernel.ts';
import type { Derivative, DerivativeTable } from './Derivative.ts';

/** An image in another size. */
type Resize = typeof tf.image.resizeBilinear;

/**
 * Derivatives of resizing an image, by rows and by columns: y = R x Cᵀ in each channel, so that ∂⟨y, dy⟩/∂x = Rᵀ dy C.
 *
 * R is what the engine makes of unit vectors, so that it rounds places as that does. TensorFlow.js's own derivative has
 * none itself. Cost: two matrix products, of R and C with dy.
 */
export const resizing: DerivativeTable = {
  ResizeNearestNeighbor: resized(tf.image.resizeNearestNeighbor),
  ResizeBilinear: resized(tf.image.resizeBilinear),
};

function resized(resize: Resize): Derivative {
  return {
    inputs: ['images'],
    gradient: (dy, [images], attributes) => ({
      images: () => {
        const [count, height, width, channels] = images!.shape as [number, number, number, number];
        const [newHeight, newWidth] = attributes.size as [number, number];
        const matrix = (from: number, to: number) => resizeMatrix(resize, from, to, attributes);
        const rows = tf.matMul(
          matrix(height, newHeight),
          tf.reshape(dy, [count, newHeight, newWidth * channels]),
          true,
        );
        const columns = tf.matMul(
          matrix(width, newWidth),
          tf.reshape(rows, [count * height, newWidth, channels]),
          true,
        );
        return tf.reshape(columns, images!.shape);
      },
    }),
  };
}

/** [to, from]: what becomes of an axis, from the unit vectors along it, one a channel. */
function resizeMatrix(
  resize: Resize,
  from: number,
  to: number,
  { alignCorners, halfPixelCenters }: Attributes,
): Tensor {
  const units = tf.reshape(tf.eye(from), [1, from, 1, from]) as Tensor4D;
  return tf.reshape(resize(units, [to, 1], alignCorners, halfPixelCenters), [to, from]);
}

import type { Tensor } from '@tensorflow/tfjs';

/** Every axis but the last. */
export const leadingAxes = (x: Tensor): number[] => x.shape.slice(1).map((_, axis) => axis);

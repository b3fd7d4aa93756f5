import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';

/**
 * The derivative of relu as multiplication with the mask y > 0, which is its own adjoint.
 *
 * The output y, which the next layer keeps anyway, travels in an attribute, through which nothing flows back: the mask
 * takes no memory of its own, and the second backward pass does not follow it.
 */
export const relu: DerivativeTable = {
  Relu: { output: true, gradient: (dy, [y]) => ({ x: () => runKernel('ReluMask', { dy }, { y }) }) },
  ReluMask: { gradient: (c, _needed, attributes) => ({ dy: () => runKernel('ReluMask', { dy: c }, attributes) }) },
};

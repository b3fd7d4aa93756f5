import { explicitPadding } from '../explicitPadding.ts';
import type { Kernel, KernelTable } from '../Kernel.ts';

/** TensorFlow.js's own convolution, but for what it forgets of a padding. */
const withExplicitPadding: Kernel = (inputs, attributes, backend, stock) =>
  stock(inputs, explicitPadding(attributes), backend);

/** Convolution and its two derivatives. */
export const convolutionKernels = {
  Conv2D: withExplicitPadding,
  Conv2DBackpropInput: withExplicitPadding,
  Conv2DBackpropFilter: withExplicitPadding,
} as const satisfies KernelTable;

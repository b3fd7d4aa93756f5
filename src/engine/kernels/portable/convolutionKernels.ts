import { convolutionInfo } from '../convolutionInfo.ts';
import { explicitPadding } from '../explicitPadding.ts';
import type { Kernel, KernelTable } from '../Kernel.ts';

/** TensorFlow.js's own convolution, but for what it forgets of a padding. */
const withExplicitPadding: Kernel = (inputs, attributes, backend, stock) =>
  stock(inputs, explicitPadding(attributes), backend);

/** Convolution and its two derivatives. */
export const convolutionKernels = {
  Conv2D: (inputs, attributes, backend, stock) => {
    // Throws where no window fits.
    convolutionInfo(inputs.x!.shape, inputs.filter!.shape, attributes);
    return withExplicitPadding(inputs, attributes, backend, stock);
  },
  Conv2DBackpropInput: withExplicitPadding,
  Conv2DBackpropFilter: withExplicitPadding,
} as const satisfies KernelTable;

import { arithmetic } from './arithmetic.ts';
import { batchNorm } from './batchNorm.ts';
import { biasAdd } from './biasAdd.ts';
import { comparisons } from './comparisons.ts';
import { convolution } from './convolution.ts';
import { cumsum } from './cumsum.ts';
import type { DerivativeTable } from './Derivative.ts';
import { depthwise } from './depthwise.ts';
import { einsum } from './einsum.ts';
import { elementwise } from './elementwise.ts';
import { gather } from './gather.ts';
import { matrixProduct } from './matrixProduct.ts';
import { parts } from './parts.ts';
import { pooling } from './pooling.ts';
import { reductions } from './reductions.ts';
import { relu } from './relu.ts';
import { resizing } from './resizing.ts';
import { tanh } from './tanh.ts';

/** All derivatives in which brink departs from TensorFlow.js. */
export const derivatives: DerivativeTable = {
  ...arithmetic,
  ...batchNorm,
  ...biasAdd,
  ...comparisons,
  ...convolution,
  ...cumsum,
  ...depthwise,
  ...einsum,
  ...elementwise,
  ...gather,
  ...matrixProduct,
  ...parts,
  ...pooling,
  ...reductions,
  ...relu,
  ...resizing,
  ...tanh,
};

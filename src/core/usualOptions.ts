import type { Point } from './Objective.ts';
import { batchSizes, callback, flag, integer, number, oneOf } from './optionKinds.ts';
import type { Step } from './Step.ts';

/** Options that more than one probe has, said once. */

/** `draws`. */
export const draws = (fallback = 16, least = 2) =>
  integer({ least, default: fallback, description: 'K, how many independent draws.' });

/** `seed`. */
export const seed = () => integer({ least: 0, default: 0, description: 'Of the draws.' });

/** `replacement`. */
export const replacement = () => flag({ default: false, description: 'Whether batches are drawn with replacement.' });

/** `batchSizes`, where they must be named. */
export const neededBatchSizes = () => batchSizes({ needed: true, description: 'The batch sizes b asked about.' });

/** `estimator`. */
export const estimator = () =>
  oneOf(['examples', 'batches'], {
    default: 'examples',
    description:
      "'examples': from the gradients of the examples, for every b at once; 'batches': from sampled batches, a set for each b.",
  });

/** `tolerance` of eigenpairs that a probe needs by the way. */
export const tolerance = (fallback = 1e-3, more = '') =>
  number({
    above: 0,
    default: fallback,
    description: `Relative residual of the eigenpairs; that of another probe at the same steps, with as many, makes both share one search.${more}`,
  });

/** `deflate`. */
export const deflate = (least: 0 | 1, more = '') =>
  integer({
    least,
    most: 'm',
    default: { text: 'min(3, m)', of: ({ paramCount }) => Math.min(3, paramCount) },
    description: `Eigenpairs treated exactly${more}${least === 0 ? '; 0: none' : ''}.`,
  });

/** `targetError`. */
export const targetError = (of: string) =>
  number({
    above: 0,
    none: 'K stays',
    description: `Doubles K until ${of} is at most this share of it.`,
  });

/** `maxDraws`. */
export const maxDraws = () =>
  integer({
    least: 2,
    default: { text: 'the larger of draws and 256', of: (_, { draws }) => Math.max(256, draws) },
    description: 'Where doubling stops, no fewer than draws.',
  });

/** `tolerance` of a search along a line. */
export const stepTolerance = (of: string) =>
  number({ above: 0, default: 0.01, description: `Width of the interval in which ${of} is known, as a share of it.` });

/** `limit` of a search along a line. */
export const searchLimit = () =>
  number({
    above: 0,
    default: 64,
    description: 'How far to look, in units of where the quadratic model returns to 0 (of η where it does not).',
  });

/** Two directions, flat [m] each. */
export type Directions = readonly [Float32Array, Float32Array];

export type DirectionsAt = (point: Point, step: Step) => Promise<Directions>;

export const directions = () =>
  callback<DirectionsAt>({
    none: '−∇L and q₁',
    description: 'The directions: only what they span matters, and that the first points along x.',
  });

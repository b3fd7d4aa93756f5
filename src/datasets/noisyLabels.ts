import { requireInteger } from '../core/errors.ts';
import { requireShare } from '../core/given.ts';
import { drawBatch, generator } from '../linalg/random.ts';

/** How labels of training examples are made wrong, to see what a network does with noise. */
export interface LabelNoiseOptions {
  /**
   * p, the share of the training labels that are drawn anew, each class alike, also the right one: 0.2 leaves a share
   * 1 − 0.2 (C − 1)/C right, 1 is random labels. Default 0. Test labels stay as they are.
   */
  readonly labelNoise?: number;
  /** Which labels, and what they become; default 0. */
  readonly labelSeed?: number;
}

export const LABEL_NOISE = ['labelNoise', 'labelSeed'] as const;

/** Sets these draws apart from any other of the seed. */
const LABELS = 0x6c6162;

/**
 * The labels with round(p n) of them drawn anew: a function of p, the seed, n and C alone.
 */
export function noisyLabels(
  labels: Int32Array,
  classCount: number,
  { labelNoise = 0, labelSeed = 0 }: LabelNoiseOptions,
): Int32Array {
  const count = Math.round(labelNoise * labels.length);
  const random = generator(labelSeed, LABELS);
  const which = drawBatch(random, labels.length, count, false);
  const drawn = drawBatch(random, classCount, count, true);
  const noisy = labels.slice();
  which.forEach((i, k) => {
    noisy[i] = drawn[k]!;
  });
  return noisy;
}

/** Throws unless both are in their range. */
export function requireLabelNoise(who: string, { labelNoise, labelSeed }: LabelNoiseOptions): void {
  if (labelNoise !== undefined) requireShare(who, 'labelNoise', labelNoise);
  if (labelSeed !== undefined) requireInteger(who, 'labelSeed', labelSeed, 0);
}

/** These options among others. */
export const noiseOf = ({ labelNoise, labelSeed }: LabelNoiseOptions): LabelNoiseOptions => ({
  ...(labelNoise !== undefined && { labelNoise }),
  ...(labelSeed !== undefined && { labelSeed }),
});

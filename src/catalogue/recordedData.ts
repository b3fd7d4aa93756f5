import { z } from 'zod';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import { chebyshev } from '../datasets/chebyshev.ts';
import { cifar10 } from '../datasets/cifar10.ts';
import { cifar100 } from '../datasets/cifar100.ts';
import { digits } from '../datasets/digits.ts';

const split = z.object({ count: z.int() });
const subset = z.object({ train: split, test: split.nullable(), subset: z.enum(['first', 'balanced']) });
const digitsMetadata = subset.extend({ mean: z.number() });
const cifarMetadata = subset.extend({ mean: z.array(z.number()), std: z.array(z.number()) });

/**
 * The data set that a recording names: the same subset, normalised by the same numbers.
 *
 * @param metadata What the header says of it.
 * @param folder Where CIFAR's files lie.
 * @throws BrinkError where brink cannot load it.
 */
export async function recordedData(
  who: string,
  path: string,
  metadata: { readonly name: string },
  folder: string | undefined,
): Promise<Dataset> {
  const { name } = metadata;
  if (name === 'chebyshev') return chebyshev();
  if (name === 'digits') {
    const { train, test, subset, mean } = digitsMetadata.parse(metadata);
    return digits({ train: train.count, test: test?.count ?? 0, subset, center: mean !== 0 });
  }
  if (name !== 'cifar10' && name !== 'cifar100') {
    throw new BrinkError(
      who,
      `${path} was recorded on the data set '${name}', which does not come with brink. Hand it in: objectiveOf(path, { data }).`,
    );
  }
  if (folder === undefined) {
    throw new BrinkError(
      who,
      `${path} was recorded on ${name}, whose files do not come with brink. Say where they are: objectiveOf(path, { data: 'data/…' }).`,
    );
  }
  const { train, test, subset, mean, std } = cifarMetadata.parse(metadata);
  const load = name === 'cifar10' ? cifar10 : cifar100;
  return load(folder, { train: train.count, test: test?.count ?? 0, subset, normalize: { mean, std } });
}

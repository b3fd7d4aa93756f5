import { BrinkError } from '../core/errors.ts';

/**
 * The values of a weight of somebody's network, at once.
 *
 * @param network Its name.
 * @throws BrinkError where they can't be read so: they lie on a GPU, which is read asynchronously alone, or are
 *   disposed.
 */
export function readWeights<V>(who: string, network: string, weight: { dataSync(): V }): V {
  try {
    return weight.dataSync();
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\.$/, '');
    throw new BrinkError(
      who,
      `the weights of ${network} can't be read (${reason}). Where they lie on a GPU, await them first: ` +
        'await Promise.all(net.getWeights().map((weight) => weight.data())).',
      { cause },
    );
  }
}

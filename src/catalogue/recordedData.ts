import type { Dataset } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import { datasets } from './datasets.ts';

/**
 * The data set that a recording names: the same subset, normalised by the same numbers.
 *
 * @param metadata What the header says of it.
 * @param place Where its files lie, if they do not come with brink: their folder, or the file.
 * @throws BrinkError where brink cannot load it.
 */
export async function recordedData(
  who: string,
  path: string,
  metadata: { readonly name: string },
  place: string | undefined,
): Promise<Dataset> {
  const { name } = metadata;
  const entry = Object.hasOwn(datasets, name) ? datasets[name] : undefined;
  if (!entry) {
    throw new BrinkError(
      who,
      `${path} was recorded on the data set '${name}', which does not come with brink. Hand it in: ` +
        'objectiveOf(path, { data }).',
    );
  }
  if (entry.place !== null && place === undefined) {
    throw new BrinkError(
      who,
      `${path} was recorded on ${name}, whose files do not come with brink. Say where they are: ` +
        "objectiveOf(path, { data: 'data/…' }).",
    );
  }
  const { success, data: options } = entry.recorded.safeParse(metadata);
  if (!success) {
    throw new BrinkError(
      who,
      `${path} says of the data set '${name}' what this brink cannot read. Hand it in: objectiveOf(path, { data }).`,
    );
  }
  return entry.open({ ...options, ...(entry.place !== null && { [entry.place]: place }) });
}

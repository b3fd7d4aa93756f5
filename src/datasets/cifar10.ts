import type { Dataset } from '../core/Dataset.ts';
import { type CifarFiles, type CifarLayout, cifar } from './cifar.ts';
import type { ImageDataOptions } from './imageData.ts';

const LAYOUT: CifarLayout = {
  name: 'cifar10',
  folder: 'cifar-10-batches-bin',
  trainFiles: [1, 2, 3, 4, 5].map((k) => `data_batch_${k}.bin`),
  testFiles: ['test_batch.bin'],
  trainRecords: 10000,
  testRecords: 10000,
  labelBytes: 1,
  labelColumn: 'label',
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
};

/**
 * CIFAR-10, 32 × 32 colour images of ten classes, from its official binary files: x = (pixel/255 − mean)/std for each
 * channel, [32, 32, 3].
 *
 * A subset is a function of the files and the options alone. All files of a split are read whole: 150 MB for
 * training, and 12 KB an example for the inputs chosen.
 *
 * @param source The unpacked folder (cifar-10-batches-bin) or the one that contains it; a folder of Parquet files as
 *   Hugging Face keeps them, `train….parquet` and `test….parquet` (PNG in `img` or `image`, the class in `label`); or
 *   single files in either layout, `{ trainFiles, testFiles }`.
 * @param options `train`, `test` (examples), `subset` ('first' or 'balanced', see `chooseExamples`),
 *   `subsetSeed`, `normalize`, `labelNoise`, `labelSeed`.
 * @throws BrinkError where a file is missing, has another size, an image that can't be read or a label above 9, more
 *   examples are asked for than there are, or a channel can't be normalised.
 * Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
 */
export function cifar10(source: string | CifarFiles, options: ImageDataOptions = {}): Promise<Dataset> {
  return cifar(LAYOUT, source, options);
}

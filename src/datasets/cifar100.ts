import type { Dataset } from '../core/Dataset.ts';
import { type CifarFiles, type CifarLayout, cifar } from './cifar.ts';
import type { ImageDataOptions } from './imageData.ts';

const CLASSES =
  'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar cattle ' +
  'chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo ' +
  'keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter ' +
  'palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk ' +
  'skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip ' +
  'turtle wardrobe whale willow_tree wolf woman worm';

const LAYOUT: CifarLayout = {
  name: 'cifar100',
  folder: 'cifar-100-binary',
  trainFiles: ['train.bin'],
  testFiles: ['test.bin'],
  trainRecords: 50000,
  testRecords: 10000,
  labelBytes: 2,
  labelColumn: 'fine_label',
  classes: CLASSES.split(' '),
};

/**
 * CIFAR-100, 32 × 32 colour images of a hundred (fine) classes, from its official binary files: x = (pixel/255 −
 * mean)/std for each channel, [32, 32, 3].
 *
 * A subset is a function of the files and the options alone. All files of a split are read whole: 154 MB for
 * training, and 12 KB an example for the inputs chosen. The twenty coarse classes are not used.
 *
 * @param source The unpacked folder (cifar-100-binary) or the one that contains it; a folder of Parquet files as
 *   Hugging Face keeps them, `train….parquet` and `test….parquet` (PNG in `img` or `image`, the class in `fine_label`);
 *   or single files in either layout, `{ trainFiles, testFiles }`.
 * @param options `train`, `test` (examples), `subset` ('first' or 'balanced', see `chooseExamples`),
 *   `subsetSeed`, `normalize`, `labelNoise`, `labelSeed`.
 * @throws BrinkError where a file is missing, has another size, an image that can't be read or a label above 99, more
 *   examples are asked for than there are, or a channel can't be normalised.
 * Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
 */
export function cifar100(source: string | CifarFiles, options: ImageDataOptions = {}): Promise<Dataset> {
  return cifar(LAYOUT, source, options);
}

import { z } from 'zod';
import type { Dataset } from '../core/Dataset.ts';
import type { FileDataOptions } from '../datasets/fileData.ts';
import type { ImageDataOptions } from '../datasets/imageData.ts';
import type { OwnExamplesOptions } from '../datasets/ownFiles/ownExamples.ts';
import type { TableDataOptions } from '../datasets/tableData.ts';
import { flag, number, type OptionsOf, type Shape } from './shape.ts';

/** A data set as those know it who find it by its name. */
export interface CataloguedDataset {
  /**
   * The names and types of its options; their ranges are the data set's own to check.
   */
  readonly options: z.ZodObject;
  /** The option that says where its files lie; null: they come with brink. */
  readonly place: 'folder' | 'path' | null;
  /** The data set. @throws BrinkError for an option out of its range, or files that cannot be read. */
  open(options: object): Promise<Dataset>;
  /** Turns the metadata of a data set into the options, without its place, that give it again. */
  readonly recorded: z.ZodType<object>;
}

function entry<D extends (options: never) => Dataset | Promise<Dataset>>(
  load: () => Promise<D>,
  shape: Shape<OptionsOf<D>>,
  recorded: z.ZodType<Required<Omit<OptionsOf<D>, 'folder'>>>,
): CataloguedDataset {
  // The shape's type says that what it lets through are the data set's options.
  const place = 'folder' in shape ? 'folder' : null;
  return { options: z.strictObject(shape), place, open: async (options) => (await load())(options as never), recorded };
}

const strings = z.array(z.string()).exactOptional();
const text = z.string().exactOptional();

/** Options that draw: which examples are taken, and which labels are wrong. */
const drawn = {
  subsetSeed: z.int().nullable().exactOptional(),
  labelNoise: number,
  labelSeed: z.int().exactOptional(),
};

/** What one's own files have in common; `sha256` is what a recording adds. */
const ofOwnFiles: Shape<OwnExamplesOptions> = {
  classes: strings,
  inputShape: z.array(z.int()).exactOptional(),
  train: number,
  test: number,
  subset: z.enum(['first', 'balanced']).exactOptional(),
  ...drawn,
  normalize: z.enum(['none', 'all', 'each']).exactOptional(),
  sha256: strings,
};

/** A file of one's own is found again by its path, and must have its checksum. */
function ownFile<O extends OwnExamplesOptions>(
  load: () => Promise<(path: string, options: O) => Promise<Dataset>>,
  shape: Shape<O>,
): CataloguedDataset {
  const options = z.strictObject(shape);
  const recorded = z
    .object({
      options,
      classes: strings.nullable(),
      sources: z.array(z.object({ sha256: z.string() })),
    })
    .transform(({ options, classes, sources }) => ({
      ...options,
      ...(classes && { classes }),
      sha256: sources.map(({ sha256 }) => sha256),
    }));
  return {
    options: options.extend({ path: z.string() }),
    place: 'path',
    // The schema says that these are the data set's options.
    open: async ({ path, ...rest }: { path?: string }) => (await load())(path!, rest as O),
    recorded,
  };
}

const subset = z.enum(['first', 'balanced']);
const split = z.object({ count: z.int() });
const chosen = z.object({
  train: split,
  test: split.nullable(),
  subset,
  subsetSeed: z.int().nullable().default(null),
  labelNoise: z.object({ share: z.number(), seed: z.int() }).default({ share: 0, seed: 0 }),
});

/** Which examples were chosen, as options. */
const choice = ({ train, test, subset, subsetSeed, labelNoise }: z.infer<typeof chosen>) => ({
  train: train.count,
  test: test?.count ?? 0,
  subset,
  subsetSeed,
  labelNoise: labelNoise.share,
  labelSeed: labelNoise.seed,
});

/** Images in a folder are normalised again by the numbers that were recorded. */
const imagesIn = (load: () => Promise<(folder: string, options: ImageDataOptions) => Promise<Dataset>>) =>
  entry(
    async () => {
      const open = await load();
      return ({ folder, ...options }: ImageDataOptions & { readonly folder: string }) => open(folder, options);
    },
    {
      folder: z.string(),
      train: number,
      test: number,
      subset: subset.exactOptional(),
      ...drawn,
      normalize: z.enum(['channel', 'none']).exactOptional(),
    },
    chosen
      .extend({ mean: z.array(z.number()), std: z.array(z.number()) })
      .transform(({ mean, std, ...rest }) => ({ ...choice(rest), normalize: { mean, std } })),
  );

/** Every data set by its name. A new one is enrolled by one entry; none is loaded before it is asked for. */
export const datasets: Readonly<Record<string, CataloguedDataset>> = {
  digits: entry(
    async () => (await import('../datasets/digits.ts')).digits,
    { train: number, test: number, subset: subset.exactOptional(), ...drawn, center: flag },
    chosen.extend({ mean: z.number() }).transform(({ mean, ...rest }) => ({ ...choice(rest), center: mean !== 0 })),
  ),
  cifar10: imagesIn(async () => (await import('../datasets/cifar10.ts')).cifar10),
  cifar100: imagesIn(async () => (await import('../datasets/cifar100.ts')).cifar100),
  stl10: imagesIn(async () => (await import('../datasets/stl10.ts')).stl10),
  tinyImagenet: imagesIn(async () => (await import('../datasets/tinyImagenet.ts')).tinyImagenet),
  images: imagesIn(async () => (await import('../datasets/imageFolder.ts')).imageFolder),
  file: ownFile<FileDataOptions>(async () => (await import('../datasets/fileData.ts')).fileData, {
    ...ofOwnFiles,
    inputs: text,
    labels: text,
    targets: text,
    testInputs: text,
    testOutputs: text,
  }),
  table: ownFile<TableDataOptions>(async () => (await import('../datasets/tableData.ts')).tableData, {
    ...ofOwnFiles,
    label: text,
    targets: strings,
    inputs: strings,
    testFile: text,
  }),
  chebyshev: entry(async () => (await import('../datasets/chebyshev.ts')).chebyshev, {}, z.object({})),
};

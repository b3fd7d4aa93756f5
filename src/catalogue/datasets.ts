import { z } from 'zod';
import type { Dataset } from '../core/Dataset.ts';
import type { CifarOptions } from '../datasets/cifar.ts';
import { flag, number, type OptionsOf, type Shape } from './shape.ts';

/** A data set as those know it who find it by its name. */
export interface CataloguedDataset {
  /**
   * The names and types of its options; their ranges are the data set's own to check. One whose files do not come with
   * brink has the option `folder`.
   */
  readonly options: z.ZodObject;
  /** The data set. @throws BrinkError for an option out of its range, or files that cannot be read. */
  open(options: object): Promise<Dataset>;
  /** Turns the metadata of a data set into the options, without `folder`, that give it again. */
  readonly recorded: z.ZodType<object>;
}

function entry<D extends (options: never) => Dataset | Promise<Dataset>>(
  load: () => Promise<D>,
  shape: Shape<OptionsOf<D>>,
  recorded: z.ZodType<Required<Omit<OptionsOf<D>, 'folder'>>>,
): CataloguedDataset {
  // The shape's type says that what it lets through are the data set's options.
  return { options: z.strictObject(shape), open: async (options) => (await load())(options as never), recorded };
}

const subset = z.enum(['first', 'balanced']);
const split = z.object({ count: z.int() });
const chosen = z.object({ train: split, test: split.nullable(), subset });

/** Which examples were chosen, as options. */
const choice = ({ train, test, subset }: z.infer<typeof chosen>) => ({
  train: train.count,
  test: test?.count ?? 0,
  subset,
});

/** CIFAR is normalised again by the numbers that were recorded. */
const cifar = (load: () => Promise<(folder: string, options: CifarOptions) => Promise<Dataset>>) =>
  entry(
    async () => {
      const open = await load();
      return ({ folder, ...options }: CifarOptions & { readonly folder: string }) => open(folder, options);
    },
    {
      folder: z.string(),
      train: number,
      test: number,
      subset: subset.exactOptional(),
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
    { train: number, test: number, subset: subset.exactOptional(), center: flag },
    chosen.extend({ mean: z.number() }).transform(({ mean, ...rest }) => ({ ...choice(rest), center: mean !== 0 })),
  ),
  cifar10: cifar(async () => (await import('../datasets/cifar10.ts')).cifar10),
  cifar100: cifar(async () => (await import('../datasets/cifar100.ts')).cifar100),
  chebyshev: entry(async () => (await import('../datasets/chebyshev.ts')).chebyshev, {}, z.object({})),
};

import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { datasets } from '../../src/catalogue/datasets.ts';
import { losses } from '../../src/catalogue/losses.ts';
import { models } from '../../src/catalogue/models.ts';
import { recordedData } from '../../src/catalogue/recordedData.ts';
import { BrinkError } from '../../src/core/errors.ts';
import { greyJpeg } from '../helpers/greyJpeg.ts';

/** Made of what a user brings along, which no name can stand for. */
const BROUGHT = ['arrays', 'layersModel'];

/** What is called otherwise on a command line, where a shorter name is clear. */
const SHORTER: Readonly<Record<string, string>> = { fileData: 'file', tableData: 'table', imageFolder: 'images' };

/** What the package exports from a room, but for types. */
function exported(room: string): string[] {
  const index = readFileSync(new URL('../../src/index.ts', import.meta.url), 'utf8');
  return [...index.matchAll(/export \{([^}]*)\} from '\.\/(\w+)\//g)]
    .filter(([, , from]) => from === room)
    .flatMap(([, names]) => names!.split(',').map((name) => name.trim()))
    .filter((name) => name !== '' && !name.startsWith('type '));
}

/** As it comes out of a recording's header. */
const recorded = <T>(metadata: T): T => JSON.parse(JSON.stringify(metadata));

describe.each([
  ['models', models],
  ['losses', losses],
  ['datasets', datasets],
] as const)('the registry of %s', (room, registry) => {
  it('holds all that the library exports, and no other', () => {
    const own = exported(room).flatMap((name) => (BROUGHT.includes(name) ? [] : (SHORTER[name] ?? name)));
    expect(own.sort()).toEqual(Object.keys(registry).sort());
  });
});

describe.each(Object.entries(models))('the model %s', (name, { options, open, rebuild }) => {
  const images = { inputShape: [12, 16, 3], outputCount: 7 };

  it('has its name, and stands between inputs and targets of the data', async () => {
    expect(await open({}, images)).toMatchObject({ name, outputCount: 7 });
    const { inputShape } = await open({}, images);
    expect(inputShape.reduce((a, b) => a * b)).toBe(12 * 16 * 3);
  });

  it('is rebuilt from what is recorded of it', async () => {
    const { forward: _, ...model } = await open({}, images);
    const { forward: __, ...again } = await rebuild(recorded(model.config));
    expect(again).toEqual(model);
    expect(Object.keys(model.config)).toEqual(expect.arrayContaining(Object.keys(options.shape)));
  });

  it('has no option for its ends, which are those of the data', () => {
    expect(Object.keys(options.shape)).toEqual(expect.not.arrayContaining(['inputs', 'inputShape', 'outputs']));
  });

  it('refuses an option that it has not', async () => {
    await expect(open({ cuont: 3 }, images)).rejects.toThrow('cuont');
  });
});

it('ranges are left to the model', async () => {
  const refused = models.mlp!.open({ hidden: [0] }, { inputShape: [1], outputCount: 1 });
  await expect(refused).rejects.toThrow(new BrinkError('mlp', 'hidden[0] is 0. It must be an integer of at least 1.'));
});

it.each(Object.entries(losses))(
  'the loss %s has its name, and nothing else that a recording would have to tell',
  async (name, open) => {
    expect(await open()).toMatchObject({ name, config: {} });
  },
);

/** A value for every option, none of them the default as a rule: what is not recorded is noticed. */
function unusual(options: z.ZodObject): Readonly<Record<string, unknown>> {
  const { properties = {} } = z.toJSONSchema(options);
  const sampleOf = (
    name: string,
    { type, enum: words }: { readonly type?: unknown; readonly enum?: readonly unknown[] },
  ) => words?.at(-1) ?? (type === 'boolean' ? false : ({ train: 4, test: 2, labelNoise: 0.5 }[name] ?? 3));
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => name !== 'folder' && name !== 'path')
      .map(([name, schema]) => [name, sampleOf(name, schema as object)]),
  );
}

describe('a data set', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'brink-data-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Files of zeros, but for the first records. */
  const writeCifar = (directory: string, files: readonly string[], recordBytes: number, records: number) => {
    mkdirSync(join(folder, directory));
    for (const file of files) {
      const path = join(folder, directory, file);
      const byte = (_: unknown, k: number) => (k % recordBytes < recordBytes - 3072 ? k % 7 : (k * k) % 251);
      writeFileSync(path, Uint8Array.from({ length: 5 * recordBytes }, byte));
      truncateSync(path, records * recordBytes);
    }
  };
  /** Makes the files of those that do not come with brink. */
  const FILES: Record<string, () => unknown> = {
    tinyImagenet: async () => {
      const bytes = await greyJpeg(9);
      const wnids = Array.from({ length: 200 }, (_, c) => `n${10_000_000 + c}`);
      const place = join(folder, 'tiny-imagenet-200');
      for (const wnid of wnids) {
        mkdirSync(join(place, 'train', wnid, 'images'), { recursive: true });
        writeFileSync(join(place, 'train', wnid, 'images', `${wnid}_0.JPEG`), await greyJpeg(Number(wnid.slice(-2))));
      }
      mkdirSync(join(place, 'val', 'images'), { recursive: true });
      for (const k of [0, 1]) writeFileSync(join(place, 'val', 'images', `val_${k}.JPEG`), bytes);
      writeFileSync(join(place, 'wnids.txt'), wnids.join('\n'));
      writeFileSync(join(place, 'val', 'val_annotations.txt'), `val_0.JPEG\t${wnids[0]}\nval_1.JPEG\t${wnids[1]}\n`);
    },
    images: async () => {
      for (const [c, name] of ['ant', 'dog'].entries()) {
        for (const split of ['train', 'test']) {
          const place = join(folder, split, name);
          mkdirSync(place, { recursive: true });
          for (const k of [0, 1, 2]) writeFileSync(join(place, `${k}.jpg`), await greyJpeg(10 * k + c));
        }
      }
    },
    cifar10: () => {
      const batches = [1, 2, 3, 4, 5].map((k) => `data_batch_${k}.bin`);
      writeCifar('cifar-10-batches-bin', [...batches, 'test_batch.bin'], 3073, 10_000);
    },
    cifar100: () => {
      writeCifar('cifar-100-binary', ['train.bin'], 3074, 50_000);
      writeFileSync(join(folder, 'cifar-100-binary', 'test.bin'), new Uint8Array(10_000 * 3074));
    },
    stl10: () => {
      mkdirSync(join(folder, 'stl10_binary'));
      const write = (file: string, bytes: Uint8Array, size: number) => {
        writeFileSync(join(folder, 'stl10_binary', file), bytes);
        truncateSync(join(folder, 'stl10_binary', file), size);
      };
      const noise = Uint8Array.from({ length: 300_000 }, (_, k) => (k * k) % 251);
      for (const [split, count] of [['train', 5000] as const, ['test', 8000] as const]) {
        write(`${split}_X.bin`, noise, count * 27_648);
        write(
          `${split}_y.bin`,
          Uint8Array.from({ length: count }, (_, k) => 1 + (k % 10)),
          count,
        );
      }
    },
  };

  const fixture = (file: string) => join(import.meta.dirname, '../../fixtures/data', file);
  const common = {
    inputShape: [1, 2],
    train: 3,
    test: 2,
    subset: 'balanced',
    subsetSeed: 2,
    labelNoise: 0.5,
    labelSeed: 1,
    normalize: 'all',
  };
  /** Whose options name what is in a file: the file, and options. */
  const OWN: Readonly<Record<string, readonly [string, object]>> = {
    file: [fixture('images.npz'), { ...common, inputShape: [6], labels: 'names', classes: ['cät', 'dog', 'ant'] }],
    table: [fixture('table.csv'), { ...common, label: 'kind', inputs: ['width', 'count'] }],
  };

  it.each(Object.entries(datasets))(
    'has its name, and is loaded again from what is recorded of it: %s',
    async (name, { options, open, place }) => {
      if (place === 'folder') await FILES[name]!();
      const [where, chosen] = OWN[name] ?? [folder, unusual(options)];
      const data = await open({ ...chosen, ...(place !== null && { [place]: where }) });
      expect(data).toMatchObject({ name, metadata: { name } });
      const metadata = recorded(data.metadata) as { readonly name: string };
      const again = await recordedData('test', 'a.arrows', metadata, place === null ? undefined : where);
      expect(again).toEqual(data);
    },
    60_000,
  );

  it('of a file is not loaded again from another of its name', async () => {
    const { metadata } = await datasets.table!.open({ path: fixture('table.csv'), label: 'kind', inputs: ['width'] });
    const other = join(folder, 'other.csv');
    writeFileSync(other, 'width,kind\n1,dog\n');
    await expect(recordedData('test', 'a.arrows', recorded(metadata) as { name: string }, other)).rejects.toThrow(
      `tableData: ${other} is another file than is meant: its SHA-256 is `,
    );
  });
});

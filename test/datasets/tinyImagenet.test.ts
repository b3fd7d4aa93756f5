import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyImagenet } from '../../src/datasets/tinyImagenet.ts';
import { openZip } from '../../src/files/openZip.ts';
import { everything } from '../helpers/everything.ts';
import { greyJpeg } from '../helpers/greyJpeg.ts';
import { pythonOrSkip } from '../helpers/python.ts';
import { writeZip } from '../helpers/writeZip.ts';

const FOLDER = 'tiny-imagenet-200';
const wnids = Array.from({ length: 200 }, (_, c) => `n${`${9_999_999 - 41 * c}`.padStart(8, '0')}`);
const sorted = wnids.toSorted();

let parent: string;
let greys: readonly Buffer[];
/** The grey of the k-th image of a class, in the order of the sorted names. */
const greyOf = (c: number, k: number) => (c + 3 * k) % 256;

/** The files of the archive, 500 training images a class, 120,000 and more in all, as the official one has. */
function* official(perClass = 500): Generator<readonly [string, Uint8Array]> {
  yield [`${FOLDER}/wnids.txt`, Buffer.from(`${wnids.join('\n')}\n`)];
  yield [`${FOLDER}/words.txt`, Buffer.from('')];
  for (const wnid of wnids) {
    yield [`${FOLDER}/train/${wnid}/${wnid}_boxes.txt`, Buffer.from('')];
    const c = sorted.indexOf(wnid);
    // As text has it, 10 stands before 2.
    const order = Array.from({ length: perClass }, (_, k) => k).sort((a, b) => (`${a}` < `${b}` ? -1 : 1));
    for (const k of order) yield [`${FOLDER}/train/${wnid}/images/${wnid}_${k}.JPEG`, greys[greyOf(c, k)]!];
  }
  const rows = Array.from({ length: 10_000 }, (_, k) => `val_${k}.JPEG\t${sorted[k % 200]}\t0\t32\t44\t62`);
  yield [`${FOLDER}/val/val_annotations.txt`, Buffer.from(`${rows.join('\n')}\n`)];
  for (let k = 0; k < 10_000; k++) yield [`${FOLDER}/val/images/val_${k}.JPEG`, greys[k % 256]!];
  for (let k = 0; k < 10_000; k++) yield [`${FOLDER}/test/images/test_${k}.JPEG`, greys[0]!];
}

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-tiny-'));
  greys = await Promise.all(Array.from({ length: 256 }, (_, grey) => greyJpeg(grey)));
  mkdirSync(join(parent, FOLDER));
  writeZip(join(parent, FOLDER, `${FOLDER}.zip`), official());
}, 60_000);
afterAll(() => rmSync(parent, { recursive: true }));

describe('tinyImagenet', { timeout: 60_000 }, () => {
  it('reads what is chosen out of an archive of 120,000 files, grey images in three channels', async () => {
    const data = await tinyImagenet(parent, { train: 400, test: 5, subset: 'balanced', normalize: 'none' });
    expect(data).toMatchObject({ name: 'tinyImagenet', inputShape: [64, 64, 3], outputCount: 200, classes: sorted });
    expect(data.train.count).toBe(400);
    const size = 64 * 64 * 3;
    for (let i = 0; i < 400; i++) {
      expect(data.train.labels![i]).toBe(Math.floor(i / 2));
      const grey = Math.fround(greyOf(Math.floor(i / 2), i % 2) / 255);
      expect(data.train.inputs.subarray(i * size, (i + 1) * size).every((value) => value === grey)).toBe(true);
    }
    expect([...data.test!.labels!]).toEqual([0, 1, 2, 3, 4]);
    expect(data.test!.inputs[3 * size]).toBe(Math.fround(3 / 255));
    expect(data.metadata.sources).toEqual([
      { file: `${FOLDER}.zip` },
      { images: 400, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { file: `${FOLDER}.zip` },
      { images: 5, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });

  it('takes the images of a class by their number, and the same from the unpacked folder', async () => {
    const unpacked = join(parent, 'unpacked');
    for (const [name, bytes] of official(12)) {
      if (name.includes('/images/val_') && !/val_[0-4]\.JPEG/.test(name)) continue;
      if (name.includes('/test/')) continue;
      mkdirSync(join(unpacked, name, '..'), { recursive: true });
      writeFileSync(join(unpacked, name), bytes);
    }
    const options = { train: 12, test: 2, normalize: 'none' } as const;
    const [zipped, folder] = await Promise.all([parent, unpacked].map((place) => tinyImagenet(place, options)));
    const size = 64 * 64 * 3;
    const greysOf = Array.from({ length: 12 }, (_, i) => Math.round(255 * folder!.train.inputs[i * size]!));
    expect(greysOf).toEqual(Array.from({ length: 12 }, (_, k) => greyOf(0, k)));
    expect(folder!.train.inputs).toEqual(zipped!.train.inputs);
    expect(folder!.test).toEqual(zipped!.test);
  });

  it.runIf(everything)('keeps the pixels of many images, and decodes anew where they are damaged', async () => {
    const options = { train: 2000, normalize: 'none' } as const;
    const small = join(parent, 'small');
    const place = join(small, 'pixels');
    mkdirSync(small);
    const files = [...official(10)].filter(([name]) => /wnids|train/.test(name));
    writeZip(join(small, `${FOLDER}.zip`), files);
    const first = await tinyImagenet(small, options);
    const [file, ...more] = readdirSync(place);
    expect([file, more]).toEqual([expect.stringMatching(/^train-[0-9a-f]{16}-sharp-[\d.]+-\w+\.pixels$/), []]);
    const bytes = readFileSync(join(place, file!));
    expect(bytes.length).toBe(2000 * 64 * 64 * 3 + 32);
    const same = (a: typeof first) => Buffer.from(a.train.inputs.buffer).equals(Buffer.from(first.train.inputs.buffer));
    // Pixels of its own, with their checksum: these are taken.
    const other = Buffer.from(bytes);
    other[0] = 255;
    createHash('sha256')
      .update(other.subarray(0, -32))
      .digest()
      .copy(other, other.length - 32);
    writeFileSync(join(place, file!), other);
    expect((await tinyImagenet(small, options)).train.inputs[0]).toBe(1);
    other[1] = 254;
    writeFileSync(join(place, file!), other);
    expect(same(await tinyImagenet(small, options))).toBe(true);
    expect(readFileSync(join(place, file!)).equals(bytes)).toBe(true);
    await tinyImagenet(small, { train: 1999 });
    expect(readdirSync(place)).toEqual([file]);
  });

  it('reads Parquet files as Hugging Face keeps them', async (context) => {
    const python = pythonOrSkip(context);
    const place = join(parent, 'parquet');
    mkdirSync(place);
    for (const grey of [3, 50, 200]) writeFileSync(join(place, `${grey}.jpeg`), greys[grey]!);
    const code = `
import pyarrow as pa, pyarrow.parquet as pq
def write(path, rows):
    cells = [{'bytes': open(f'{grey}.jpeg', 'rb').read(), 'path': None} for grey, _ in rows]
    kind = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
    pq.write_table(pa.table({'image': pa.array(cells, kind), 'label': pa.array([c for _, c in rows], pa.int64())}), path)
write('train-00000-of-00002.parquet', [(3, 7), (50, 199)])
write('train-00001-of-00002.parquet', [(200, 0)])
write('valid-00000-of-00001.parquet', [(50, 5)])`;
    execFileSync(python, ['-c', code], { cwd: place });
    const data = await tinyImagenet(place, { test: 1, normalize: 'none' });
    const size = 64 * 64 * 3;
    expect([...data.train.labels!, ...data.test!.labels!]).toEqual([7, 199, 0, 5]);
    const greysOf = [0, 1, 2].map((i) => Math.round(255 * data.train.inputs[(i + 1) * size - 1]!));
    expect([...greysOf, Math.round(255 * data.test!.inputs[0]!)]).toEqual([3, 50, 200, 50]);
    rmSync(join(place, 'train-00001-of-00002.parquet'));
    await expect(tinyImagenet(place)).rejects.toThrow(/and not train-00001-of-00002\.parquet/);
  });

  it('refuses what is missing or damaged, by its path', async () => {
    await expect(tinyImagenet(join(parent, 'none'))).rejects.toThrow(
      /^tinyImagenet: there is neither tiny-imagenet-200\.zip nor tiny-imagenet-200 nor train….parquet in .*data get tiny-im/,
    );
    const place = join(parent, 'damaged');
    mkdirSync(place);
    const zip = join(place, `${FOLDER}.zip`);
    writeZip(zip, official(1));
    await expect(tinyImagenet(place, { train: 201 })).rejects.toThrow('201 examples are asked for, 200 are there');
    const bytes = readFileSync(zip);
    writeFileSync(zip, bytes.subarray(0, bytes.length - 3));
    await expect(tinyImagenet(place)).rejects.toThrow(/can't be read as a zip archive: .*Get it anew/);
    const at = bytes.indexOf(greys[greyOf(199, 0)]!);
    bytes[at + 150] = bytes[at + 150]! ^ 1;
    writeFileSync(zip, bytes);
    await expect(tinyImagenet(place)).rejects.toThrow(/is damaged: .*images\/n\d+_0\.JPEG does not have its checksum/);
    const small = await greyJpeg(7, 32);
    writeZip(
      zip,
      [...official(1)].map(([name, content]) => [name, name.includes(`${sorted[3]}_0`) ? small : content] as const),
    );
    await expect(tinyImagenet(place)).rejects.toThrow(/_0\.JPEG in .* has 32 × 32 pixels, and it should have 64 × 64/);
    writeZip(
      zip,
      [...official(1)].map(
        ([name, content]) => [name, name.includes(`${sorted[3]}_0`) ? Buffer.from('x') : content] as const,
      ),
    );
    await expect(tinyImagenet(place)).rejects.toThrow(/_0\.JPEG in .*: the image can't be decoded/);
  });
});

describe('openZip', () => {
  it('opens archives of more files than a number of 16 bits counts', async () => {
    const zip = await openZip('test', join(parent, FOLDER, `${FOLDER}.zip`));
    expect(zip.names.length).toBe(2 + 200 * 501 + 1 + 20_000);
    expect((await zip.read(`${FOLDER}/val/images/val_9999.JPEG`)).equals(greys[9999 % 256]!)).toBe(true);
    await expect(zip.read('none')).rejects.toThrow(/has no none\. Get it anew/);
    zip.close();
  });
});

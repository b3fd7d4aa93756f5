import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  createReadStream,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archives } from '../../src/datasets/archives/archives.ts';
import { checkArchive } from '../../src/datasets/archives/checkArchive.ts';
import { getArchive } from '../../src/datasets/archives/getArchive.ts';
import { stl10 } from '../../src/datasets/stl10.ts';
import { checksums } from '../../src/files/checksums.ts';
import { everything } from '../helpers/everything.ts';

const SIDE = 96;
const SIZE = 3 * SIDE * SIDE;
const files = ['train_X.bin', 'train_y.bin', 'test_X.bin', 'test_y.bin'];
let parent: string;
let folder: string;

/** A pixel that depends on the image, the channel, the row and the column, so that no two places can be confused. */
const pixel = (image: number, channel: number, row: number, column: number) =>
  (37 * image + 101 * channel + 7 * row + 3 * column + row * column) % 256;

/** Images with known pixels as the official files have them, and zeros behind them, up to `count` images. */
function writeImages(path: string, known: number, count: number, first: number): void {
  const bytes = new Uint8Array(known * SIZE);
  for (let i = 0; i < known; i++)
    for (let c = 0; c < 3; c++)
      for (let column = 0; column < SIDE; column++)
        for (let row = 0; row < SIDE; row++)
          bytes[i * SIZE + (c * SIDE + column) * SIDE + row] = pixel(first + i, c, row, column);
  const file = openSync(path, 'w');
  writeSync(file, bytes);
  ftruncateSync(file, count * SIZE);
  closeSync(file);
}

beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'stl10-'));
  folder = join(parent, 'stl10_binary');
  mkdirSync(folder);
  writeImages(join(folder, 'train_X.bin'), 4, 5000, 0);
  writeImages(join(folder, 'test_X.bin'), 2, 8000, 50);
  const labels = (count: number, first: number) => Uint8Array.from({ length: count }, (_, i) => 1 + ((first + i) % 10));
  writeFileSync(join(folder, 'train_y.bin'), labels(5000, 8));
  writeFileSync(join(folder, 'test_y.bin'), labels(8000, 3));
  writeFileSync(join(folder, 'class_names.txt'), 'airplane\n');
  // No file that could be read.
  mkdirSync(join(folder, 'unlabeled_X.bin'));
});
afterAll(() => rmSync(parent, { recursive: true }));

describe('stl10', () => {
  it('puts the channels last, row by row, of planes that are written column by column', async () => {
    const { train, test, inputShape } = await stl10(folder, { train: 4, test: 2, normalize: 'none' });
    expect(inputShape).toEqual([96, 96, 3]);
    const wrong: number[] = [];
    for (const [split, first, count] of [[train, 0, 4] as const, [test!, 50, 2] as const])
      for (let i = 0; i < count; i++)
        for (let row = 0; row < SIDE; row++)
          for (let column = 0; column < SIDE; column++)
            for (let c = 0; c < 3; c++) {
              const at = ((i * SIDE + row) * SIDE + column) * 3 + c;
              if (split.inputs[at] !== Math.fround(pixel(first + i, c, row, column) / 255)) wrong.push(at);
            }
    expect(wrong).toEqual([]);
  });

  it('counts labels from 0, in the order of the classes', async () => {
    const { train, test, classes, metadata } = await stl10(parent, { train: 4, test: 1 });
    expect([...train.labels!, ...test!.labels!]).toEqual([8, 9, 0, 1, 3]);
    expect([classes![0], classes![7], classes![9]]).toEqual(['airplane', 'monkey', 'truck']);
    expect(metadata).toMatchObject({
      name: 'stl10',
      sources: await Promise.all(
        files.map(async (file) => ({ file, sha256: (await checksums(join(folder, file))).sha256 })),
      ),
    });
  });

  it('scales each channel by the chosen training examples', async () => {
    const raw = await stl10(folder, { train: 3, normalize: 'none' });
    const { train, metadata } = await stl10(folder, { train: 3 });
    const mean = metadata.mean as number[];
    const std = metadata.std as number[];
    for (const c of [0, 1, 2]) {
      const values = raw.train.inputs.filter((_, k) => k % 3 === c);
      expect(mean[c]).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 7);
      expect(train.inputs[c]).toBeCloseTo((values[0]! - mean[c]!) / std[c]!, 5);
    }
  });

  it('is refused where a file is missing, cut off, or has a label that is none', async () => {
    const other = join(parent, 'other');
    await expect(stl10(other)).rejects.toThrow(
      `stl10: there is no train_X.bin in ${other} or in ${join(other, 'stl10_binary')}. \`npx brink data get stl-10\``,
    );
    mkdirSync(other);
    linkSync(join(folder, 'train_X.bin'), join(other, 'train_X.bin'));
    await expect(stl10(other)).rejects.toThrow(`${join(other, 'train_y.bin')} can't be read (ENOENT).`);
    writeFileSync(join(other, 'train_y.bin'), new Uint8Array(5000).fill(1, 0, 4000));
    await expect(stl10(other)).rejects.toThrow(`label 4000 of ${join(other, 'train_y.bin')} is 0. Labels are 1 … 10.`);
    writeFileSync(join(other, 'train_y.bin'), new Uint8Array(5000).fill(11));
    await expect(stl10(other)).rejects.toThrow(`label 0 of ${join(other, 'train_y.bin')} is 11.`);
    rmSync(join(other, 'train_X.bin'));
    writeImages(join(other, 'train_X.bin'), 1, 4999, 0);
    await expect(stl10(other)).rejects.toThrow(
      `${join(other, 'train_X.bin')} has ${4999 * SIZE} bytes, and should have ${5000 * SIZE}.`,
    );
    await expect(stl10(folder, { trian: 3 } as object)).rejects.toThrow("there is no option 'trian'");
    await expect(stl10(undefined as never)).rejects.toThrow('stl10: the folder is missing.');
  });
});

describe('the archive of STL-10', { timeout: 120_000 }, () => {
  it('is that of its authors', () => {
    const { url, size, md5, folder: unpacked } = archives['stl-10']!;
    expect({ url, size, md5, unpacked }).toEqual({
      url: 'http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz',
      size: 2_640_397_119,
      md5: '91f7769df0f17e558f3565bffb0c7dfb',
      unpacked: 'stl10_binary',
    });
    expect(Object.keys(archives['stl-10']!.files)).toEqual(files);
  });

  it.runIf(everything)('is downloaded, and nothing but train and test is unpacked and checked', async () => {
    const source = join(parent, 'source');
    mkdirSync(join(source, 'stl10_binary'), { recursive: true });
    for (const file of [...files, 'class_names.txt']) {
      linkSync(join(folder, file), join(source, 'stl10_binary', file));
    }
    writeFileSync(join(source, 'stl10_binary', 'unlabeled_X.bin'), new Uint8Array(3 * SIZE));
    const path = join(parent, 'stl10.tar.gz');
    await create({ gzip: { level: 1 }, file: path, cwd: source }, ['stl10_binary']);
    const server = createServer((_, response) => createReadStream(path).pipe(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const md5 = async (file: string) => ({ md5: (await checksums(join(folder, file))).md5 });
      const archive = {
        ...archives['stl-10']!,
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/stl10_binary.tar.gz`,
        size: statSync(path).size,
        ...(await checksums(path)),
        files: Object.fromEntries(await Promise.all(files.map(async (file) => [file, await md5(file)] as const))),
      };
      const directory = join(parent, 'data');
      const { folder: unpacked, made } = await getArchive(archive, { directory });
      expect([unpacked, made]).toEqual([join(directory, 'stl10_binary'), true]);
      expect(readdirSync(unpacked).sort()).toEqual(files.toSorted());
      expect(readdirSync(directory)).toEqual(['stl10_binary']);
      expect((await checkArchive(archive, directory)).map(({ state }) => state)).toEqual(new Array(4).fill('right'));
      const { train } = await stl10(directory, { train: 4, normalize: 'none' });
      const expected = await stl10(folder, { train: 4, normalize: 'none' });
      expect(createHash('sha256').update(train.inputs).digest('hex')).toBe(
        (expected.metadata.train as { inputsSha256: string }).inputsSha256,
      );
      writeFileSync(join(unpacked, 'test_y.bin'), new Uint8Array(8000));
      const labels = { ...archive, files: { 'test_y.bin': archive.files['test_y.bin']! } };
      expect((await checkArchive(labels, directory)).map(({ state }) => state)).toEqual(['wrong']);
    } finally {
      server.close();
    }
  });
});

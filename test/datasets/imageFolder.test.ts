import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { imageFolder } from '../../src/datasets/imageFolder.ts';
import { colourPng, greyJpeg } from '../helpers/greyJpeg.ts';

const [WIDTH, HEIGHT] = [5, 3];
/** A pixel that depends on image, row, column and channel. */
const pixel = (image: number, row: number, column: number, channel: number) =>
  (53 * image + 29 * row + 7 * column + 101 * channel) % 256;
const image = (k: number) =>
  colourPng(
    Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) =>
      pixel(k, Math.floor(i / 3 / WIDTH), Math.floor(i / 3) % WIDTH, i % 3),
    ),
    WIDTH,
    HEIGHT,
  );

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brink-images-'));
  for (const [c, name] of ['dog', 'ant'].entries()) {
    mkdirSync(join(folder, 'all', name), { recursive: true });
    for (let k = 0; k < 3; k++) writeFileSync(join(folder, 'all', name, `${k}.png`), await image(10 * c + k));
  }
  writeFileSync(join(folder, 'all', 'dog', '.DS_Store'), 'x');
});
afterEach(() => rmSync(folder, { recursive: true }));
const all = () => join(folder, 'all');

describe('imageFolder', () => {
  it('has a class for each folder, by name, and pixels where they belong, of images that are not square', async () => {
    const data = await imageFolder(all(), { normalize: 'none' });
    expect(data).toMatchObject({ name: 'images', inputShape: [HEIGHT, WIDTH, 3], classes: ['ant', 'dog'], test: null });
    expect([...data.train.labels!]).toEqual([0, 0, 0, 1, 1, 1]);
    const known = [10, 11, 12, 0, 1, 2].flatMap((k) =>
      Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) =>
        Math.fround(pixel(k, Math.floor(i / 3 / WIDTH), Math.floor(i / 3) % WIDTH, i % 3) / 255),
      ),
    );
    expect([...data.train.inputs]).toEqual(known);
    const balanced = await imageFolder(all(), { train: 4, subset: 'balanced' });
    expect([...balanced.train.labels!]).toEqual([0, 0, 1, 1]);
  });

  it('takes train and test from folders of these names', async () => {
    const place = join(folder, 'both');
    cpSync(all(), join(place, 'train'), { recursive: true });
    cpSync(join(all(), 'dog'), join(place, 'val', 'dog'), { recursive: true });
    const data = await imageFolder(place, { test: 2, normalize: 'none' });
    expect([...data.test!.labels!]).toEqual([1, 1]);
    expect(data.test!.inputs[0]).toBe(Math.fround(pixel(0, 0, 0, 0) / 255));
    mkdirSync(join(place, 'val', 'cat'));
    await expect(imageFolder(place, { test: 2 })).rejects.toThrow(/val\/cat is none of the classes ant, dog/);
    await expect(imageFolder(all(), { test: 1 })).rejects.toThrow("has no folders 'train' and 'test'");
  });

  it('follows links to classes and splits, and refuses one that leads nowhere', async () => {
    const place = join(folder, 'linked');
    mkdirSync(join(place, 'train'), { recursive: true });
    for (const name of ['ant', 'dog']) symlinkSync(join(all(), name), join(place, 'train', name));
    symlinkSync(all(), join(place, 'test'));
    const data = await imageFolder(place, { test: 6 });
    expect([data.classes, [...data.train.labels!], [...data.test!.labels!]]).toEqual([
      ['ant', 'dog'],
      [0, 0, 0, 1, 1, 1],
      [0, 0, 0, 1, 1, 1],
    ]);
    symlinkSync(join(folder, 'nowhere'), join(place, 'train', 'cat'));
    await expect(imageFolder(place)).rejects.toThrow(/train\/cat can't be read \(ENOENT\)/);
  });

  it('refuses by its path what is no image, or has another size, is transparent or damaged', async () => {
    const bad = join(all(), 'dog', '2.png');
    const refused = (message: RegExp) => expect(imageFolder(all())).rejects.toThrow(message);
    writeFileSync(bad, await greyJpeg(7, 4));
    await refused(/^images: .*dog\/2\.png has 4 × 4 pixels, and the first 3 × 5\. All must have one size/);
    writeFileSync(
      bad,
      await sharp(await image(1))
        .ensureAlpha(0.5)
        .png()
        .toBuffer(),
    );
    await refused(/dog\/2\.png: the image is transparent/);
    writeFileSync(bad, (await image(1)).subarray(0, 60));
    await refused(/dog\/2\.png: the image can't be decoded/);
    writeFileSync(bad, await image(1));
    writeFileSync(join(all(), 'ant', 'notes.txt'), 'x');
    await refused(/ant\/notes\.txt is none of \.jpg, \.jpeg, \.png, \.webp\. Take it out/);
    rmSync(join(all(), 'ant', 'notes.txt'));
    writeFileSync(bad, '');
    await refused(/dog\/2\.png: the image can't be decoded/);
    writeFileSync(bad, await image(1));
    writeFileSync(join(all(), 'stray.png'), await image(1));
    await refused(/stray\.png lies in no class\. Put it into one/);
    rmSync(join(all(), 'stray.png'));
    mkdirSync(join(all(), 'ant', 'more'));
    await refused(/ant\/more is a folder within a class/);
    await expect(imageFolder(join(folder, 'none'))).rejects.toThrow(/none can't be read \(ENOENT\)/);
    mkdirSync(join(folder, 'flat'));
    writeFileSync(join(folder, 'flat', 'a.png'), await image(1));
    await expect(imageFolder(join(folder, 'flat'))).rejects.toThrow('there are no folders in');
  });
});

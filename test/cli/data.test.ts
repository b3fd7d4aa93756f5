import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { greyJpeg } from '../helpers/greyJpeg.ts';
import { brink } from './brinkProcess.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-data-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = (file: string) => join(import.meta.dirname, '../../fixtures/data', file);

describe('brink data', { timeout: 120_000 }, () => {
  it('fails where the archive can’t be had, with the reason', async () => {
    const args = ['data', 'get', 'cifar-10', '--folder', folder, '--url', 'http://127.0.0.1:1/cifar.tar.gz'];
    const { code, stderr } = await brink(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^data: http:\/\/127\.0\.0\.1:1\/cifar\.tar\.gz can't be reached: /);
  });

  it('checks what is there, file by file', async () => {
    expect(await brink(['data', 'check', '--folder', folder])).toMatchObject({
      code: 1,
      stderr: `data: there is no data set in ${folder}. \`brink data get cifar-10\` brings one.\n`,
    });
    mkdirSync(join(folder, 'cifar-100-binary'));
    writeFileSync(join(folder, 'cifar-100-binary', 'train.bin'), 'damaged');
    const { code, stdout } = await brink(['data', 'check', '--folder', folder]);
    expect(code).toBe(1);
    expect(stdout).toBe(`wrong   ${folder}/cifar-100-binary/train.bin\nmissing ${folder}/cifar-100-binary/test.bin\n`);
    const found = JSON.parse((await brink(['data', 'check', 'cifar-100', '--folder', folder, '--json'])).stdout);
    expect(found).toMatchObject([{ data: 'cifar-100', files: [{ state: 'wrong' }, { state: 'missing' }] }]);
  });

  it('names the nearest where there is no such data set', async () => {
    const { code, stderr } = await brink(['data', 'get', 'cifar10']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      "data: there is no data set 'cifar10'. Did you mean cifar-10? There are cifar-10, cifar-100, stl-10, tiny-imagenet.\n",
    );
  });
});

describe('brink data show', { timeout: 60_000 }, () => {
  it('tells of a table its columns, then its examples as training would have them', async () => {
    const path = fixture('table.csv');
    const { code, stdout } = await brink(['data', 'show', `table:${path}:label=kind:inputs=width,count:test=2`]);
    expect(code).toBe(0);
    expect(stdout).toContain('table.csv  SHA-256 518b2a7b2c2682fa56ccda7d4ff86d8efd067672d01a191153c34f26727fbec9\n');
    expect(stdout).toMatch(/^ {2}count +numbers +\[6\] +0 +1 … 9 +5$/m);
    expect(stdout).toMatch(/^ {2}kind +text +\[6\] +0 +3$/m);
    expect(stdout).toMatch(/^table: inputs \[2\], 3 outputs, float32$/m);
    expect(stdout).toMatch(/^ {2}examples +4 +2$/m);
    expect(stdout).toMatch(/^ {2}class ant +1 +1$/m);
    expect(stdout).toMatch(/^ {8}dog +2 +0$/m);
  });

  it('tells of a folder of images how many each class has, and by its path what does not fit', async () => {
    const photos = join(folder, 'photos');
    for (const [name, count] of [
      ['ant', 3],
      ['dog', 1],
    ] as const) {
      mkdirSync(join(photos, name), { recursive: true });
      for (let k = 0; k < count; k++) writeFileSync(join(photos, name, `${k}.jpg`), await greyJpeg(40 * k, 12));
    }
    const { code, stdout } = await brink(['data', 'show', `images:${photos}:normalize=none`]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^images: inputs \[12, 12, 3\], 2 outputs, float32$/m);
    expect(stdout).toMatch(/^ {2}class ant +3$/m);
    expect(stdout).toMatch(/^ {8}dog +1$/m);
    writeFileSync(join(photos, 'dog', '1.jpg'), await greyJpeg(1, 13));
    expect(await brink(['data', 'show', `images:${photos}`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${join(photos, 'dog', '1.jpg')} has 13 × 13 pixels, and the first 12 × 12.`),
    });
    const noisy = await brink(['data', 'show', 'digits:train=100:subset=balanced:subsetSeed=2:labelNoise=1', '--json']);
    expect(JSON.parse(noisy.stdout).data.metadata).toMatchObject({ subsetSeed: 2, labelNoise: { share: 1, seed: 0 } });
  });

  it('tells of what is missing, also where nothing can be trained on it, and why', async () => {
    const args = ['data', 'show', `table:${fixture('gap.parquet')}:label=kind`, '--json'];
    const { code, stdout } = await brink(args);
    expect(code).toBe(1);
    const shown = JSON.parse(stdout);
    expect(shown.file.parts[1]).toMatchObject({ name: 'count', missing: 1, range: [1, 9], distinct: 5 });
    expect(shown.data).toBe(null);
    expect(shown.refused).toContain("row 3 (the first is 0), column 'count' is missing.");
    const missing = await brink(['data', 'show', `file:${fixture('stored.npz')}`]);
    expect(missing.stdout).toMatch(/^ {2}missing +<f8 +\[6, 3\] +1 +0 … 2\.429 +17$/m);
    const objects = await brink(['data', 'show', `file:${fixture('objects.npy')}`]);
    expect(objects.stdout).toMatch(/^ {2}data: .*objects\.npy has the type '\|O'\./m);
    expect(missing.stderr).toContain("has no array 'labels'. It has inputs, big,");
  });

  it('tells of any other data set mean, spread, dead entries and repeated examples', async () => {
    const path = join(folder, 'repeated.csv');
    writeFileSync(path, 'x,z,y\n1,5,2\n3,5,4\n1,5,3\n3,5,1\n1,5,0\n');
    const { stdout } = await brink(['data', 'show', `table:${path}:targets=y`, '--json']);
    expect(JSON.parse(stdout).data.train).toMatchObject({
      count: 5,
      constantEntries: 1,
      repeated: 3,
      targets: { range: [0, 4], mean: 2, std: expect.closeTo(Math.sqrt(2), 12) },
    });
    const digits = JSON.parse((await brink(['data', 'show', 'digits:train=30:subset=balanced', '--json'])).stdout);
    expect(digits).toMatchObject({ file: null, refused: null, data: { inputShape: [64], test: null } });
    expect(Object.values(digits.data.train.classes)).toEqual(new Array(10).fill(3));
  });
});

describe("one's own file on the command line", { timeout: 120_000 }, () => {
  const small = ['--model', 'mlp:hidden=3', '--learning-rate', '0.1', '--steps', '3', '--probe', 'trainingLoss'];
  const command = (...args: string[]) => brink(args, { BRINK_ENGINE: 'wasm' });

  it('is trained on, recorded, and found again by its checksum wherever it lies', async () => {
    const out = join(folder, 'own');
    const data = `table:${fixture('table-zstd.parquet')}:label=kind:inputs=width,count:normalize=each`;
    const live = await command('run', '--data', data, ...small, '--record', '--out', out);
    expect([live.code, live.stderr]).toEqual([0, expect.stringContaining('finished: 4 steps')]);
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).metadata).toMatchObject({
      source: {
        objective: { data: { name: 'table', sources: [{ file: 'table-zstd.parquet' }], options: { label: 'kind' } } },
      },
    });
    const moved = join(folder, 'moved.parquet');
    copyFileSync(fixture('table-zstd.parquet'), moved);
    const replay = (path: string) =>
      command(
        'replay',
        join(out, 'recording.arrows'),
        '--data',
        path,
        '--probe',
        'edge',
        '--out',
        ...[join(folder, 'again'), '--force'],
      );
    expect(await replay(moved)).toMatchObject({ code: 0 });
    const other = await replay(fixture('table-gzip.parquet'));
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/^tableData: .*table-gzip\.parquet is another file than is meant/);
  });

  it.each([
    ['file', 2, 'data set file: path is missing'],
    ['file:nowhere.npz', 1, "nowhere.npz can't be read (ENOENT)"],
    ['stl10:nowhere:train=3', 1, 'there is no train_X.bin in nowhere or in nowhere/stl10_binary.'],
    ['table:a.csv:label=y:lable=z', 2, "there is no option 'lable'. Did you mean label?"],
    ['table:a.csv:path=b.csv', 2, 'path is given twice'],
    ['files:a.csv', 2, "there is no data set 'files:a.csv'."],
    ['chebyshev:a.csv', 2, "there is no data set 'chebyshev:a.csv'."],
  ])('is refused as %s', async (data, code, message) => {
    const { code: found, stderr } = await brink(['data', 'show', data]);
    expect(stderr).toContain(message);
    expect(found).toBe(code);
  });

  it('has columns whose names are words that could be values', async () => {
    const path = join(folder, '2024.tsv');
    writeFileSync(path, 'a1\t true\ty\n1\t2\t3\n');
    const shown = await brink(['data', 'show', `table:path=${path}:inputs=true:targets=y`, '--json']);
    expect(JSON.parse(shown.stdout).data.inputShape).toEqual([1]);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brink } from './brinkProcess.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-data-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

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
      "data: there is no data set 'cifar10'. Did you mean cifar-10? There are cifar-10, cifar-100.\n",
    );
  });
});

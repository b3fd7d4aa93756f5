import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { brink } from './brinkProcess.ts';

describe('brink', () => {
  let empty: string;
  beforeAll(() => {
    empty = mkdtempSync(join(tmpdir(), 'brink-'));
  });
  afterAll(() => rmSync(empty, { recursive: true }));

  it('prints the version of the package', async () => {
    expect(await brink(['--version'])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['measure']],
    ['an unknown option', ['engine', '--fast']],
    ['a missing argument', ['recover']],
  ])('exits with 2 and points to the usage on %s', async (_, args) => {
    const { code, stdout, stderr } = await brink(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/Usage: brink|Add --help for what there is\./);
  });

  it('exits with 1 and the reason, without a stack, where a command fails', async () => {
    const missing = join(empty, 'missing');
    const { code, stderr } = await brink(['recover', missing]);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^recover: .*${missing}.*\n$`));
  });

  it('lists every engine with its speed, or the reason why it can’t be used', async () => {
    const env = { XDG_CACHE_HOME: empty, BRINK_ENGINE: 'wasm' };
    const { code, stdout } = await brink(['engine', '--json'], env);
    expect(code).toBe(0);
    const [webgpu, tensorflow, wasm] = JSON.parse(stdout);
    expect(webgpu.name).toBe('webgpu');
    if (!webgpu.usable) expect(webgpu.reason).toContain("the engine webgpu can't load: ");
    expect(tensorflow).toEqual({
      name: 'tensorflow',
      usable: false,
      reason: expect.stringContaining('it is not installed. `npx brink engine install` makes it.'),
    });
    expect(wasm).toMatchObject({ name: 'wasm', usable: true, device: expect.stringMatching(/^CPU, \d threads?$/) });
    expect(wasm.chosen).toBe('BRINK_ENGINE is wasm');
    expect(wasm.product.milliseconds).toBeGreaterThan(1);
    expect(wasm.gigaflops.matMul).toBeGreaterThan(0.1);
    expect(wasm.gigaflops.conv2d).toBeGreaterThan(0.1);
  });
});

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { nativeBuild } from '../../src/engine/install/nativeBuild.ts';
import { ENGINE_NAMES, type EngineName, openEngine } from '../../src/engine/openEngine.ts';

const name = (process.env.BRINK_ENGINE ?? 'wasm') as EngineName;
const other = ENGINE_NAMES.find((engine) => engine !== name)!;

afterEach(() => vi.unstubAllEnvs());

describe('openEngine', () => {
  it('refuses an unknown name, in the call or in BRINK_ENGINE, and says which there are', async () => {
    await expect(openEngine('webgl' as EngineName)).rejects.toThrow(
      "openEngine: the name is 'webgl'. It must be one of tensorflow, wasm, cpu.",
    );
    vi.stubEnv('BRINK_ENGINE', 'cuda');
    await expect(openEngine()).rejects.toThrow(
      "openEngine: BRINK_ENGINE is 'cuda'. It must be one of tensorflow, wasm, cpu.",
    );
  });

  it('opens one engine for the process, for all who ask, and computes with it', async () => {
    vi.stubEnv('BRINK_ENGINE', name);
    const engines = await Promise.all([openEngine(), openEngine(name), openEngine()]);
    expect(new Set(engines).size).toBe(1);
    expect(engines[0]!.name).toBe(name);
    expect(tf.getBackend()).toBe(name);
    expect(engines[0]!.version).toMatch(/\d+\.\d+\.\d+/);
    expect(engines[0]!.device).toMatch(/^(CPU, \d+ threads?|GPU.*)$/);
    expect([...tf.tidy(() => tf.matMul([[1, 2]], [[3], [4]]).dataSync())]).toEqual([11]);
  });

  it('refuses a second engine in one process', async () => {
    await openEngine(name);
    await expect(openEngine(other)).rejects.toThrow(
      `openEngine: ${other} was asked for, and ${name} is open. A process has one engine; ask for it by name at the first call, or set BRINK_ENGINE=${other}.`,
    );
    expect(tf.getBackend()).toBe(name);
    expect((await openEngine(name)).name).toBe(name);
  });
});

// In processes of their own, so once is enough.
describe.runIf(name === 'wasm')('where the native engine is not installed', () => {
  let cache: string;
  beforeAll(() => {
    cache = mkdtempSync(join(tmpdir(), 'cache-'));
  });
  afterAll(() => rmSync(cache, { recursive: true }));

  /** Runs a program in a process of its own whose cache is `cache`. */
  function child(program: string, engine?: string): Promise<{ stdout: string; stderr: string; code: unknown }> {
    const { BRINK_ENGINE: _, ...environment } = process.env;
    const env = { ...environment, XDG_CACHE_HOME: cache, ...(engine && { BRINK_ENGINE: engine }) };
    const module = new URL('../../src/engine/openEngine.ts', import.meta.url).href;
    const source = `import { openEngine } from '${module}';\n${program}`;
    return new Promise((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', source], { env }, (error, stdout, stderr) =>
        resolve({ stdout, stderr, code: error?.code ?? 0 }),
      );
    });
  }
  const print = 'console.log((await openEngine()).name);';

  it('BRINK_ENGINE=tensorflow is an error with the reason and what to do, never another engine', async () => {
    const { stdout, stderr, code } = await child(print, 'tensorflow');
    expect(stderr).toContain(
      "openEngine: the engine tensorflow can't load: it is not installed. `npx brink engine install` makes it.",
    );
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  it('no name falls to WebAssembly, with a warning that says why', async () => {
    const { stdout, stderr, code } = await child(print);
    expect(stdout).toBe('wasm\n');
    expect(stderr).toMatch(/BrinkWarning: openEngine: the engine tensorflow can't load: it is not installed\./);
    expect(stderr).toContain('BRINK_ENGINE=wasm chooses it without this warning.');
    expect(code).toBe(0);
  });

  it('BRINK_ENGINE=wasm opens it without a word', async () => {
    expect(await child(print, 'wasm')).toEqual({ stdout: 'wasm\n', stderr: '', code: 0 });
  });

  it('the process can still open another one', async () => {
    const { stdout } = await child(
      "await openEngine('tensorflow').catch((error) => console.log(error.name)); console.log((await openEngine('wasm')).name);",
    );
    expect(stdout).toBe('BrinkError\nwasm\n');
  });

  it('or is there but broken, the error of BRINK_ENGINE=tensorflow names the file and what the loader said', async () => {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    const { folder, binding } = nativeBuild('cpu');
    mkdirSync(folder, { recursive: true });
    writeFileSync(binding, 'not a library');
    const { stderr, code } = await child(print, 'tensorflow');
    rmSync(folder, { recursive: true });
    expect(stderr).toContain(`openEngine: the engine tensorflow can't load: ${binding}: `);
    expect(stderr).toMatch(/invalid ELF header|file too short|not a mach-o|not a valid/i);
    expect(code).toBe(1);
  });
});

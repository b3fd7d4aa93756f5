import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BINDING, hasPackage, nativeBuild } from '../../src/engine/install/nativeBuild.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';

const root = join(import.meta.dirname, '../..');

/** Runs a module in a process of its own, within the repository. */
async function runModule(source: string, env: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string }> {
  const options = { cwd: root, env: { ...process.env, ...env } };
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], options).catch((error) => error);
}

/** Opens an engine, and prints the bits of a gradient through a convolution and a long matrix product. */
const GRADIENT = `
  import { createHash } from 'node:crypto';
  import * as tf from '@tensorflow/tfjs';
  import { openEngine } from './src/engine/openEngine.ts';
  const engine = await openEngine();
  const x = tf.randomNormal([64, 16, 16, 3], 0, 1, 'float32', 1);
  const w = tf.randomNormal([3, 3, 3, 8], 0, 1, 'float32', 2);
  const v = tf.randomNormal([2048, 10], 0, 1, 'float32', 3);
  const loss = (w, v) => tf.matMul(tf.reshape(tf.relu(tf.conv2d(x, w, 1, 'same')), [64, 2048]), v).square().mean();
  const hash = createHash('sha256');
  for (const g of tf.grads(loss)([w, v])) hash.update(new Uint8Array((await g.data()).slice().buffer));
  console.log(engine.name, hash.digest('hex'));
`;

/** Runs a module in a worker thread of a process of its own. */
const inWorker = (source: string) => `
  import { Worker } from 'node:worker_threads';
  new Worker(${JSON.stringify(source)}, { eval: true, execArgv: ['--input-type=module'] });
`;

const NAME_ONLY = `
  import { openEngine } from './src/engine/openEngine.ts';
  console.log((await openEngine()).name);
`;

describe('openEngine', () => {
  const asked = process.env.BRINK_ENGINE as EngineName;

  it('opens the engine that BRINK_ENGINE names, once for the process', async () => {
    const [engine, again] = await Promise.all([openEngine(), openEngine(asked)]);
    expect(engine.name).toBe(asked);
    expect(tf.getBackend()).toBe(asked);
    expect(again).toBe(engine);
  });

  it.runIf(asked === 'wasm')('tells how many threads WebAssembly computes on', async () => {
    const threads = Math.min(8, availableParallelism());
    expect((await openEngine()).device).toBe(threads === 1 ? 'CPU, 1 thread' : `CPU, ${threads} threads`);
  });

  it.runIf(['tensorflow', 'wasm'].includes(asked))(
    'computes on as many threads as BRINK_THREADS says, and refuses what is no count',
    async () => {
      const program = `
      import { openEngine } from './src/engine/openEngine.ts';
      console.log((await openEngine()).device);
    `;
      const [one, none] = await Promise.all(['1', 'many'].map((count) => runModule(program, { BRINK_THREADS: count })));
      if (!one!.stdout.includes('GPU')) expect(one!.stdout).toBe('CPU, 1 thread\n');
      expect(none!.stderr).toContain("BRINK_THREADS is 'many'. It must be a positive integer");
    },
  );

  it('refuses a second engine, by both names', async () => {
    await openEngine();
    await expect(openEngine('cpu')).rejects.toThrow(`openEngine: cpu was asked for, and ${asked} is open.`);
  });

  it('refuses a name that is no engine, and lists those that are', async () => {
    await expect(openEngine('gpu' as EngineName)).rejects.toThrow(
      "openEngine: the name is 'gpu'. It must be one of tensorflow, webgpu, wasm, cpu.",
    );
  });

  it('gives the same bits in two processes, and prints nothing of its own', async () => {
    const env = { BRINK_ENGINE: asked };
    const first = await runModule(GRADIENT, env);
    expect(first.stderr).toBe('');
    expect(first.stdout).toMatch(new RegExp(`^${asked} [0-9a-f]{64}\n$`));
    expect((await runModule(GRADIENT, env)).stdout).toBe(first.stdout);
  });

  it('gives the same bits in a worker thread, prints nothing of its own there, and lets the process end', async () => {
    const env = { BRINK_ENGINE: asked };
    const { stdout } = await runModule(GRADIENT, env);
    expect(await runModule(inWorker(GRADIENT), env)).toEqual({ stdout, stderr: '' });
  });

  it.runIf(asked === 'tensorflow')('applies its settings in a worker thread, but for those that are set', async () => {
    const source = `
      import { openEngine } from './src/engine/openEngine.ts';
      process.env.TF_CUDNN_USE_AUTOTUNE = '1';
      await openEngine();
      // What the process's libraries see, where process.env is a copy.
      const { TF_DETERMINISTIC_OPS, NVIDIA_TF32_OVERRIDE, TF_CUDNN_USE_AUTOTUNE } =
        process.report.getReport().environmentVariables;
      console.log(TF_DETERMINISTIC_OPS, NVIDIA_TF32_OVERRIDE, TF_CUDNN_USE_AUTOTUNE);
    `;
    const { stdout, stderr } = await runModule(inWorker(source), { BRINK_ENGINE: asked });
    expect({ stdout, stderr }).toEqual({ stdout: '1 0 1\n', stderr: '' });
  });
});

describe('openEngine without a native build that loads', () => {
  let cache: string;
  beforeAll(() => {
    cache = mkdtempSync(join(tmpdir(), 'brink-'));
  });
  afterAll(() => rmSync(cache, { recursive: true }));

  it('is an error with the reason where the native engine was named', async () => {
    const { stdout, stderr } = await runModule(NAME_ONLY, { XDG_CACHE_HOME: cache, BRINK_ENGINE: 'tensorflow' });
    expect(stdout).toBe('');
    expect(stderr).toContain(
      "BrinkError: openEngine: the engine tensorflow can't load: it is not installed. " +
        '`npx brink engine install` makes it.',
    );
  });

  it('warns, with the loader’s own words, and takes WebAssembly where no engine was named', async ({ skip }) => {
    if (!hasPackage(BINDING)) skip(`npm left out ${BINDING}`);
    const { binding } = nativeBuild('cpu');
    const broken = join(cache, 'brink', 'engine', dirname(binding).split('/').at(-1)!);
    mkdirSync(broken, { recursive: true });
    for (const name of ['quietLoad.node', 'tfjs_binding.node']) writeFileSync(join(broken, name), 'no library');
    const { stdout, stderr } = await runModule(NAME_ONLY, { XDG_CACHE_HOME: cache, BRINK_ENGINE: '' });
    expect(stdout).toBe('wasm\n');
    expect(stderr).toMatch(
      /BrinkWarning: openEngine: the engine tensorflow can't load: .*quietLoad\.node: file too short/,
    );
  });
});

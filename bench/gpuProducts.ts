// Exact Hessian-vector products of cnn6 and ResNet-9 on a GPU: brink's engine that BRINK_ENGINE names against PyTorch
// on CUDA, with the same bits looked for in two processes, and the memory of the device. bench/gpu.sh runs it.
// Usage: BRINK_ENGINE=tensorflow node bench/gpuProducts.ts [--only cnn6] [--rounds 11] [--torch-device cpu]
// [--without-torch]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { paramCount } from '../src/engine/Model.ts';
import { norm } from '../src/linalg/vector.ts';
import { conditions } from './conditions.ts';
import { startContender } from './contender.ts';
import { markdownTable } from './markdownTable.ts';
import { problems } from './problems.ts';
import { formatSpread, spread } from './spread.ts';
import { torchPython } from './torchPython.ts';
import { writeRandomProblem } from './writeRandomProblem.ts';

const engine = process.env.BRINK_ENGINE || 'tensorflow';
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '11' },
    'torch-device': { type: 'string', default: 'cuda' },
    'without-torch': { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(options.rounds);
const torchDevice = options['torch-device'];
const python = options['without-torch'] ? null : await orSay('PyTorch is left out', torchPython);
const program = (name: string) => fileURLToPath(new URL(`./contenders/${name}`, import.meta.url));

/** What `body` gives; where it fails null and a sentence, and the program ends with 1: the rest is worth having. */
async function orSay<T>(what: string, body: () => T | Promise<T>): Promise<T | null> {
  try {
    return await body();
  } catch (error) {
    console.log(`${what}: ${(error as Error).message}`);
    process.exitCode = 1;
    return null;
  }
}

/** MiB of the first GPU that are in use, by all programs; null without NVIDIA's tool. */
function deviceMemory(): number | null {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8' });
  return status === 0 ? Number(stdout.split('\n')[0]) : null;
}

/** Milliseconds a product in each round, after one to warm up, and what the last answer says. */
async function rounds(ask: () => Promise<{ seconds: number; bytes?: number }>) {
  const milliseconds: number[] = [];
  let last = await ask();
  for (let round = 0; round < ROUNDS; round++) {
    last = await ask();
    milliseconds.push(1000 * last.seconds);
  }
  return { milliseconds, bytes: last.bytes };
}

const versions = new Set<string>();

/** PyTorch's products of the problem in a folder: their row of the table, and how both compare, in lines. */
async function besideTorch(python: string, folder: string, name: string, own: Float32Array, ours: readonly number[]) {
  const command = [python, program('torch_cuda_products.py'), folder, name, torchDevice];
  const torch = await startContender('PyTorch', command);
  versions.add(torch.version);
  const { milliseconds, bytes } = await rounds(() => torch.ask(1));
  torch.end();
  const mebibytes = `${Math.round((bytes ?? 0) / 2 ** 20)} MiB (PyTorch)`;
  const read = (label: string) =>
    new Float64Array(new Uint8Array(readFileSync(join(folder, `product-torch-${label}.f64`))).buffer);
  const exact = read('float64');
  const error = (product: ArrayLike<number>) =>
    (norm(exact.map((x, k) => product[k]! - x)) / norm(exact)).toExponential(1);
  console.log(`relative error to float64: brink ${error(own)}, PyTorch in float32 ${error(read('float32'))}`);
  const ratio = spread(milliseconds).median / spread(ours).median;
  console.log(`PyTorch / brink, graph anew: ${ratio.toFixed(2)}\n`);
  return [`PyTorch, ${torchDevice}, graph anew`, formatSpread(milliseconds, 1), mebibytes];
}

async function measure(name: 'cnn6' | 'resnet9', folder: string): Promise<void> {
  const { model, examples } = problems[name];
  writeRandomProblem(folder, name);
  const idle = deviceMemory();
  const hashes: string[] = [];
  const table: string[][] = [];
  const times: number[][] = [];
  let own = new Float32Array();
  for (const mode of ['anew', 'kept']) {
    // The second process is for the bits.
    for (const again of [false, true]) {
      const command = [process.execPath, program('brink.ts'), folder, name, mode];
      const brink = await startContender('brink', command, { BRINK_ENGINE: engine });
      versions.add(brink.version);
      const bytes = readFileSync(join(folder, `product-${engine}-${mode}.f32`));
      own = new Float32Array(new Uint8Array(bytes).buffer);
      hashes.push(createHash('sha256').update(bytes).digest('hex'));
      if (!again) {
        const { milliseconds } = await rounds(() => brink.ask(1));
        const used = deviceMemory();
        const memory = used === null || idle === null ? 'not known' : `${used - idle} MiB (nvidia-smi)`;
        times.push(milliseconds);
        table.push([`brink, ${engine}, graph ${mode}`, formatSpread(milliseconds, 1), memory]);
      }
      brink.end();
    }
  }
  console.log(`\n${name}: m = ${paramCount(model)}, n = ${examples}, cross-entropy, one chunk, ${ROUNDS} rounds\n`);
  if (python) {
    const row = await orSay('PyTorch is left out', () => besideTorch(python, folder, name, own, times[0]!));
    if (row) table.push(row);
  }
  console.log(markdownTable(['', 'ms a product', 'memory of the device'], table));
  const same = new Set(hashes).size === 1;
  console.log(`\nbits of ${hashes.length} products in as many processes: ${same ? 'the same' : 'NOT THE SAME'}`);
  if (!same) process.exitCode = 1;
}

for (const name of ['cnn6', 'resnet9'] as const) {
  if (options.only && options.only !== name) continue;
  const folder = mkdtempSync(join(tmpdir(), 'brink-gpu-'));
  await orSay(`${name} is left out`, () => measure(name, folder));
  rmSync(folder, { recursive: true });
}
console.log(`\n${conditions([...versions])}`);

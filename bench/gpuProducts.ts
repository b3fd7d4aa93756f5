// Exact Hessian-vector products on a GPU: brink's engine that BRINK_ENGINE names against PyTorch and JAX on CUDA, with
// the same bits looked for in two processes, and the memory of the device. bench/gpu.sh runs it.
// Usage: BRINK_ENGINE=tensorflow node bench/gpuProducts.ts [--only cnn6] [--rounds 11] [--peers cpu]
// [--without-peers]
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
import { type Contender, startContender } from './contender.ts';
import { markdownTable } from './markdownTable.ts';
import { type ProblemName, problems } from './problems.ts';
import { formatSpread, spread } from './spread.ts';
import { torchPython } from './torchPython.ts';
import { writeRandomProblem } from './writeRandomProblem.ts';

const engine = process.env.BRINK_ENGINE || 'tensorflow';
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '11' },
    peers: { type: 'string', default: 'cuda' },
    'without-peers': { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(options.rounds);
const device = options.peers;
const python = options['without-peers'] ? null : await orSay('PyTorch and JAX are left out', torchPython);
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

/** Milliseconds a product in each round of `count`, after one to warm up, and what the last answer says. */
async function rounds({ ask }: Contender, count: number) {
  const milliseconds: number[] = [];
  let last = await ask(count);
  for (let round = 0; round < ROUNDS; round++) {
    last = await ask(count);
    milliseconds.push((1000 * last.seconds) / count);
  }
  return { milliseconds, bytes: last.bytes as number | undefined };
}

const versions = new Set<string>();

/** What a peer is compared on: a problem's folder, brink's milliseconds, and the product in float64. */
interface Measured {
  readonly folder: string;
  readonly name: ProblemName;
  readonly ours: readonly number[];
  readonly exact: () => Float64Array;
}

const TORCH = {
  label: 'PyTorch, graph anew',
  program: 'torch_cuda_products.py',
  product: 'product-torch-float32.f64',
};
const JAX = { label: 'JAX, jitted', program: 'jax_products.py', product: 'product-jax.f64' };
const peers = [...(python ? [TORCH] : []), ...(python && jaxReaches(python) ? [JAX] : [])];

/** Whether JAX computes on the device: what `requirements.txt` pins does so on the CPU alone. */
function jaxReaches(python: string): boolean {
  const { status } = spawnSync(python, ['-c', `import jax; jax.devices('${device}')`]);
  if (status === 0) return true;
  console.log(`JAX is left out: it has no ${device} here. \`bench/.venv/bin/pip install "jax[cuda12]"\` brings it.`);
  return false;
}

/** One peer's products: its row of the table, and in a line how far they are from `exact` and how much longer. */
async function beside(
  { label, program: file, product }: typeof TORCH,
  { folder, name, ours, exact }: Measured,
): Promise<string[]> {
  const peer = await startContender(label, [python!, program(file), folder, name, device]);
  versions.add(peer.version);
  const { milliseconds, bytes } = await rounds(peer, problems[name].productsPerRound);
  peer.end();
  const error = relativeError(floats64(folder, product), exact());
  const ratio = spread(milliseconds).median / spread(ours).median;
  console.log(`${label}: relative error ${error}; takes ${ratio.toFixed(2)} times as long as brink, graph anew`);
  return [
    `${label}, ${device}`,
    formatSpread(milliseconds, 2),
    bytes ? `${Math.round(bytes / 2 ** 20)} MiB` : 'not known',
  ];
}

const floats64 = (folder: string, name: string) =>
  new Float64Array(new Uint8Array(readFileSync(join(folder, name))).buffer);
const relativeError = (product: ArrayLike<number>, exact: Float64Array) =>
  (norm(exact.map((x, k) => product[k]! - x)) / norm(exact)).toExponential(1);

async function measure(name: ProblemName, folder: string): Promise<void> {
  const { model, examples, productsPerRound } = problems[name];
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
        const { milliseconds } = await rounds(brink, productsPerRound);
        const used = deviceMemory();
        const memory = used === null || idle === null ? 'not known' : `${used - idle} MiB (nvidia-smi)`;
        times.push(milliseconds);
        table.push([`brink, ${engine}, graph ${mode}`, formatSpread(milliseconds, 2), memory]);
      }
      brink.end();
    }
  }
  console.log(`\n${name}: m = ${paramCount(model)}, n = ${examples}, cross-entropy, one chunk, ${ROUNDS} rounds\n`);
  const exact = () => floats64(folder, 'product-torch-float64.f64');
  for (const peer of peers) {
    // JAX's program knows no ResNet-9.
    if (name === 'resnet9' && peer === JAX) continue;
    const measured = { folder, name, ours: times[0]!, exact };
    const row = await orSay(`${peer.label} is left out`, () => beside(peer, measured));
    if (row) table.push(row);
  }
  if (table.length > times.length)
    console.log(`brink: relative error ${relativeError(own, exact())} to PyTorch in float64\n`);
  console.log(markdownTable(['', 'ms a product', 'memory of the device'], table));
  const same = new Set(hashes).size === 1;
  console.log(`\nbits of ${hashes.length} products in as many processes: ${same ? 'the same' : 'NOT THE SAME'}`);
  if (!same) process.exitCode = 1;
}

for (const name of ['mlp', 'cnn6', 'resnet9'] as const) {
  if (options.only && options.only !== name) continue;
  const folder = mkdtempSync(join(tmpdir(), 'brink-gpu-'));
  await orSay(`${name} is left out`, () => measure(name, folder));
  rmSync(folder, { recursive: true });
}
console.log(`\n${conditions([...versions])}`);

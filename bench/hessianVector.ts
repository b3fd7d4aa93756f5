// Exact Hessian-vector products a second: brink against PyTorch, on the same weights and data, side by side.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { initialWeights, paramCount } from '../src/engine/Model.ts';
import { generator, normals } from '../src/linalg/random.ts';
import { norm } from '../src/linalg/vector.ts';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';
import { type ProblemName, problems } from './problems.ts';
import { formatSpread, spread } from './spread.ts';
import { torchPython } from './torchPython.ts';

/** Rounds that count; one before them warms up. */
const ROUNDS = 11;
/** ‖a − b‖/‖b‖ above which two products are not the same product. */
const AGREEMENT = 1e-4;

const python = torchPython();
const brinkProgram = fileURLToPath(new URL('./contenders/brink.ts', import.meta.url));
const torchProgram = fileURLToPath(new URL('./contenders/torch_products.py', import.meta.url));

/** What some products took together: on the clock, and of the processor, all threads added. */
interface Timing {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** One process that makes products when it is asked to. */
interface Contender {
  readonly label: string;
  readonly product: string;
  readonly version: string;
  /** Makes `count` products. */
  time(count: number): Promise<Timing>;
  end(): void;
}

/** The process, once it has made its first product. */
async function start(
  label: string,
  product: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Contender> {
  const [program, ...args] = command;
  const child: ChildProcess = spawn(program!, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${label} ended before it answered; its message is above`);
    return JSON.parse(value);
  };
  const { version } = await answer();
  return {
    label,
    product,
    version,
    time: async (count) => {
      child.stdin!.write(`${count}\n`);
      return answer();
    },
    end: () => {
      child.stdin!.end();
    },
  };
}

/** Weights, data and direction, as files that every contender reads. */
function writeProblem(folder: string, name: ProblemName): void {
  const { model, examples } = problems[name];
  const size = model.inputShape.reduce((a, b) => a * b, 1);
  const targets = new Float32Array(examples * model.outputCount);
  for (let i = 0; i < examples; i++) targets[i * model.outputCount + (i % model.outputCount)] = 1;
  const files = {
    weights: initialWeights(model, 0),
    inputs: Float32Array.from(normals(generator(1), examples * size)),
    targets,
    v: Float32Array.from(normals(generator(2), paramCount(model))),
  };
  for (const [file, values] of Object.entries(files)) writeFileSync(join(folder, `${file}.f32`), values);
  const parameterShapes = model.parameters.map(({ shape }) => shape);
  writeFileSync(
    join(folder, 'problem.json'),
    JSON.stringify({ examples, inputShape: model.inputShape, parameterShapes }),
  );
}

function readProduct(folder: string, file: string): Float64Array {
  const { buffer } = new Uint8Array(readFileSync(join(folder, file)));
  return file.endsWith('.f64') ? new Float64Array(buffer) : Float64Array.from(new Float32Array(buffer));
}

async function compare(name: ProblemName): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'brink-bench-'));
  const contenders: Contender[] = [];
  try {
    writeProblem(folder, name);
    const brink = (engine: string) =>
      start(`brink, ${engine}`, `product-${engine}.f32`, [process.execPath, brinkProgram, folder, name], {
        BRINK_ENGINE: engine,
      });
    const torch = (label: string, mode: string) =>
      start(label, `product-${mode}.f64`, [python, torchProgram, folder, name, mode]);

    // One after the other: each makes its first product alone.
    const reference = await torch('PyTorch, float64', 'float64');
    reference.end();
    contenders.push(await torch('PyTorch, graph anew', 'anew'));
    contenders.push(await torch('PyTorch, graph kept', 'kept'));
    contenders.push(await brink('tensorflow'));
    contenders.push(await brink('wasm'));

    const { model, examples, productsPerRound } = problems[name];
    const rates = contenders.map((): number[] => []);
    const cpuMilliseconds = contenders.map((): number[] => []);
    for (let round = -1; round < ROUNDS; round++) {
      for (const [k, contender] of contenders.entries()) {
        const { seconds, cpuSeconds } = await contender.time(productsPerRound);
        if (round < 0) continue;
        rates[k]!.push(productsPerRound / seconds);
        cpuMilliseconds[k]!.push((1000 * cpuSeconds) / productsPerRound);
      }
    }

    const exact = readProduct(folder, reference.product);
    const errors = contenders.map(({ product }) => {
      const ours = readProduct(folder, product);
      return norm(ours.map((x, i) => x - exact[i]!)) / norm(exact);
    });
    const [anew] = rates;
    const digits = spread(anew!).median < 10 ? 2 : 0;
    console.log(`\n${name}: m = ${paramCount(model)}, n = ${examples}, cross-entropy, one chunk, ${ROUNDS} rounds\n`);
    console.log(
      markdownTable(
        [
          '',
          'products a second',
          'ratio',
          'in fastest rounds',
          'CPU ms a product',
          'ratio in CPU time',
          'relative error',
        ],
        contenders.map(({ label }, k) => [
          label,
          formatSpread(rates[k]!, digits),
          formatSpread(
            rates[k]!.map((rate, round) => rate / anew![round]!),
            2,
          ),
          (spread(rates[k]!).most / spread(anew!).most).toFixed(2),
          formatSpread(cpuMilliseconds[k]!, 1),
          (spread(cpuMilliseconds[0]!).median / spread(cpuMilliseconds[k]!).median).toFixed(2),
          errors[k]!.toExponential(1),
        ]),
      ),
    );
    contenders.forEach(({ label }, k) => {
      if (!(errors[k]! <= AGREEMENT)) {
        throw new Error(
          `${label}: its product differs from the reference by ${errors[k]}, relative. Two different things were timed.`,
        );
      }
    });
    return contenders.map(({ version }) => version);
  } finally {
    for (const contender of contenders) contender.end();
    rmSync(folder, { recursive: true });
  }
}

const versions = new Set<string>();
for (const name of ['cnn6', 'mlp'] as const) for (const version of await compare(name)) versions.add(version);
console.log(`\n${conditions([...versions])}`);

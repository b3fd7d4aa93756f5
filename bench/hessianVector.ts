// Exact Hessian-vector products a second: brink against PyTorch and JAX, on the same weights and data, side by side.
// With --json the last line holds the ratios to the first contender, by problem and contender.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { paramCount } from '../src/engine/Model.ts';
import { norm } from '../src/linalg/vector.ts';
import { conditions } from './conditions.ts';
import { type Contender, startContender } from './contender.ts';
import { markdownTable } from './markdownTable.ts';
import { type ProblemName, problems } from './problems.ts';
import { formatSpread, spread } from './spread.ts';
import { torchPython } from './torchPython.ts';
import { writeRandomProblem } from './writeRandomProblem.ts';

/** Rounds that count; one before them warms up. */
const ROUNDS = 11;
/**
 * ‖a − b‖/‖b‖ above which two products are not the same product. One relu of cnn6's 15 million whose input rounds to
 * the other side of 0 makes 1.5e-4; with the signs of float32 the product in float64 agrees to 1e-6.
 */
const AGREEMENT = 1e-3;

const python = torchPython();
const brinkProgram = fileURLToPath(new URL('./contenders/brink.ts', import.meta.url));
const jaxProgram = fileURLToPath(new URL('./contenders/jax_products.py', import.meta.url));
const torchProgram = fileURLToPath(new URL('./contenders/torch_products.py', import.meta.url));

/** What some products took together: on the clock, and of the processor, all threads added. */
interface Timing {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function readProduct(folder: string, file: string): Float64Array {
  const { buffer } = new Uint8Array(readFileSync(join(folder, file)));
  return file.endsWith('.f64') ? new Float64Array(buffer) : Float64Array.from(new Float32Array(buffer));
}

/** What one problem's comparison found. */
interface Comparison {
  readonly versions: readonly string[];
  /** Medians of products a second, each as a share of the first contender's. */
  readonly ratios: Readonly<Record<string, number>>;
}

async function compare(name: ProblemName): Promise<Comparison> {
  const folder = mkdtempSync(join(tmpdir(), 'brink-bench-'));
  const contenders: (Contender & { readonly product: string })[] = [];
  try {
    writeRandomProblem(folder, name);
    const brink = async (engine: string, mode: 'anew' | 'kept') => ({
      ...(await startContender(
        `brink, ${engine}, graph ${mode}`,
        [process.execPath, brinkProgram, folder, name, mode],
        { BRINK_ENGINE: engine },
      )),
      product: `product-${engine}-${mode}.f32`,
    });
    const torch = async (label: string, mode: string) => ({
      ...(await startContender(label, [python, torchProgram, folder, name, mode])),
      product: `product-${mode}.f64`,
    });

    // One after the other: each makes its first product alone.
    const reference = await torch('PyTorch, float64', 'float64');
    reference.end();
    const hasImages = problems[name].model.inputShape.length === 3;
    for (const [layout, suffix] of [['', ''], ...(hasImages ? [[', channels last', '-channels-last']] : [])]) {
      contenders.push(await torch(`PyTorch${layout}, graph anew`, `anew${suffix}`));
      contenders.push(await torch(`PyTorch${layout}, graph kept`, `kept${suffix}`));
      contenders.push(await torch(`PyTorch${layout}, forward over reverse`, `forward-over-reverse${suffix}`));
      contenders.push(await torch(`PyTorch${layout}, compiled`, `compiled${suffix}`));
    }
    contenders.push({
      ...(await startContender('JAX, jitted', [python, jaxProgram, folder, name])),
      product: 'product-jax.f64',
    });
    for (const engine of ['tensorflow', 'wasm']) {
      for (const mode of ['anew', 'kept'] as const) contenders.push(await brink(engine, mode));
    }

    const { model, examples, productsPerRound } = problems[name];
    const rates = contenders.map((): number[] => []);
    const cpuMilliseconds = contenders.map((): number[] => []);
    for (let round = -1; round < ROUNDS; round++) {
      for (const [k, contender] of contenders.entries()) {
        const { seconds, cpuSeconds }: Timing = await contender.ask(productsPerRound);
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
    const ratios = contenders.map(({ label }, k) => {
      const ratio = spread(rates[k]!.map((rate, round) => rate / anew![round]!)).median;
      return [label, Number(ratio.toFixed(3))] as const;
    });
    return { versions: contenders.map(({ version }) => version), ratios: Object.fromEntries(ratios) };
  } finally {
    for (const contender of contenders) contender.end();
    rmSync(folder, { recursive: true });
  }
}

const versions = new Set<string>();
const ratios: Record<string, Comparison['ratios']> = {};
for (const name of ['mlp', 'cnn6'] as const) {
  const found = await compare(name);
  for (const version of found.versions) versions.add(version);
  ratios[name] = found.ratios;
}
console.log(`\n${conditions([...versions])}`);
if (process.argv.includes('--json')) console.log(JSON.stringify(ratios));

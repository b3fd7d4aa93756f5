// Steps of SGD without probes, of a small network: brink against PyTorch's loop and JAX's jitted step, side by side,
// from the same weights on the same batches. With --json the last line holds the ratios to PyTorch, by contender.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { initialWeights } from '../src/engine/Model.ts';
import { generator, normals } from '../src/linalg/random.ts';
import { norm } from '../src/linalg/vector.ts';
import { batchesOf } from '../src/training/batches.ts';
import { conditions } from './conditions.ts';
import { type Contender, startContender } from './contender.ts';
import { markdownTable } from './markdownTable.ts';
import { problems } from './problems.ts';
import { formatSpread, spread } from './spread.ts';
import { torchPython } from './torchPython.ts';
import { writeProblem } from './writeProblem.ts';

/** Rounds that count; one before them warms up. */
const ROUNDS = 11;
const STEPS = 2000;
const BATCH_SIZE = 32;
const SEED = 0;
const LEARNING_RATE = 0.05;
/** ‖a − b‖/‖b − θ_0‖ above which the last weights a are not those of the same training as b. */
const AGREEMENT = 1e-3;

const python = torchPython();
const program = (file: string) => fileURLToPath(new URL(`./contenders/${file}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'brink-bench-'));
const contenders: Contender[] = [];
const request = (k: number) => ({ learningRate: LEARNING_RATE, file: `last-${k}.f64` });
const last = (k: number) => new Float64Array(new Uint8Array(readFileSync(join(folder, `last-${k}.f64`))).buffer);
try {
  const { model, examples: n } = problems.mlp;
  const weights = initialWeights(model, 0);
  const targets = new Float32Array(n * model.outputCount);
  for (let i = 0; i < n; i++) targets[i * model.outputCount + (i % model.outputCount)] = 1;
  const inputs = Float32Array.from(normals(generator(1), n * model.inputShape[0]!));
  writeProblem(folder, model, { weights, inputs, targets });
  const batchOf = batchesOf({ n, batchSize: BATCH_SIZE, replacement: false, shuffle: 'independent', seed: SEED });
  const batches = new Int32Array(STEPS * BATCH_SIZE);
  for (let t = 0; t < STEPS; t++) batches.set(batchOf(t), t * BATCH_SIZE);
  writeFileSync(join(folder, 'batches.i32'), batches);
  writeFileSync(join(folder, 'batches.json'), JSON.stringify({ steps: STEPS, batchSize: BATCH_SIZE, seed: SEED }));

  const reference = await startContender('PyTorch, float64', [
    python,
    program('torch_steps.py'),
    folder,
    'mlp',
    'float64',
  ]);
  await reference.ask(request(-1));
  reference.end();
  const start = (label: string, command: readonly string[], env?: NodeJS.ProcessEnv) =>
    startContender(
      label,
      [...command, folder, 'mlp', ...(command[1]!.endsWith('torch_steps.py') ? ['float32'] : [])],
      env,
    );
  contenders.push(await start("PyTorch's loop", [python, program('torch_steps.py')]));
  contenders.push(await start('JAX, jitted step', [python, program('jax_steps.py')]));
  for (const [label, BRINK_ENGINE, BRINK_GRAPHS] of [
    ['brink, tensorflow', 'tensorflow', 'on'],
    ['brink, tensorflow, without graphs', 'tensorflow', 'off'],
    ['brink, wasm', 'wasm', 'on'],
  ] as const) {
    contenders.push(await start(label, [process.execPath, program('brinkSteps.ts')], { BRINK_ENGINE, BRINK_GRAPHS }));
  }

  const milliseconds = contenders.map((): number[] => []);
  const cpuMilliseconds = contenders.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [k, contender] of contenders.entries()) {
      const { seconds, cpuSeconds } = await contender.ask(request(k));
      if (round < 0) continue;
      milliseconds[k]!.push((1000 * seconds) / STEPS);
      cpuMilliseconds[k]!.push((1000 * cpuSeconds) / STEPS);
    }
  }

  const exact = last(-1);
  const way = norm(exact.map((x, i) => x - weights[i]!));
  const errors = contenders.map((_, k) => norm(last(k).map((x, i) => x - exact[i]!)) / way);
  const ratios = contenders.map((_, k) => milliseconds[0]!.map((ms, round) => ms / milliseconds[k]![round]!));
  console.log(
    `mlp: m = ${weights.length}, n = ${n}, b = ${BATCH_SIZE}, cross-entropy, ${ROUNDS} rounds of ${STEPS} steps\n`,
  );
  console.log(
    markdownTable(
      ['', 'ms a step', 'ratio', 'in fastest rounds', 'CPU ms a step', 'relative error'],
      contenders.map(({ label }, k) => [
        label,
        formatSpread(milliseconds[k]!, 3),
        formatSpread(ratios[k]!, 2),
        (spread(milliseconds[0]!).least / spread(milliseconds[k]!).least).toFixed(2),
        formatSpread(cpuMilliseconds[k]!, 3),
        errors[k]!.toExponential(1),
      ]),
    ),
  );
  contenders.forEach(({ label }, k) => {
    if (!(errors[k]! <= AGREEMENT)) {
      throw new Error(`${label}: its last weights are off by ${errors[k]}, relative. Two different things were timed.`);
    }
  });
  console.log(`\n${conditions(contenders.map(({ version }) => version))}`);
  if (process.argv.includes('--json')) {
    const medians = contenders.map(({ label }, k) => [label, Number(spread(ratios[k]!).median.toFixed(3))]);
    console.log(JSON.stringify(Object.fromEntries(medians)));
  }
} finally {
  for (const contender of contenders) contender.end();
  rmSync(folder, { recursive: true });
}

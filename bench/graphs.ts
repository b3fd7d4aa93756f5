// What graphs give: each pass of two networks as one graph of TensorFlow and operation by operation, in processes of
// their own that take turns.
import { spawnSync } from 'node:child_process';
import { lastValueFrom, of, toArray } from 'rxjs';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';
import { type ProblemName, problems } from './problems.ts';
import { formatSpread, spread } from './spread.ts';

const ROUNDS = 7;
const PROCESSES = 3;
const BATCH_SIZES = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256, 512, 1024];
/** IAS goes until the standard error is 2 % of the value. */
const TARGET = 0.02;

/** Milliseconds of each pass: medians of rounds. */
async function measure(name: ProblemName): Promise<{ version: string; ms: Record<string, number> }> {
  const { arrays, crossEntropy, empiricalRisk, gradientDescent, interactionAwareSharpness, openEngine, openStep } =
    await import('brink');
  const { model, examples: n } = problems[name];
  const size = model.inputShape.reduce((a, b) => a * b, 1);
  const inputs = Float32Array.from({ length: n * size }, (_, k) => Math.sin(k));
  const labels = Uint8Array.from({ length: n }, (_, i) => i % 10);
  const data = arrays({ inputs, inputShape: [...model.inputShape], labels, classes: 10 });
  const objective = await empiricalRisk({ model, data, loss: crossEntropy });
  const theta = objective.initialWeights(0);
  const v = objective.initialWeights(1);
  const batch = Int32Array.from({ length: 32 }, (_, i) => 7 * i);
  const iasRounds = name === 'mlp' ? ROUNDS : 1;
  const perRound = name === 'mlp' ? 20 : 1;
  const ms: Record<string, number> = {};
  /** `prepare` makes what a round is timed on; every call of `run` is one pass. */
  const time = async <T>(
    pass: string,
    prepare: () => T | Promise<T>,
    run: (given: T) => Promise<unknown>,
    count = perRound,
    rounds = ROUNDS,
  ) => {
    const measured: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      let total = 0;
      for (let k = 0; k < count; k++) {
        const given = await prepare();
        const start = performance.now();
        await run(given);
        total += performance.now() - start;
      }
      if (round > 0) measured.push(total / count);
    }
    ms[pass] = spread(measured).median;
  };
  const afresh = () => objective.at(theta.slice());
  const known = async () => {
    const point = objective.at(theta);
    await point.hessianVector(v.slice());
    return point;
  };
  await time('H v with all g_iᵀv, first at a θ', afresh, (point) => point.hessianVector(v));
  await time('H v, further ones', known, (point) => point.hessianVector(v.slice()));
  await time('∇L', afresh, (point) => point.gradient());
  await time('‖g_i‖²', afresh, (point) => point.exampleNormsSquared());
  await time('weighted gradient', afresh, (point) => point.weightedGradient(new Float64Array(n).fill(1 / n)));
  await time('gradient of a batch of 32', afresh, (point) => point.batchGradient(batch));
  await time('loss and accuracy', afresh, (point) => point.performance('train'));
  const ias = interactionAwareSharpness({
    batchSizes: BATCH_SIZES.filter((b) => b <= n),
    targetError: TARGET,
    maxDraws: 4096,
  });
  const step = () => openStep({ index: 0, weights: theta.slice(), learningRate: 0.1 }, { objective }).step;
  await time(
    'IAS of all batch sizes, 2 % error',
    step,
    (one) => lastValueFrom(of(one).pipe(ias, toArray())),
    1,
    iasRounds,
  );
  const steps = name === 'mlp' ? 400 : 4;
  for (const [what, options] of [
    ['a step of SGD, b = 32', { batchSize: 32 }],
    ['a step of full-batch descent', {}],
  ] as const) {
    const descend = () => lastValueFrom(gradientDescent(objective, { learningRate: 0.01, steps, ...options }));
    await time(what, () => null, descend, 1);
    ms[what]! /= steps;
  }
  return { version: (await openEngine()).version, ms };
}

const [role, asked] = process.argv.slice(2);
if (role === 'child') {
  console.log(JSON.stringify(await measure(asked as ProblemName)));
} else {
  const names: readonly ProblemName[] = ['cnn6', 'mlp'];
  const found = new Map<string, number[]>();
  let version = '';
  const passes = new Set<string>();
  for (let turn = 0; turn < PROCESSES; turn++) {
    for (const name of names) {
      for (const graphs of ['off', 'on']) {
        const { status, stdout } = spawnSync(process.execPath, [import.meta.filename, 'child', name], {
          env: { ...process.env, BRINK_ENGINE: 'tensorflow', BRINK_GRAPHS: graphs },
          stdio: ['ignore', 'pipe', 'inherit'],
          encoding: 'utf8',
        });
        if (status !== 0) throw new Error(`${name} with graphs ${graphs} ended with ${status}`);
        const measured = JSON.parse(stdout) as Awaited<ReturnType<typeof measure>>;
        version = measured.version;
        for (const [pass, value] of Object.entries(measured.ms)) {
          passes.add(pass);
          const key = `${name} ${graphs} ${pass}`;
          found.set(key, [...(found.get(key) ?? []), value]);
        }
      }
    }
  }
  const rows = [...passes].map((pass) => [
    pass,
    ...names.flatMap((name) => {
      const [eager, graph] = ['off', 'on'].map((graphs) => found.get(`${name} ${graphs} ${pass}`)!);
      const ratios = eager!.map((value, turn) => value / graph![turn]!);
      const format = (values: readonly number[]) => spread(values).median.toPrecision(3);
      return [format(eager!), format(graph!), formatSpread(ratios, 1)];
    }),
  ]);
  const head = ['pass, ms', ...names.flatMap((name) => [`${name}, one by one`, 'graph', 'ratio'])];
  console.log(markdownTable(head, rows));
  console.log(conditions([version]));
}

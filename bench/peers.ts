// Time to equal accuracy: brink against PyHessian and curvlinops, on the same weights and data, side by side.
// Arguments: problems, default mlp and cnn6.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dataset } from '../src/core/Dataset.ts';
import { arrays } from '../src/datasets/arrays.ts';
import { digits } from '../src/datasets/digits.ts';
import { empiricalRisk } from '../src/engine/risk/empiricalRisk.ts';
import { hessianEigenpairs } from '../src/estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../src/linalg/eigenpairs.ts';
import { mean, standardError } from '../src/linalg/vector.ts';
import { crossEntropy } from '../src/losses/crossEntropy.ts';
import { conditions } from './conditions.ts';
import { type Contender, startContender } from './contender.ts';
import { markdownTable } from './markdownTable.ts';
import { type ProblemName as AnyProblem, problems } from './problems.ts';
import { formatSpread, spread } from './spread.ts';
import { torchPython } from './torchPython.ts';
import { writeProblem } from './writeProblem.ts';

/** ‖Hq − λq‖ ≤ TOLERANCE·|λ_1|: brink's criterion and ARPACK's. */
const TOLERANCE = 1e-3;
/** Of methods that stop by their residual, what they may be off by in float32. */
const LIMIT = 2 * TOLERANCE;
/** Of all methods, what an eigenvalue may be off by. */
const FAR = 0.3;
/** The standard error of a trace, as a share of it. */
const TARGET = 0.02;
/** Traces and densities of each contender. */
const ROUNDS = 3;
/** Estimates from whose spread the error is told where a contender does not tell it. */
const REPEATS = 12;
/** Two estimates of one trace further apart than so many standard errors are taken for different things. */
const AGREEMENT = 5;

/** How much is asked of a problem. */
interface Extent {
  readonly examples: number;
  readonly engines: readonly string[];
  readonly learningRate: number;
  /** How many pairs, one after the other. */
  readonly counts: readonly number[];
  /** Tolerances of PyHessian, tried in turn until its residual is brink's. */
  readonly tighter: readonly number[];
  /** Seeds at initialisation. */
  readonly seeds: number;
  /** Consecutive steps at the edge; a warm start counts from the second on. */
  readonly along: number;
  /** How many of them are also searched from nothing. */
  readonly cold: number;
  /** Whether trace and density are measured too. */
  readonly sums: boolean;
}
type ProblemName = Exclude<AnyProblem, 'resnet9'>;
const extents: Readonly<Record<ProblemName, Extent>> = {
  mlp: {
    examples: 1024,
    engines: ['tensorflow', 'wasm'],
    learningRate: 0.4,
    counts: [1, 3],
    tighter: [1e-5, 3e-6, 1e-6, 3e-7, 1e-7],
    seeds: 3,
    along: 11,
    cold: 5,
    sums: true,
  },
  cnn6: {
    examples: 64,
    engines: ['tensorflow'],
    learningRate: 0.02,
    counts: [1],
    tighter: [1e-7],
    seeds: 1,
    along: 4,
    cold: 3,
    sums: false,
  },
};

/** Digits as cnn6 takes images: each pixel a square of 4 × 4, three channels alike. */
function enlarged({ train }: Dataset): Dataset {
  const inputs = new Float32Array(train.count * 32 * 32 * 3);
  for (let k = 0; k < inputs.length; k++) {
    const [i, y, x] = [Math.floor(k / 3072), Math.floor(k / 96) % 32, Math.floor(k / 3) % 32];
    inputs[k] = train.inputs[i * 64 + Math.floor(y / 4) * 8 + Math.floor(x / 4)]!;
  }
  return arrays({ inputShape: [32, 32, 3], inputs, labels: train.labels!, classes: 10 });
}

/**
 * Weights that all contenders get, in order: at initialisation, then of consecutive steps from where λ₁ first reaches
 * 2/η.
 */
async function trainToEdge(name: ProblemName, data: Dataset): Promise<Float32Array[]> {
  const { learningRate, along } = extents[name];
  const { model } = problems[name];
  const objective = await empiricalRisk({ model, data, loss: crossEntropy, chunk: data.train.count });
  const thetas = [objective.initialWeights(0)];
  let pairs: Eigenpairs | null = null;
  for (let [weights, step, edge] = [thetas[0]!, 0, 0]; thetas.length <= along; step++) {
    const point = objective.at(weights);
    const gradient = await point.gradient();
    if (edge === 0 && step % 5 === 0) {
      pairs = await hessianEigenpairs(point, { who: 'peers', count: 1, tolerance: 0.01 }, pairs);
      if (pairs.pairs[0]!.value >= 2 / learningRate) edge = step;
    }
    if (edge > 0) thetas.push(weights);
    weights = weights.map((w, k) => w - learningRate * gradient[k]!);
  }
  return thetas;
}

interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly products: number;
}
/** Pairs as they were found, and what they are worth in float64. */
interface Outcome extends Cost {
  /** max_j ‖Hq_j − (q_jᵀHq_j)q_j‖/λ*_1. */
  readonly residual: number;
  /** max_j |λ_j − λ*_j|/λ*_1. */
  readonly error: number;
}

/** One way to eigenpairs. */
interface Method {
  readonly label: string;
  readonly contender: Contender;
  /** Of the contender's request. */
  readonly settings: object;
  /** Begins from the pairs of the step before; `first` are its settings where there are none. */
  readonly first?: object;
  /** Whether it may end with a larger residual than asked for. */
  readonly endsEarly?: true;
  /** Its tolerances, tried in turn until the residual is there; only the last try is reported. */
  readonly tighter?: readonly number[];
}

/** The weights θ_k are those of the file theta-k; θ_0 is the initialisation. */
interface Place {
  readonly theta: number;
  readonly seed: number;
  readonly count: number;
}

async function eigenpairTables(name: ProblemName, thetas: number, judge: Contender, methods: readonly Method[]) {
  const { counts, seeds, cold } = extents[name];
  const exact: number[][] = [];
  for (let k = 0; k < thetas; k++)
    exact.push(await judge.ask({ what: 'reference', theta: `theta-${k}`, tolerance: 1e-4 }));

  async function attempt(method: Method, settings: object, { theta, seed, count }: Place): Promise<Outcome> {
    const at = { theta: `theta-${theta}`, count };
    const label = `${method.label}, ${count}`;
    const request = { what: 'eigenpairs', ...at, seed, label, file: 'found', ...settings };
    const { values, ...cost }: Cost & { values: number[] } = await method.contender.ask(request);
    const residuals: number[] = await judge.ask({ what: 'residuals', ...at, file: 'found' });
    const lambda1 = exact[theta]![0]!;
    const residual = Math.max(...residuals) / lambda1;
    const falling = values.toSorted((a, b) => b - a);
    const error = Math.max(...falling.map((value, j) => Math.abs(value - exact[theta]![j]!))) / lambda1;
    if (!(error <= FAR && (method.endsEarly || residual <= LIMIT))) {
      throw new Error(
        `${label}: a residual of ${residual} and an error of ${error} at theta-${theta}. These are not eigenpairs of the same Hessian.`,
      );
    }
    return { ...cost, residual, error };
  }
  /** The first of `tighter` that has not failed yet, at initialisation or at the edge. */
  const rung = new Map<string, number>();
  async function outcome(method: Method, place: Place): Promise<Outcome> {
    if (!method.tighter) return attempt(method, method.settings, place);
    const key = `${method.label}, ${place.count}, ${place.theta === 0}`;
    for (let k = rung.get(key) ?? 0; ; k++) {
      const found = await attempt(method, { ...method.settings, tolerance: method.tighter[k] }, place);
      rung.set(key, k);
      if (found.residual <= TOLERANCE || k === method.tighter.length - 1) return found;
    }
  }

  for (const count of counts) {
    const symbol = count === 1 ? 'λ₁' : 'λ₁…λ₃';
    const fromNothing = methods.filter(({ first }) => !first);
    const start = new Map<string, Outcome[]>(fromNothing.map(({ label }) => [label, []]));
    for (let seed = 0; seed < seeds; seed++) {
      for (const method of fromNothing) start.get(method.label)!.push(await outcome(method, { theta: 0, seed, count }));
    }
    console.log(`\n${name}, ${symbol} at initialisation\n`);
    console.log(outcomeTable(start));

    const edge = new Map<string, Outcome[]>(methods.map(({ label }) => [label, []]));
    for (let theta = 1; theta < thetas; theta++) {
      const place = { theta, seed: theta, count };
      for (const method of methods) {
        if (method.first && theta === 1) await attempt(method, method.first, place);
        else if (method.first || theta <= cold) edge.get(method.label)!.push(await outcome(method, place));
      }
    }
    console.log(`\n${name}, ${symbol} at the edge\n`);
    console.log(outcomeTable(edge));
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Products, seconds and CPU seconds of each row, with the ratios of the latter two to the first row's. */
function costCells(costs: readonly Cost[], first: readonly Cost[]): string[] {
  const of = (part: keyof Cost) => costs.map((cost) => cost[part]);
  const ratio = (part: keyof Cost) =>
    (spread(of(part)).median / spread(first.map((cost) => cost[part])).median).toFixed(2);
  return [
    formatSpread(of('products'), 0),
    formatSpread(of('seconds'), 3),
    ratio('seconds'),
    formatSpread(of('cpuSeconds'), 3),
    ratio('cpuSeconds'),
  ];
}
const COST_HEAD = ['products', 'seconds', 'ratio to the first', 'CPU seconds', 'ratio'];

function outcomeTable(outcomes: ReadonlyMap<string, readonly Outcome[]>): string {
  const [first] = outcomes.values();
  return markdownTable(
    ['', ...COST_HEAD, 'residual/λ₁', 'worst', 'worst error of λ/λ₁'],
    [...outcomes].map(([label, found]) => {
      const residuals = spread(found.map(({ residual }) => residual));
      return [
        label,
        ...costCells(found, first!),
        residuals.median.toExponential(1),
        residuals.most.toExponential(1),
        Math.max(...found.map(({ error }) => error)).toExponential(1),
      ];
    }),
  );
}

interface Contenders {
  /** By engine. */
  readonly brink: readonly Contender[];
  readonly pyhessian: Contender;
  readonly curvlinops: Contender;
}

function methodsOf({ brink, pyhessian, curvlinops }: Contenders, tighter: readonly number[]): Method[] {
  const cold = { tolerance: TOLERANCE, warm: false };
  const warm = { tolerance: TOLERANCE, warm: true };
  const arpack = { ...cold, method: 'eigsh', ncv: 'default' };
  return [
    ...brink.map((contender) => ({ label: `${contender.label}, from ∇L alone`, contender, settings: cold })),
    {
      label: 'PyHessian, as published',
      contender: pyhessian,
      settings: { tolerance: 1e-3, most: 100 },
      endsEarly: true,
    },
    { label: 'PyHessian, to the residual', contender: pyhessian, settings: { most: 1000 }, tighter, endsEarly: true },
    { label: 'eigsh, its defaults', contender: curvlinops, settings: { ...arpack, tolerance: 0 } },
    { label: 'eigsh, tol = 1e-3', contender: curvlinops, settings: arpack },
    { label: 'eigsh, tol = 1e-3, small ncv', contender: curvlinops, settings: { ...arpack, ncv: 'small' } },
    ...brink.map((contender) => ({
      label: `${contender.label}, from the pairs before`,
      contender,
      settings: warm,
      first: cold,
    })),
    {
      label: 'eigsh, small ncv, v0 from the vectors before',
      contender: curvlinops,
      settings: { ...arpack, warm: true, ncv: 'small' },
      first: arpack,
    },
    {
      label: 'lobpcg, from the vectors before',
      contender: curvlinops,
      settings: { ...arpack, warm: true, method: 'lobpcg' },
      first: arpack,
      endsEarly: true,
    },
  ];
}

interface Trace extends Cost {
  readonly estimate: number;
  /** Where the contender tells one. */
  readonly standardError?: number;
}

/** tr(H) to a standard error of TARGET, at the edge. */
async function traceTable({ brink, pyhessian, curvlinops }: Contenders): Promise<string> {
  const rows = new Map<string, { traces: Trace[]; error: number }>();
  const ask = (contender: Contender, settings: object, seed: number): Promise<Trace> =>
    contender.ask({ what: 'trace', theta: 'theta-1', seed, ...settings });
  const repeat = async (contender: Contender, settings: object, rounds: number) => {
    const traces: Trace[] = [];
    for (let seed = 1; seed <= rounds; seed++) traces.push(await ask(contender, settings, seed));
    return traces;
  };
  const error = (traces: readonly Trace[]) =>
    spread(traces.map(({ estimate, standardError }) => standardError! / Math.abs(estimate))).median;
  /** As many draws as a pilot of `pilot` draws asks for. */
  const toTarget = async (label: string, contender: Contender, settings: object, pilot: number) => {
    const { estimate, standardError } = await ask(contender, { ...settings, draws: pilot }, 0);
    const draws = Math.ceil(pilot * (standardError! / estimate / TARGET) ** 2);
    const traces = await repeat(contender, { ...settings, draws }, ROUNDS);
    rows.set(label, { traces, error: error(traces) });
    return draws;
  };

  for (const contender of brink) await toTarget(`${contender.label}, hessianTrace`, contender, { deflate: 3 }, 40);
  const draws = await toTarget('PyHessian, to the error', pyhessian, { tolerance: 0 }, 100);
  const published = await repeat(pyhessian, { draws: 100, tolerance: 1e-3 }, ROUNDS);
  rows.set('PyHessian, as published', { traces: published, error: error(published) });
  // The same estimator as PyHessian's, so the same draws give the same error.
  const hutchinson = await repeat(curvlinops, { method: 'hutchinson_trace', draws }, ROUNDS);
  rows.set('curvlinops, hutchinson_trace', { traces: hutchinson, error: rows.get('PyHessian, to the error')!.error });
  for (const method of ['hutchpp_trace', 'xtrace']) {
    for (let products = 12; ; products *= 2) {
      const traces = await repeat(curvlinops, { method, draws: products }, REPEATS);
      const estimates = Float64Array.from(traces, ({ estimate }) => estimate);
      const found = (standardError(estimates) * Math.sqrt(REPEATS)) / Math.abs(mean(estimates));
      if (found > TARGET) continue;
      rows.set(`curvlinops, ${method}`, { traces, error: found });
      break;
    }
  }

  const estimates = [...rows.values()].map(({ traces }) => spread(traces.map(({ estimate }) => estimate)).median);
  const middle = spread(estimates).median;
  [...rows].forEach(([label, row], k) => {
    if (!(Math.abs(estimates[k]! - middle) <= AGREEMENT * row.error * middle)) {
      throw new Error(
        `${label}: its trace is ${estimates[k]}, and theirs ${middle}. These are not of the same Hessian.`,
      );
    }
  });
  const first = rows.values().next().value!.traces;
  return markdownTable(
    ['', ...COST_HEAD, 'standard error', 'trace'],
    [...rows].map(([label, row], k) => [
      label,
      ...costCells(row.traces, first),
      percent(row.error),
      estimates[k]!.toFixed(1),
    ]),
  );
}

/** Four start vectors of 40 products each, at the edge. */
async function densityTable({ brink, pyhessian }: Contenders): Promise<string> {
  const rows = new Map<string, (Cost & { readonly largest: number })[]>();
  for (const contender of [...brink, pyhessian]) {
    const request = { what: 'density', theta: 'theta-1', draws: 4, steps: 40 };
    const found = [];
    for (let seed = 1; seed <= ROUNDS; seed++) found.push(await contender.ask({ ...request, seed }));
    rows.set(contender.label, found);
  }
  const [first] = rows.values();
  const largest = first![0]!.largest;
  for (const [label, found] of rows) {
    if (!found.every((one) => Math.abs(one.largest - largest) <= 1e-2 * largest)) {
      throw new Error(`${label}: its largest node is not ${largest}. These are not densities of the same Hessian.`);
    }
  }
  return markdownTable(
    ['', ...COST_HEAD, 'largest node'],
    [...rows].map(([label, found]) => [label, ...costCells(found, first!), found[0]!.largest.toFixed(3)]),
  );
}

const python = torchPython();
const program = (file: string) => fileURLToPath(new URL(`./contenders/${file}`, import.meta.url));

async function compare(name: ProblemName): Promise<string[]> {
  const { examples, engines, learningRate, tighter, sums } = extents[name];
  const { model } = problems[name];
  const pixels = await digits({ train: examples });
  const data = name === 'cnn6' ? enlarged(pixels) : pixels;
  const thetas = await trainToEdge(name, data);
  const folder = mkdtempSync(join(tmpdir(), 'brink-bench-'));
  const started: Contender[] = [];
  const start = async (label: string, command: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const contender = await startContender(label, [...command, folder, name], env);
    started.push(contender);
    return contender;
  };
  try {
    const weights = Object.fromEntries(thetas.map((theta, k) => [`theta-${k}`, theta]));
    writeProblem(folder, model, { inputs: data.train.inputs, targets: data.train.targets, ...weights });
    const brink: Contender[] = [];
    for (const engine of engines) {
      const command = [process.execPath, program('brinkCurvature.ts')];
      brink.push(await start(`brink, ${engine}`, command, { BRINK_ENGINE: engine }));
    }
    const pyhessian = await start('PyHessian', [python, program('pyhessian_curvature.py')]);
    const curvlinops = await start('curvlinops', [python, program('curvlinops_curvature.py')]);
    const judge = await start('judge', [python, program('judge_eigenpairs.py')]);
    const contenders = { brink, pyhessian, curvlinops };
    const methods = methodsOf(contenders, tighter);
    // The first work of a process is slower.
    const warmUp = { what: 'eigenpairs', theta: 'theta-0', seed: 0, count: 1, label: 'warming up', file: 'found' };
    for (const contender of [...brink, pyhessian, curvlinops]) {
      await contender.ask({ ...warmUp, ...methods.find((method) => method.contender === contender)!.settings });
    }

    const m = thetas[0]!.length;
    console.log(
      `\n${name}: m = ${m}, n = ${examples}, cross-entropy, one chunk, 2/η = ${(2 / learningRate).toPrecision(2)}`,
    );
    await eigenpairTables(name, thetas.length, judge, methods);
    if (sums) {
      console.log(`\n${name}, tr(H) to ${percent(TARGET)} at the edge\n`);
      console.log(await traceTable(contenders));
      console.log(`\n${name}, spectral density at the edge, 4 start vectors of 40 products\n`);
      console.log(await densityTable(contenders));
    }
    return [...brink, pyhessian, curvlinops].map(({ version }) => version);
  } finally {
    for (const contender of started) contender.end();
    rmSync(folder, { recursive: true });
  }
}

const versions = new Set<string>();
const names = process.argv.length > 2 ? process.argv.slice(2) : ['mlp', 'cnn6'];
for (const name of names) for (const version of await compare(name as ProblemName)) versions.add(version);
console.log(`\n${conditions([...versions])}`);

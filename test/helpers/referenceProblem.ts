import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { arrays } from '../../src/datasets/arrays.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import { mlp } from '../../src/models/mlp.ts';

/** A value of a reference file. */
// biome-ignore lint/suspicious/noExplicitAny: reference files are data of many shapes, walked by key
export type Value = any;

/** Where the reference problems lie: a folder of another path may stand in, with the same format. */
export const referenceFolder = process.env.BRINK_REFERENCE ?? join(import.meta.dirname, '../../fixtures/reference');

/** Every problem in the folder: each `.json` file that is neither a configuration nor a record of float32 errors. */
export const problemNames = readdirSync(referenceFolder)
  .filter((file) => file.endsWith('.json') && file !== 'config.json' && !file.endsWith('.float32-observed.json'))
  .map((file) => file.slice(0, -'.json'.length));

export function readJson(name: string): Value {
  return JSON.parse(readFileSync(join(referenceFolder, `${name}.json`), 'utf8'));
}

/** A raw little-endian array beside a problem. */
export function readArray({ file, dtype }: { file: string; dtype: 'float32' | 'float64' | 'uint8' }) {
  const bytes = readFileSync(join(referenceFolder, file));
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return new { float32: Float32Array, float64: Float64Array, uint8: Uint8Array }[dtype](buffer);
}

/** What a network problem says of itself, turned into an objective. */
export async function openProblem(problem: Value): Promise<Objective> {
  const shapes: number[][] = problem.layout.map((p: Value) => p.shape);
  const kernels = shapes.filter((s) => s.length > 1);
  const outputs = kernels.at(-1)!.at(-1)!;
  const model =
    problem.model === 'mlp'
      ? mlp({ inputs: kernels[0]![0]!, hidden: kernels.slice(0, -1).map((s) => s[1]!), outputs, activation: 'tanh' })
      : cnn({ inputShape: problem.inputs.shape.slice(1), channels: kernels.slice(0, -1).map((s) => s[3]!), outputs });
  expect(model.parameters.map((p) => p.shape)).toEqual(shapes);
  return empiricalRisk({
    model,
    data: arrays({
      inputs: readArray(problem.inputs) as Float32Array,
      inputShape: problem.inputs.shape.slice(1),
      labels: readArray(problem.labels) as Uint8Array,
      classes: outputs,
    }),
    loss: problem.loss_function === 'ce' ? crossEntropy : meanSquaredError,
    // Two chunks, the second smaller.
    chunk: Math.ceil(problem.n / 2) + 1,
  });
}

/**
 * Rounding depends on the loss and the weights: errors that were seen on a sibling may be so many times larger here.
 */
const SIBLING = 3;

/**
 * The errors that another float32 implementation was seen to make: of this problem, else of the one most like it by
 * name, times three.
 */
export function readObserved(name: string): Value {
  const suffix = '.float32-observed.json';
  const shared = (other: string) => [...other].findIndex((c, i) => c !== name[i]);
  const candidates = readdirSync(referenceFolder).filter((file) => file.endsWith(suffix));
  const best = candidates
    .map((file) => file.slice(0, -suffix.length))
    .sort((a, b) => (b === name ? Infinity : shared(b)) - (a === name ? Infinity : shared(a)))[0];
  if (best === undefined || best.slice(0, 2) !== name.slice(0, 2)) return null;
  const scale = best === name ? 1 : SIBLING;
  return JSON.parse(readFileSync(join(referenceFolder, best + suffix), 'utf8'), (_, value) =>
    typeof value === 'number' ? value * scale : value,
  );
}

/**
 * Four units in the last place of float32: engines that add in another order (oneDNN, Eigen, WebAssembly) were seen
 * to differ by three, so below this nothing computed in float32 can be asked to agree.
 */
const FLOAT32 = 2 ** -21;

/** Compares brink's numbers with a reference, key by key, and knows which keys nobody has looked at. */
export class Comparison {
  private readonly reference: Value;
  private readonly observed: Record<string, number>;
  private readonly seen = new Set<string>();

  constructor(reference: Value, observed: Record<string, number> | null) {
    this.reference = reference;
    this.observed = observed ?? {};
  }

  /** The reference at a path; through lists of records it reads a column. */
  at(path: string): Value {
    return path
      .slice(1)
      .split('/')
      .reduce((value: Value, key) => (Array.isArray(value) ? value.map((v) => v[key]) : value[key]), this.reference);
  }

  /**
   * Expects `actual` (a number, or an array) within ten times what float32 was seen to reach at this key, relative to
   * the largest entry; `absolute` is allowed too where the value is a cancellation.
   */
  near(
    path: string,
    actual: number | ArrayLike<number>,
    options: { absolute?: number; expected?: Value; relative?: number } = {},
  ): void {
    this.seen.add(path);
    const list = (x: Value): number[] => (typeof x === 'number' ? [x] : (Array.from(x).flat(Infinity) as number[]));
    const expected = list(options.expected ?? this.at(path));
    const got = list(actual);
    expect(got.length, `${path}: how many`).toBe(expected.length);
    const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const relative = options.relative ?? Math.max(10 * (this.observed[path] ?? 0), FLOAT32);
    const allowed = Math.max(relative * scale, options.absolute ?? 0);
    let worst = 0;
    for (const [i, x] of got.entries())
      worst = Math.max(worst, Number.isFinite(x) ? Math.abs(x - expected[i]!) : Infinity);
    expect(
      worst,
      `${path}: ${got.slice(0, 3)} for ${expected.slice(0, 3)}, error over scale ${worst / scale}, allowed ${allowed / scale}`,
    ).toBeLessThanOrEqual(allowed);
  }

  /** Expects an estimate within five of its standard errors, and a rounding. */
  within(path: string, value: number, standardError: number): void {
    this.seen.add(path);
    const truth = this.at(path);
    const message = `${path}: ${value} ± ${standardError} for ${truth}`;
    expect(Math.abs(value - truth), message).toBeLessThanOrEqual(5 * standardError + 1e-5 * Math.abs(truth));
  }

  /** Notes a key that the caller has compared in its own way. */
  compared(path: string): void {
    this.at(path);
    this.seen.add(path);
  }

  /** Expects equality: integers, truth values. */
  same(path: string, actual: Value): void {
    this.seen.add(path);
    expect(actual, path).toEqual(this.at(path));
  }

  /** Expects that every key is compared, or named in `others` with the reason why not. */
  complete(others: Record<string, string>): void {
    const leaves: string[] = [];
    const walk = (value: Value, path: string): void => {
      if (this.seen.has(path) || path in others) return;
      if (Array.isArray(value) && typeof value[0] === 'object' && !Array.isArray(value[0])) walk(value[0], path);
      else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        for (const key of Object.keys(value)) walk(value[key], `${path}/${key}`);
      } else leaves.push(path);
    };
    walk(this.reference, '');
    expect(leaves, 'keys neither compared nor named with a reason').toEqual([]);
  }
}

import { lastValueFrom, type OperatorFunction, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import type { Step } from '../../src/core/Step.ts';
import { dot, mean } from '../../src/linalg/vector.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { scalingRule } from '../../src/probes/scalingRule.ts';
import { rhoOfRun, type TracesOfExample } from '../../src/theory/rhoOfRun.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { curvedRegression } from '../helpers/curvedRegression.ts';
import { withoutExampleNorms } from '../helpers/withoutExampleNorms.ts';

const n = 12;
const run = { learningRate: 0.05, steps: 40, batchSize: 4, seed: 3 };
const measured = <R>(objective: Objective, probe: OperatorFunction<Step, R>) =>
  lastValueFrom(gradientDescent(objective, run).pipe(probe, toArray()));

/** Σ‖∇L‖²/Σ E‖g_i‖² from single gradients. */
async function bySingles(): Promise<number[]> {
  const objective = curvedRegression(0.3, n);
  const [sums, running] = [[0, 0], [] as number[]];
  const weights = await lastValueFrom(gradientDescent(objective, run).pipe(toArray()));
  for (const step of weights) {
    const point = objective.at(step.weights);
    const gradient = await point.gradient();
    sums[0]! += dot(gradient, gradient);
    const singles = Array.from({ length: n }, async (_, i) => (await point.batchGradient(Int32Array.of(i))).gradient);
    sums[1]! += mean((await Promise.all(singles)).map((g) => dot(g, g)));
    running.push(sums[0]! / sums[1]!);
  }
  return running;
}

describe('ρ of a run', () => {
  it('is of as many steps as a run may have', () => {
    const traces = { batch_size: 1, replacement: false, trace_S_n: 1, trace_S_b: 2, trace_S_b_standard_error: 0.1 };
    const { rho, standardError } = rhoOfRun(
      Array.from({ length: 200_000 }, (_, step) => ({ step, ...traces })),
      n,
    );
    expect(rho).toBe(0.5);
    expect(standardError).toBeCloseTo((0.5 * 0.1) / 2 / Math.sqrt(200_000), 12);
  });

  it('is the ratio of the sums, running in the probes and of their tables, whatever the b', async () => {
    const truth = await bySingles();
    const objective = curvedRegression(0.3, n);
    const tables = [
      await measured(objective, gradientConcentration({ batchSizes: [1, 3, 12] })),
      await measured(objective, gradientConcentration({ batchSizes: [7], replacement: true })),
      await measured(objective, interactionAwareSharpness({ batchSizes: [3, 5] })),
      await measured(objective, scalingRule({ batchSizes: [2, 6] })),
    ];
    for (const rows of tables) {
      const { rho, standardError, blockStandardError, steps } = rhoOfRun(rows, n);
      expect(rho / truth.at(-1)!).toBeCloseTo(1, 5);
      expect(standardError).toBe(0);
      expect(blockStandardError).toBeGreaterThan(0);
      expect(steps).toBe(41);
    }
    const ones = (await measured(objective, gradientConcentration())).map((row) => row.running_rho);
    for (const [t, rho] of ones.entries()) expect(rho / truth[t]!).toBeCloseTo(1, 5);
    for (const row of await measured(objective, scalingRule({ batchSizes: [2] }))) {
      expect(row.running_rho / truth[row.step]!).toBeCloseTo(1, 5);
    }
  });

  it('differs by far from that of the last step, where the gradient is small', async () => {
    const rows = await measured(curvedRegression(0.3, n), gradientConcentration());
    expect(rows.at(-1)!.rho).toBeLessThan(rows.at(-1)!.running_rho / 2);
  });

  it('has the error of its draws where they are drawn, which covers the truth', async () => {
    const truth = (await bySingles()).at(-1)!;
    const objective = withoutExampleNorms(curvedRegression(0.3, n));
    const off: number[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const rows = await measured(objective, gradientConcentration({ seed, draws: 8 }));
      const { rho, standardError } = rhoOfRun(rows, n);
      expect(rows.at(-1)!.running_rho).toBeCloseTo(rho, 10);
      expect(rows.at(-1)!.running_rho_standard_error).toBeCloseTo(standardError, 10);
      off.push((rho - truth) / standardError);
    }
    expect(off.filter((x) => Math.abs(x) < 2).length).toBeGreaterThan(60 * 0.85);
    const spread = Math.sqrt(mean(off.map((x) => x ** 2)));
    expect(spread).toBeGreaterThan(0.7);
    expect(spread).toBeLessThan(1.4);
  });

  it('has an error over blocks that is right for a series without a trend', () => {
    const rows = (seed: number): TracesOfExample[] =>
      Array.from({ length: 100 }, (_, step) => ({
        step,
        trace_S_n: 1 + Math.sin(12.9898 * step + 78.233 * seed) * 0.5,
        trace_S_1: 10,
        trace_S_1_standard_error: 0,
      }));
    const runs = Array.from({ length: 40 }, (_, seed) => rhoOfRun(rows(seed), 100));
    for (const { rho, blockStandardError } of runs) {
      expect(rho).toBeCloseTo(0.1, 2);
      expect(blockStandardError).toBeLessThan(0.01);
    }
    expect(rhoOfRun(rows(1).slice(0, 19), 100).blockStandardError).toBeNull();
    // A step up in the middle: how much depends on where one looks.
    const rising = rows(1).map((row) => ({ ...row, trace_S_n: row.step < 50 ? 0.5 : 1.5 }));
    // Ten blocks of .05 or .15: their standard deviation is .0527, over √10.
    expect(rhoOfRun(rising, 100).blockStandardError).toBeCloseTo(0.0527 / Math.sqrt(10), 3);
  });

  it('is told of coupled examples where that is asked for, as if they were not', () => {
    const [row, coupled] = [batch({ noise_scale: 3 }), batch({ noise_scale: null })];
    expect(rhoOfRun([coupled], 5, { asIfUncoupled: true })).toEqual(rhoOfRun([row], 5));
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'rows of another table',
      () => rhoOfRun([{ step: 0, loss: 1 }] as never, 5),
      /^rhoOfRun: rows\[0\] has neither trace/,
    ],
    ['no rows', () => rhoOfRun([], 5), /^rhoOfRun: of 0 rows none has b < n = 5\./],
    [
      'a b beyond n',
      () => rhoOfRun([batch({ batch_size: 6 })], 5),
      /^rhoOfRun: rows\[0\] is of b = 6, and n is only 5\./,
    ],
    ['the full batch alone', () => rhoOfRun([batch({ batch_size: 5 })], 5), /^rhoOfRun: of 1 rows none has b < n/],
    [
      'a trace that is not finite',
      () => rhoOfRun([batch({ trace_S_b: NaN })], 5),
      /^rhoOfRun: step 3: .* is NaN in rows\[0\]/,
    ],
    [
      'a model with batch normalisation, where the identity does not hold, and another n',
      () => rhoOfRun([batch({ noise_scale: null })], 5),
      /^rhoOfRun: step 3: noise_scale is null in rows\[0\], for b = 2\./,
    ],
    ['no n', () => rhoOfRun([batch({})], undefined as never), /^rhoOfRun: n is missing\./],
    ['no list', () => rhoOfRun({} as never, 5), /^rhoOfRun: rows is/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

const batch = (more: object) => ({
  step: 3,
  batch_size: 2,
  replacement: false,
  trace_S_n: 1,
  trace_S_b: 2,
  trace_S_b_standard_error: 0,
  ...more,
});

describe('the rules of a run', () => {
  it('take the running ρ, or that of the step where it is asked for', async () => {
    const objective = curvedRegression(0.3, n);
    const [running] = (await measured(objective, scalingRule({ batchSizes: [8] }))).slice(-1);
    const [step] = (await measured(objective, scalingRule({ batchSizes: [8], concentration: 'step' }))).slice(-1);
    const share = (b: number) => (n - b) / (n - 1) / b;
    const rate = (rho: number) => (0.05 * (share(4) / rho + 1 - share(4))) / (share(8) / rho + 1 - share(8));
    expect(running!.lssr).toBeCloseTo(rate(running!.running_rho), 9);
    expect(step!.lssr).toBeCloseTo(rate(step!.rho_1), 9);
    expect(step!.running_rho).toBe(running!.running_rho);
    expect(step!.lssr).toBeGreaterThan(running!.lssr);
  });
});

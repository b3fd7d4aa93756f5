// What the figures of the paper make of rows that few runs have.
import { describe, expect, it } from 'vitest';
import { type Grid, gridChart } from '../../pipelines/figures/parts/batchSizeGrid.ts';
import { oscillationClaims } from '../../pipelines/figures/parts/oscillation.ts';
import type { Estimate, MadeRun, MadeRuns } from '../../src/index.ts';

const made = (seed: number, all: readonly MadeRun[]): MadeRuns => ({
  seed,
  all,
  named: (name) => all.find((run) => run.name === name)!,
});

/** A run with some tables, by their names. */
const runWith = (name: string, state: MadeRun['state'], tables: Record<string, readonly object[]>): MadeRun => ({
  ...{ name, state, parameters: {}, seed: 0, error: null, steps: 100 },
  rows: (probe) => tables[probe.table.name] as never,
});

describe('a run that went on where it was cut off', () => {
  it('has its angles between neighbours judged, without the row that sees no step before it', () => {
    const steps = Array.from({ length: 40 }, (_, step) => step);
    const angles = (cut: number | null) =>
      steps.map((step) => ({
        step,
        previous_step: step === 0 || step === cut ? null : step - 1,
        cos_gradient_previous: step === 0 || step === cut ? null : -0.9,
        cos_q1_previous: step === 0 || step === cut ? null : step % 10 === 7 ? 0.1 : 0.99,
      }));
    const measured = (cut: number | null) => {
      const run = runWith('gd', 'finished', {
        alignment: angles(cut),
        eigenvalues: steps.map((step) => ({ step, lambda_1: 11, edge: 10, eigenvalues: [11, 3] })),
        sharpness: steps.map((step) => ({ step, ias: step < 4 ? 9 : 11, edge: 10 })),
      });
      const passage = { name: 'gd', learningRate: 0.2 } as Parameters<typeof oscillationClaims>[0];
      return oscillationClaims(passage, 'Figure 24').map(({ measure }) => measure(made(0, [run])) as Estimate);
    };
    expect(measured(null).map(({ value, size }) => [value, size])).toEqual([
      [-0.9, 33],
      [4 / 33, 33],
    ]);
    expect(measured(20).map(({ value, size }) => [value, size])).toEqual([
      [-0.9, 32],
      [4 / 32, 32],
    ]);
  });
});

describe('the heatmap of several seeds', () => {
  it('has the best η of each b by its b, also where no run of a seed ended with one of them', () => {
    const grid = {
      network: { examples: 64 },
      ...{ batchSizes: [4, 8, 16], learningRates: [0.1, 0.2] },
    } as unknown as Grid;
    const tables = (accuracy: number) => ({
      loss: [{ test_accuracy: accuracy }],
      concentration: [0, 1].map((step) => ({
        ...{ step, batch_size: 1, replacement: false, trace_S_n: 1, trace_S_b: 20, trace_S_b_standard_error: 0 },
      })),
    });
    // The best is .1 for b = 4 and .2 beyond; with the second seed all runs with b = 4 diverge.
    const seed = (k: number) =>
      made(
        k,
        grid.batchSizes.flatMap((b) =>
          grid.learningRates.map((eta) =>
            runWith(
              `b${b}-eta${eta}`,
              k === 1 && b === 4 ? 'diverged' : 'finished',
              tables((eta === 0.1) === (b === 4) ? 0.9 : 0.5),
            ),
          ),
        ),
      );
    const seeds = [seed(0), seed(1)];
    const { layer } = gridChart(grid, 'a grid', seeds[0]!, seeds) as unknown as {
      layer: readonly { mark: { type: string }; data: { values: readonly { x: number; y: number }[] } }[];
    };
    const best = layer.find(({ mark, data }) => mark.type === 'point' && data.values.length > 0)!.data.values;
    expect(best.map(({ x, y }) => [x, Number(y.toFixed(6))])).toEqual([
      [4, 0.1],
      [8, 0.2],
      [16, 0.2],
    ]);
  });
});

// Figures 4(c, d), 31 and 33: with SGD the interaction-aware sharpness is held below 2ρ_b/η, for every batch size.
import {
  blockInterval,
  type Claim,
  chart,
  type FigureInputs,
  gradientDescent,
  interactionAwareSharpness,
  line,
  type MadeRun,
  type PlannedRun,
  ratioOfSums,
  rule,
  type SharpnessRow,
  throttleSteps,
  toParquet,
  trainingLoss,
} from 'brink';
import { type Network, trainingLossOf } from './networks.ts';

/** SGD with several batch sizes and one learning rate. */
export interface Sgd {
  readonly network: Network;
  readonly learningRate: number;
  readonly batchSizes: readonly number[];
  readonly steps: number;
  /** Measured at every so many steps. */
  readonly every: number;
  /** Eigenpairs that are done exactly, and draws for the rest. */
  readonly deflate: number;
  readonly draws: number;
  readonly seed: number;
}

export const runOf = (batchSize: number) => `sgd-${batchSize}`;

/** One run for each batch size, with ‖H‖_{S_b} and ρ_b of its own b. */
export function sgdRuns(sgd: Sgd, inputs: FigureInputs): PlannedRun[] {
  const { network, learningRate, steps, every, deflate, draws } = sgd;
  return sgd.batchSizes.map((b) => ({
    name: runOf(b),
    parameters: { learning_rate: learningRate, batch_size: b },
    steps: async (seed) =>
      gradientDescent(await trainingLossOf(network, inputs), {
        ...{ learningRate, steps, batchSize: b },
        seed: sgd.seed + seed,
      }),
    branches: {
      loss: (s) => s.pipe(throttleSteps(every), trainingLoss(), toParquet()),
      sharpness: (s) =>
        s.pipe(
          throttleSteps(every),
          interactionAwareSharpness({ batchSizes: [b], deflate, draws, tolerance: 0.01 }),
          toParquet(),
        ),
    },
    ...(network.examples >= 8192 && {
      checkpoint: { every: 50 },
      work: {
        gradients: (steps * b) / network.examples + (steps / every) * draws,
        products: (steps / every) * (draws + 2 * deflate),
      },
    }),
  }));
}

/** The rows of the second half of training. */
export function lateRows(run: MadeRun): readonly SharpnessRow[] {
  const rows = run.rows(interactionAwareSharpness);
  return rows.slice(Math.floor(rows.length / 2));
}

/** ⟨‖H‖_{S_b}⟩ against ⟨2ρ_b/η⟩, for one batch size. */
export function hoversAtBound(batchSize: number, where: string): Claim {
  return {
    id: `ias-around-bound-b${batchSize}`,
    says: `With batches of ${batchSize} the interaction-aware sharpness ‖H‖_{S_b} hovers around 2ρ_b/η.`,
    where,
    how: 'Σ ias/Σ bound over the rows of the second half of training',
    region: { low: 0.8, high: 1.2, why: 'a fifth: the curves of the figure are smoothed, and read by eye' },
    measure: (runs) =>
      ratioOfSums(
        lateRows(runs.named(runOf(batchSize))),
        (row) => row.ias,
        (row) => row.bound,
      ),
  };
}

/** Σ tr(HS_b)/Σ tr(S_n) against 2/η: the ratio of sums, since steps with a small tr(S_n) skew the mean of ratios. */
export function interactionAtEdge(batchSize: number, where: string): Claim {
  return {
    id: `interaction-around-edge-b${batchSize}`,
    says: `With batches of ${batchSize} tr(HS_b)/tr(S_n) stays around 2/η.`,
    where,
    how: 'Σ tr(HS_b)/Σ (2/η) tr(S_n) over the rows of the second half of training',
    region: { low: 0.8, high: 1.25, why: 'a fifth to either side, as a ratio' },
    measure: (runs) =>
      ratioOfSums(
        lateRows(runs.named(runOf(batchSize))),
        (row) => row.trace_H_S_b,
        (row) => row.edge * row.trace_S_n,
      ),
  };
}

/** Medians of a column over windows of so many rows: the curves of the figure are smoothed. */
function smoothed(rows: readonly SharpnessRow[], value: (row: SharpnessRow) => number, width = 7) {
  return rows.map((row, i) => {
    const window = rows.slice(Math.max(0, i - (width >> 1)), i + (width >> 1) + 1).map(value);
    return { step: row.step, value: window.sort((a, b) => a - b)[window.length >> 1]! };
  });
}

/** A smoothed quantity over the steps, one line for each batch size. */
export function byBatchSize(
  runs: readonly MadeRun[],
  {
    title,
    quantity,
    value,
    edge,
  }: {
    readonly title: string;
    readonly quantity: string;
    readonly value: (row: SharpnessRow) => number;
    readonly edge: number | null;
  },
) {
  const top = edge === null ? {} : { domain: [0, 2.2 * edge] as [number, number] };
  return chart({
    title,
    description: `${quantity} over the steps of training, medians of seven rows, one line for each batch size.`,
    x: { title: 'step t' },
    y: { title: quantity, ...top },
    layers: [
      ...runs.map((run) =>
        line({
          name: `b = ${run.parameters.batch_size}`,
          rows: smoothed(run.rows(interactionAwareSharpness), value),
          x: 'step',
          y: 'value',
        }),
      ),
      ...(edge === null ? [] : [rule({ name: '2/η', y: edge })]),
    ],
  });
}

/** The median of ‖H‖_{S_b} late in training over b, with its interval, beside 2ρ_b/η. */
export function overBatchSizes(runs: readonly MadeRun[], value: (row: SharpnessRow) => number) {
  return runs.map((run) => {
    const estimate = blockInterval(lateRows(run).map(value), 'median');
    return { b: Number(run.parameters.batch_size), value: estimate.value, low: estimate.low, high: estimate.high };
  });
}

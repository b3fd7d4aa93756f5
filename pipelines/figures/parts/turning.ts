// Figures 23, 24 and 25: how gradient and sharpest direction turn as training passes the edge.
import {
  alignment,
  type FigureInputs,
  firstCrossing,
  gradientDescent,
  interactionAwareSharpness,
  type MadeRun,
  type PlannedRun,
  type Step,
  toParquet,
  topEigenvalues,
} from 'brink';
import { filter } from 'rxjs';
import { type Network, trainingLossOf } from './networks.ts';

/** Full-batch descent, measured at every step of a window. */
export interface Passage {
  /** The run's name. */
  readonly name: string;
  readonly network: Network;
  readonly learningRate: number;
  readonly from: number;
  readonly to: number;
  readonly seed: number;
}

export function passageRun(passage: Passage, inputs: FigureInputs): PlannedRun {
  const { name, network, learningRate, from, to } = passage;
  const isSeen = ({ index }: Step) => index >= from && index <= to;
  return {
    name,
    parameters: { learning_rate: learningRate },
    steps: async (seed) =>
      gradientDescent(await trainingLossOf(network, inputs), { learningRate, steps: to, seed: passage.seed + seed }),
    branches: {
      eigenvalues: (s) => s.pipe(filter(isSeen), topEigenvalues({ count: 2, tolerance: 1e-3 }), toParquet()),
      alignment: (s) => s.pipe(filter(isSeen), alignment({ count: 2, tolerance: 1e-3 }), toParquet()),
      sharpness: (s) => s.pipe(filter(isSeen), interactionAwareSharpness(), toParquet()),
    },
    ...(network.examples >= 8192 && { checkpoint: { every: 50 }, work: { gradients: to, products: 5 * (to - from) } }),
  };
}

/** The steps at which λ₁, λ₂ and ‖H‖_{S_n} first pass the edge; null where they don't. */
export function passages(run: MadeRun): Readonly<Record<'lambda1' | 'lambda2' | 'ias', number | null>> {
  const eigenvalues = run.rows(topEigenvalues);
  const sharpness = run.rows(interactionAwareSharpness);
  const lambda1 = firstCrossing(eigenvalues, { value: (row) => row.lambda_1, edge: (row) => row.edge });
  const lambda2 = firstCrossing(eigenvalues, { value: (row) => row.eigenvalues[1]!, edge: (row) => row.edge });
  const ias = firstCrossing(sharpness, { value: (row) => row.ias, edge: (row) => row.edge });
  return {
    lambda1: lambda1 === null ? null : eigenvalues[lambda1]!.step,
    lambda2: lambda2 === null ? null : eigenvalues[lambda2]!.step,
    ias: ias === null ? null : sharpness[ias]!.step,
  };
}

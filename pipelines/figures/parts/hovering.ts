// Figures 4, 29 and 38: the sharpness hovers above the edge, the interaction-aware sharpness around it.
import {
  blockInterval,
  type Claim,
  chart,
  type EigenvaluesRow,
  type FigureInputs,
  firstCrossing,
  gradientDescent,
  interactionAwareSharpness,
  line,
  type MadeRun,
  type PlannedRun,
  type SharpnessRow,
  throttleSteps,
  toParquet,
  topEigenvalues,
  trainingLoss,
} from 'brink';
import { type Network, trainingLossOf } from './networks.ts';

/** Full-batch training with one setting. */
export interface Descent {
  /** The run's name. */
  readonly name: string;
  readonly network: Network;
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly steps: number;
  /** λ₁ at every so many steps: an odd number, so that even and odd steps are seen. */
  readonly every: number;
  readonly seed: number;
}

/** Full-batch descent with λ₁, ‖H‖_{S_n} and the loss. */
export function descentRun(descent: Descent, inputs: FigureInputs): PlannedRun {
  const { name, network, learningRate, beta1 = 0, beta2 = 0, steps, every } = descent;
  return {
    name,
    parameters: { learning_rate: learningRate, beta_1: beta1, beta_2: beta2 },
    steps: async (seed) =>
      gradientDescent(await trainingLossOf(network, inputs), {
        ...{ learningRate, beta1, beta2, steps },
        seed: descent.seed + seed,
      }),
    branches: {
      loss: (s) => s.pipe(trainingLoss(), toParquet()),
      eigenvalues: (s) => s.pipe(throttleSteps(every), topEigenvalues({ tolerance: 0.01 }), toParquet()),
      sharpness: (s) => s.pipe(interactionAwareSharpness(), toParquet()),
    },
    // A search for λ₁ takes some four products.
    ...(network.examples >= 8192 && {
      checkpoint: { every: 50 },
      work: { gradients: steps, products: steps * (1 + 4 / every) },
    }),
  };
}

/** The rows from the one on in which ‖H‖_{S_n} first passes the edge; null where it never does. */
export function hoveringRows(run: MadeRun) {
  const sharpness = run.rows(interactionAwareSharpness);
  const passed = firstCrossing(sharpness, { value: (row) => row.ias, edge: (row) => row.edge });
  if (passed === null) return null;
  const from = sharpness[passed]!.step;
  return {
    from,
    sharpness: sharpness.slice(passed),
    eigenvalues: run.rows(topEigenvalues).filter(({ step }) => step >= from),
  };
}

const NEVER = '‖H‖_{S_n} never passed the edge';

/** The two claims about one run. */
export function hoveringClaims(descent: Pick<Descent, 'name'>, label: string, where: string): Claim[] {
  const { name } = descent;
  return [
    {
      id: `sharpness-above-${name}`,
      says: `With ${label} the sharpness λ₁ hovers above the edge.`,
      where,
      how: 'median of lambda_1/edge over the rows from the step on at which ias first exceeds edge',
      region: { low: 1, why: '“above” is the claim' },
      measure: (runs) => {
        const rows = hoveringRows(runs.named(name));
        return rows
          ? blockInterval(
              rows.eigenvalues.map(({ lambda_1, edge }) => lambda_1 / edge),
              'median',
            )
          : NEVER;
      },
    },
    {
      id: `ias-around-${name}`,
      says: `With ${label} the interaction-aware sharpness ‖H‖_{S_n} oscillates around the edge.`,
      where,
      how: 'median of ias/edge over the rows from the step on at which ias first exceeds edge',
      region: { low: 0.9, high: 1.1, why: 'a tenth is what the eye takes for “around” in the figure' },
      measure: (runs) => {
        const rows = hoveringRows(runs.named(name));
        return rows
          ? blockInterval(
              rows.sharpness.map(({ ias, edge }) => ias / edge),
              'median',
            )
          : NEVER;
      },
    },
  ];
}

/** λ₁ and ‖H‖_{S_n} over the steps, against the edge. */
export function hoveringChart(run: MadeRun, title: string, edgeName = '2/η') {
  const eigenvalues: readonly EigenvaluesRow[] = run.rows(topEigenvalues);
  const sharpness: readonly SharpnessRow[] = run.rows(interactionAwareSharpness);
  const edge = sharpness[0]?.edge ?? 1;
  return chart({
    title,
    description: `The sharpness and the interaction-aware sharpness over ${run.steps} steps; the edge is ${edge}.`,
    x: { title: 'step t' },
    y: { title: 'eigenvalue of H', domain: [0, 1.8 * edge] },
    layers: [
      line({ name: 'λ₁', rows: eigenvalues, x: 'step', y: 'lambda_1' }),
      line({ name: '‖H‖_{S_n}', rows: sharpness, x: 'step', y: 'ias' }),
      line({ name: edgeName, rows: sharpness, x: 'step', y: 'edge', dashed: true }),
    ],
  });
}

// Figures 1, 2, 6, 10 and 19: the expected change of the loss over one step against tr(HS_b)/tr(S_n).
import {
  type Claim,
  chart,
  type Estimate,
  expectedLossChange,
  type FigureInputs,
  firstCrossing,
  gradientDescent,
  type LossChangeRow,
  lineFitInterval,
  type MadeRun,
  type PlannedRun,
  points,
  rule,
  slope,
  throttleSteps,
  toParquet,
  topEigenvalues,
} from 'brink';
import { type Network, trainingLossOf } from './networks.ts';

/** Training whose next loss is measured along the way. */
export interface Training {
  /** The run's name. */
  readonly name: string;
  /** What the panel and the claims call it. */
  readonly label: string;
  readonly network: Network;
  readonly learningRate: number;
  /** b; n: gradient descent. */
  readonly batchSize: number;
  readonly steps: number;
  /** Measured at every so many steps. */
  readonly every: number;
  /** Sampled next losses a row, and eigenpairs that are done exactly. */
  readonly draws: number;
  readonly deflate: number;
  readonly seed: number;
}

const isFull = ({ batchSize, network }: Training) => batchSize === network.examples;

export function trainingRun(training: Training, inputs: FigureInputs): PlannedRun {
  const { name, network, learningRate, batchSize, steps, every, draws, deflate } = training;
  const { examples } = network;
  return {
    name,
    parameters: { learning_rate: learningRate, batch_size: batchSize, loss: network.loss },
    steps: async (seed) =>
      gradientDescent(await trainingLossOf(network, inputs), {
        ...{ learningRate, batchSize, steps },
        seed: training.seed + seed,
      }),
    branches: {
      change: (s) =>
        s.pipe(
          throttleSteps(every),
          expectedLossChange({
            ...{ batchSizes: [batchSize], draws, deflate, tolerance: 0.01 },
            // x with next to no noise, and none that r has too.
            estimator: isFull(training) ? 'batches' : 'examples',
          }),
          toParquet(),
        ),
      eigenvalues: (s) =>
        s.pipe(throttleSteps(every), topEigenvalues({ count: Math.max(1, deflate), tolerance: 0.01 }), toParquet()),
    },
    ...(examples >= 4096 && {
      checkpoint: { every: 50 },
      work: {
        gradients: (steps * batchSize) / examples + ((steps / every) * draws * batchSize) / examples,
        products: (steps / every) * (2 * draws + 2 * deflate),
      },
    }),
  };
}

/** Up to where tr(HS_b)/tr(S_n) first passes 2/η; for gradient descent from where λ₁ does, as in the paper. */
export function earlyRows(run: MadeRun, training: Training): readonly LossChangeRow[] {
  const rows = run.rows(expectedLossChange);
  const eigenvalues = run.rows(topEigenvalues);
  const sharp = firstCrossing(eigenvalues, { value: (row) => row.lambda_1, edge: (row) => row.edge });
  // Where x is sampled, one row above the edge may be noise.
  const stays = isFull(training) ? 1 : 3;
  const entered = firstCrossing(rows, { value: (row) => row.interaction, edge: (row) => row.plain_edge, stays });
  const from = sharp === null ? Number.POSITIVE_INFINITY : eigenvalues[sharp]!.step;
  const to = entered === null ? Number.POSITIVE_INFINITY : rows[entered]!.step;
  return rows.filter(({ step }) => (!isFull(training) || step >= from) && step <= to);
}

/** The straight line through (tr(HS_b)/tr(S_n), ΔL/tr(S_n)), with the errors of both. */
function fittedLine(rows: readonly LossChangeRow[]) {
  return lineFitInterval(rows, {
    x: (row) => row.interaction,
    xError: (row) => row.interaction_standard_error,
    y: (row) => row.normalized_change,
    yError: (row) => row.normalized_change_standard_error,
  });
}

const scaled = (estimate: Estimate, by: number): Estimate => ({
  ...estimate,
  ...{ value: estimate.value * by, low: estimate.low * by, high: estimate.high * by },
});

const FEW = 'fewer than 8 rows lie in that window';

/** Slope and intercept before the edge. */
export function quadraticClaims(training: Training, where: string): Claim[] {
  const { name, label, learningRate: eta } = training;
  const window = isFull(training)
    ? 'from where λ₁ passes 2/η to where ‖H‖_{S_n} does'
    : 'up to where tr(HS_b)/tr(S_n) first lies above 2/η three times in turn';
  const how = `line through (interaction, normalized_change) with the errors of both, over the rows ${window}`;
  const measured =
    (pick: (line: ReturnType<typeof fittedLine>) => Estimate): Claim['measure'] =>
    (runs) => {
      const rows = earlyRows(runs.named(name), training);
      return rows.length < 8 ? FEW : pick(fittedLine(rows));
    };
  return [
    {
      id: `slope-${name}`,
      says: `With ${label} the change of the loss grows with slope η²/2 before the edge.`,
      where,
      how: `${how}; slope over η²/2`,
      region: { low: 0.95, high: 1.05, why: 'within a twentieth the loss is called locally quadratic' },
      measure: measured((line) => scaled(line.slope, 2 / eta ** 2)),
    },
    {
      id: `intercept-${name}`,
      says: `With ${label} the loss neither falls nor rises where tr(HS_b)/tr(S_n) is 2/η.`,
      where,
      how: `${how}; x-intercept over 2/η`,
      region: { low: 0.95, high: 1.05, why: 'within a twentieth' },
      measure: measured((line) => scaled(line.xIntercept, eta / 2)),
    },
  ];
}

/** The slope beyond the edge over the one before it. */
export function gentlerClaim(training: Training, where: string): Claim {
  const { name, label } = training;
  return {
    id: `gentler-${name}`,
    says: `With ${label} the loss rises less beyond the edge than second order says.`,
    where,
    how: 'lines through (interaction, normalized_change) over the rows beyond plain_edge; slope over η²/2',
    region: { high: 0.9, why: 'a tenth below the slope of a quadratic is seen in the figure' },
    measure: (runs) => {
      const rows = runs
        .named(name)
        .rows(expectedLossChange)
        .filter((row) => row.interaction > row.plain_edge);
      return rows.length < 8 ? FEW : scaled(fittedLine(rows).slope, 2 / training.learningRate ** 2);
    },
  };
}

/** The cloud of points, and the line that a quadratic loss would have. */
export function changeChart(training: Training, rows: readonly LossChangeRow[]) {
  const { label, learningRate: eta } = training;
  return chart({
    title: label,
    description: `The change of the loss over tr(S_n) against tr(HS_b)/tr(S_n) at ${rows.length} steps, and the line of slope η²/2 through 2/η = ${2 / eta}.`,
    x: { title: isFull(training) ? '‖H‖_{S_n}' : 'tr(HS_b)/tr(S_n)' },
    y: { title: 'ΔL/tr(S_n)' },
    layers: [
      points({
        name: 'measured',
        rows,
        ...{ x: 'interaction', xError: 'interaction_standard_error' },
        ...{ y: 'normalized_change', yError: 'normalized_change_standard_error' },
      }),
      slope({ name: 'slope η²/2', slope: eta ** 2 / 2, xIntercept: 2 / eta }),
      rule({ name: '2/η', x: 2 / eta }),
    ],
  });
}

// Figures 3 and 20: the valley is asymmetric. Where it is sharp it grows flatter along the step, and the other way.
import {
  blockInterval,
  type Claim,
  chart,
  type FigureInputs,
  gradientDescent,
  interactionAwareSharpness,
  line,
  lossSlice,
  type MadeRun,
  type PlannedRun,
  points,
  type SlicesRow,
  sliceMinimum,
  slope,
  throttleSteps,
  toParquet,
} from 'brink';
import { type Network, trainingLossOf } from './networks.ts';

/** Full-batch descent with slices of the loss along its steps. */
export interface Sliced {
  /** The run's name. */
  readonly name: string;
  readonly network: Network;
  readonly learningRate: number;
  readonly steps: number;
  /** Slices at every so many steps. */
  readonly every: number;
  readonly seed: number;
}

/** α of ‖H_α‖. */
const ALPHAS = [0.25, 0.5, 0.75, 1, 1.25];
/** How high the picture of the slices reaches, in their depths. */
const TOP = 1.5;
/** α of the slices. */
const SLICE = Array.from({ length: 17 }, (_, k) => (k - 2) / 5);

export function slicedRun(sliced: Sliced, inputs: FigureInputs): PlannedRun {
  const { name, network, learningRate, steps, every } = sliced;
  return {
    name,
    parameters: { learning_rate: learningRate },
    steps: async (seed) =>
      gradientDescent(await trainingLossOf(network, inputs), { learningRate, steps, seed: sliced.seed + seed }),
    branches: {
      sharpness: (s) => s.pipe(interactionAwareSharpness(), toParquet()),
      slices: (s) => s.pipe(throttleSteps(every), lossSlice({ alphas: SLICE, directional: ALPHAS }), toParquet()),
      minima: (s) => s.pipe(throttleSteps(every), sliceMinimum(), toParquet()),
    },
    ...(network.examples >= 8192 && {
      checkpoint: { every: 50 },
      work: { gradients: steps + (10 * steps) / every, products: steps + (ALPHAS.length * steps) / every },
    }),
  };
}

type Side = 'unstable' | 'stable';

/** Where ‖H‖_{S_n} stands at the steps of the slices; near the edge neither is said. */
function sidesOf(
  run: MadeRun,
): ReadonlyMap<number, { readonly ias: number; readonly edge: number; readonly side: Side | null }> {
  return new Map(
    run.rows(interactionAwareSharpness).map(({ step, ias, edge }) => {
      const side = ias > edge ? 'unstable' : ias < 0.9 * edge ? 'stable' : null;
      return [step, { ias, edge, side }] as const;
    }),
  );
}

/** ‖H_α‖_{S_n(θ)} beside ‖H‖_{S_n(θ)} at the steps of one side. */
function directional(run: MadeRun, side: Side, from = 0) {
  const sides = sidesOf(run);
  return run.rows(lossSlice).flatMap(({ step, alpha, directional_sharpness: value }) => {
    const at = sides.get(step)!;
    if (value === null || at.side !== side || step < from) return [];
    return [{ step, alpha, value, ias: at.ias, edge: at.edge }];
  });
}

/** The step at which ‖H‖_{S_n} first exceeds the edge. */
const entered = (run: MadeRun) => run.rows(interactionAwareSharpness).find(({ ias, edge }) => ias > edge)?.step ?? null;

const NEVER = '‖H‖_{S_n} never passed the edge';

export function sliceClaims({ name, learningRate }: Sliced, where: string): Claim[] {
  const which = `With η = ${learningRate}`;
  const window = 'over the slices from where ias first exceeds edge on';
  const shareOf =
    (side: Side, alpha: number, sign: number): Claim['measure'] =>
    (runs) => {
      const run = runs.named(name);
      const from = entered(run);
      if (from === null) return NEVER;
      const rows = directional(run, side, from).filter((row) => row.alpha === alpha);
      return rows.length === 0
        ? `no slice lies where training is ${side}`
        : blockInterval(
            rows.map((row) => sign * (row.value - row.ias)),
            'share',
          );
    };
  const shifts =
    (side: Side, sign: number): Claim['measure'] =>
    (runs) => {
      const run = runs.named(name);
      const from = entered(run);
      if (from === null) return NEVER;
      const sides = sidesOf(run);
      const rows = run
        .rows(sliceMinimum)
        .filter(({ step, alpha_zero }) => step >= from && alpha_zero !== null && sides.get(step)!.side === side);
      return rows.length === 0
        ? `no slice lies where training is ${side}`
        : blockInterval(
            rows.map((row) => sign * ((2 * row.alpha_min!) / row.alpha_zero! - 1)),
            'share',
          );
    };
  const majority = { low: 0.5, why: '“usually” is more than half of the steps' };
  return [
    {
      id: `flatter-${name}`,
      says: `${which} the directional sharpness falls along the step where training is unstable: ‖H_α‖ < ‖H‖.`,
      where,
      how: `share of slices with ias > edge whose directional_sharpness at α = 1 is below ias, ${window}`,
      region: majority,
      measure: shareOf('unstable', 1, -1),
    },
    {
      id: `sharper-${name}`,
      says: `${which} it rises where training is stable: ‖H_α‖ > ‖H‖.`,
      where,
      how: `share of slices with ias < 0.9 edge whose directional_sharpness at α = 1 is above ias, ${window}`,
      region: majority,
      measure: shareOf('stable', 1, 1),
    },
    {
      id: `left-${name}`,
      says: `${which} the minimum of the slice lies left of its middle where training is unstable.`,
      where,
      how: `share of slices with ias > edge whose alpha_min is below alpha_zero/2, ${window}`,
      region: majority,
      measure: shifts('unstable', -1),
    },
    {
      id: `right-${name}`,
      says: `${which} it lies right of it where training is stable.`,
      where,
      how: `share of slices with ias < 0.9 edge whose alpha_min is above alpha_zero/2, ${window}`,
      region: majority,
      measure: shifts('stable', 1),
    },
  ];
}

export function directionalChart(run: MadeRun, title: string) {
  const from = entered(run) ?? 0;
  const rows = [...directional(run, 'unstable', from), ...directional(run, 'stable', from)];
  const edge = rows[0]?.edge ?? 1;
  return chart({
    title,
    description:
      'The directional sharpness along the step against ‖H‖_{S_n}, one colour for each α: below the diagonal where ‖H‖_{S_n} is large.',
    x: { title: '‖H‖_{S_n} over 2/η' },
    y: { title: '‖H_α‖_{S_n} over 2/η' },
    layers: [
      points({
        name: 'slices',
        rows,
        x: (row) => row.ias / edge,
        y: (row) => row.value / edge,
        colorBy: (row) => `α = ${row.alpha}`,
      }),
      slope({ name: 'equal', slope: 1, intercept: 0, dashed: true }),
    ],
  });
}

/** Some slices, each with its least value at −1 and its zeros at 0 and 1, as the figure has them. */
export function slicesChart(run: MadeRun, title: string) {
  const sides = sidesOf(run);
  const minima = new Map(run.rows(sliceMinimum).map((row) => [row.step, row]));
  const from = entered(run) ?? 0;
  const slices = [...Map.groupBy(run.rows(lossSlice), ({ step }) => step)].filter(([step]) => step >= from);
  const shown = slices.filter((_, k) => k % Math.ceil(slices.length / 24) === 0);
  const normalized = (step: number, rows: readonly SlicesRow[]) => {
    const { least_change: least = null, alpha_zero: zero = null } = minima.get(step) ?? {};
    if (least === null || zero === null) return [];
    return rows
      .map((row) => ({ at: row.alpha / zero, value: row.loss_change / -least }))
      .filter(({ value }) => value < TOP);
  };
  const quadratic = Array.from({ length: 41 }, (_, k) => (k - 5) / 25)
    .map((at) => ({ at, value: 4 * at * (at - 1) }))
    .filter(({ value }) => value < TOP);
  return chart({
    title,
    description:
      'Slices of the loss along the step, each over its depth and over where it comes back to 0, beside the quadratic.',
    x: { title: 'α over where ΔL is 0 again' },
    y: { title: 'ΔL over its depth', domain: [-1.2, TOP] },
    layers: [
      ...(['unstable', 'stable'] as const).flatMap((side) =>
        shown
          .filter(([step]) => sides.get(step)!.side === side)
          .map(([step, rows]) => line({ name: side, rows: normalized(step, rows), x: 'at', y: 'value' })),
      ),
      line({ name: 'quadratic', rows: quadratic, x: 'at', y: 'value', dashed: true }),
    ],
  });
}

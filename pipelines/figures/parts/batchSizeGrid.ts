// Figures 5 and 34: test accuracy over batch size and learning rate, and the rules that lead from one b to another.
import {
  bestLearningRates,
  type Claim,
  chart,
  concentrationOfBatch,
  type FigureInputs,
  gradientConcentration,
  gradientDescent,
  heat,
  jackknife,
  line,
  lineFit,
  type MadeRun,
  type MadeRuns,
  type PlannedRun,
  points,
  rhoOfRuns,
  throttleSteps,
  toParquet,
  trainingLoss,
} from 'brink';
import { type Network, trainingLossOf } from './networks.ts';

/** What is trained with every b and every η. */
export interface Grid {
  readonly network: Network;
  readonly batchSizes: readonly number[];
  readonly learningRates: readonly number[];
  readonly epochs: number;
  /** How often a run is looked at. */
  readonly looks: number;
  readonly seed: number;
}

/** What a run that diverged is worth: ten classes by chance. */
const CHANCE = 0.1;

const nameOf = (b: number, eta: number) => `b${b}-eta${eta}`;

/** A run for every pair. One that diverges is a result. */
export function gridRuns(grid: Grid, inputs: FigureInputs): PlannedRun[] {
  const { network, batchSizes, learningRates, epochs, looks } = grid;
  const { examples } = network;
  return batchSizes.flatMap((batchSize) =>
    learningRates.map((learningRate): PlannedRun => {
      // As many steps as looks divide, so that the last step is one.
      const every = Math.ceil((epochs * examples) / batchSize / looks);
      const steps = every * looks;
      return {
        name: nameOf(batchSize, learningRate),
        parameters: { batch_size: batchSize, learning_rate: learningRate },
        steps: async (seed) =>
          gradientDescent(await trainingLossOf(network, inputs), {
            learningRate,
            batchSize,
            steps,
            seed: grid.seed + seed,
          }),
        branches: {
          accuracy: (s) => s.pipe(throttleSteps(every), trainingLoss({ test: true }), toParquet()),
          concentration: (s) => s.pipe(throttleSteps(every), gradientConcentration(momentsOf(network)), toParquet()),
        },
        ...(examples >= 8192 && { work: { gradients: epochs + 3 * looks, products: 0 } }),
      };
    }),
  );
}

/** E‖g_i‖² is that of b = 1, whatever b trains; with batch normalisation, which couples examples, of batches of 8. */
const momentsOf = ({ model }: Network) =>
  model.endsWith('-bn') ? ({ batchSizes: [8], estimator: 'batches' } as const) : { batchSizes: [1] };

/** What became of a pair (b, η). */
export interface Trained {
  readonly b: number;
  readonly eta: number;
  /** On test data at the end; NaN where the run diverged. */
  readonly accuracy: number;
  readonly run: MadeRun;
}

/** Every pair of one seed. */
export function trainedOf({ batchSizes, learningRates }: Grid, runs: MadeRuns): Trained[] {
  return batchSizes.flatMap((b) =>
    learningRates.map((eta) => {
      const run = runs.named(nameOf(b, eta));
      const last = run.rows(trainingLoss).at(-1)!;
      return { b, eta, run, accuracy: run.state === 'diverged' ? Number.NaN : last.test_accuracy! };
    }),
  );
}

/** Accuracies that differ by so little are alike: four test images in a thousand. */
const ALIKE = 0.004;

/** The best η for every b. */
export const bestRates = (trained: readonly Trained[]) =>
  bestLearningRates(
    trained.map(({ b, eta, accuracy }) => ({ batchSize: b, learningRate: eta, score: accuracy })),
    { alike: ALIKE },
  ).map(({ batchSize, learningRate }) => ({ b: batchSize, eta: learningRate }));

/**
 * ρ of the runs: Σ‖∇L‖²/Σ E‖g_i‖² over training, pooled over the runs nearest to the best η of every b. That of the
 * end of training is ten times smaller. With batch normalisation, which couples examples, identity (1) is taken for
 * right all the same.
 */
export function rhoOfGrid(grid: Grid, trained: readonly Trained[]): number {
  const runs = bestRates(trained).flatMap(({ b, eta }) => {
    const ofB = trained.filter((one) => one.b === b && Number.isFinite(one.accuracy));
    const nearest = ofB.toSorted((x, y) => Math.abs(Math.log(x.eta / eta)) - Math.abs(Math.log(y.eta / eta)))[0];
    return nearest ? [nearest.run.rows(gradientConcentration)] : [];
  });
  return rhoOfRuns(runs, grid.network.examples, { asIfUncoupled: true }).rho;
}

/** A rule: η ∝ of(b). */
interface Rule {
  readonly name: string;
  readonly of: (b: number) => number;
}

/** The three rules, the one of the paper first. */
export function rulesOf(grid: Grid, trained: readonly Trained[]): readonly [Rule, Rule, Rule] {
  const rho = rhoOfGrid(grid, trained);
  return [
    { name: `LSSR, ρ = ${rho.toPrecision(2)}`, of: (b) => concentrationOfBatch(grid.network.examples, b, rho, false) },
    { name: 'LSR', of: (b) => b },
    { name: 'SRSR', of: (b) => Math.sqrt(b) },
  ];
}

type BestRate = ReturnType<typeof bestRates>[number];

/** log₂ of a rule's constant, through the best rates. */
const constantOf = (best: readonly BestRate[], rule: Rule) =>
  best.reduce((sum, { b, eta }) => sum + Math.log2(eta / rule.of(b)), 0) / best.length;

/** The root mean square of log₂(best η/rule), at the rule's best constant. */
function distance(best: readonly BestRate[], rule: Rule): number {
  const constant = constantOf(best, rule);
  const squares = best.map(({ b, eta }) => (Math.log2(eta / rule.of(b)) - constant) ** 2);
  return Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / best.length);
}

/**
 * Accuracy that is lost, on average over pairs of batch sizes, when η for one is had from the best η of the other.
 * Between the η that were trained the accuracy is interpolated, beyond them it is that of the outermost.
 */
function regret(trained: readonly Trained[], best: readonly BestRate[], rule: Rule): number {
  const lost = best.flatMap((from) =>
    best.flatMap((to) => {
      if (to.b === from.b) return [];
      const ofB = trained.filter(({ b }) => b === to.b);
      const most = Math.max(...ofB.map((one) => worth(one)));
      return [most - accuracyAt(ofB, (from.eta * rule.of(to.b)) / rule.of(from.b))];
    }),
  );
  return lost.reduce((sum, x) => sum + x, 0) / lost.length;
}

const worth = ({ accuracy }: Trained) => (Number.isFinite(accuracy) ? accuracy : CHANCE);

function accuracyAt(ofB: readonly Trained[], eta: number): number {
  const above = ofB.findIndex((one) => one.eta >= eta);
  if (above <= 0) return worth(ofB.at(above)!);
  const [low, high] = [ofB[above - 1]!, ofB[above]!];
  const share = Math.log(eta / low.eta) / Math.log(high.eta / low.eta);
  return (1 - share) * worth(low) + share * worth(high);
}

/** From this batch size on the rates are said to saturate, up to it to be linear. */
const KNEE = 32;

/** The claims of a heatmap. */
export function gridClaims(grid: Grid, where: string): Claim[] {
  const slope = (best: readonly BestRate[]) =>
    lineFit({ x: best.map(({ b }) => Math.log2(b)), y: best.map(({ eta }) => Math.log2(eta)) }).slope;
  const slopeOf = (runs: MadeRuns, isAsked: (b: number) => boolean) => {
    const best = bestRates(trainedOf(grid, runs)).filter(({ b }) => isAsked(b));
    return best.length < 4 ? 'there are fewer than four batch sizes' : jackknife(best, slope);
  };
  const nearer = (id: string, other: 1 | 2, name: string): Claim => ({
    id,
    says: `The best learning rates lie nearer to LSSR than to ${name}.`,
    where,
    how:
      `root mean square of log₂(best η/rule) over b, ${name} less LSSR, each at its best constant; ρ of the runs, ` +
      'jackknife over b',
    region: { low: 0, why: 'above 0 LSSR is the nearer one' },
    measure: (runs) => {
      const trained = trainedOf(grid, runs);
      const rules = rulesOf(grid, trained);
      return jackknife(bestRates(trained), (best) => distance(best, rules[other]) - distance(best, rules[0]));
    },
  });
  return [
    {
      id: 'linear-where-small',
      says: 'The best learning rate is almost linear in b where b is small.',
      where,
      how: `slope of log(best η) over log b up to b = ${KNEE}; best η: mean of log η, weighted by exp(Δaccuracy/${ALIKE})`,
      region: { low: 0.75, high: 1.3, why: 'nearer to 1 than to the ½ of the square root rule' },
      measure: (runs) => slopeOf(runs, (b) => b <= KNEE),
    },
    {
      id: 'saturated-where-large',
      says: 'The best learning rate saturates where b is large.',
      where,
      how: `slope of log(best η) over log b from b = ${KNEE} on`,
      region: { low: -0.25, high: 0.5, why: 'below the ½ of the square root rule' },
      measure: (runs) => slopeOf(runs, (b) => b >= KNEE),
    },
    nearer('nearer-than-linear', 1, 'LSR'),
    nearer('nearer-than-square-root', 2, 'SRSR'),
    {
      id: 'transfers-better-than-linear',
      says: 'A learning rate that was tuned for one batch size goes over to another by LSSR with less loss than by LSR.',
      where: `${where}; ours`,
      how: 'accuracy lost on average over pairs of batch sizes, by LSR less by LSSR; jackknife over b',
      region: { low: 0, why: 'above 0 less is lost by LSSR' },
      measure: (runs) => {
        const trained = trainedOf(grid, runs);
        const [lssr, lsr] = rulesOf(grid, trained);
        return jackknife(bestRates(trained), (best) => regret(trained, best, lsr) - regret(trained, best, lssr));
      },
    },
    {
      id: 'linear-in-the-corner',
      says: 'Where b is large and η small the accuracy depends on η/b alone.',
      where: 'Remark at the end of Section 5',
      how: 'largest less smallest accuracy among pairs of one η/b with b ≥ n/4 and η up to a sixteenth of the largest, mean over such η/b',
      region: { high: 0.02, why: 'an eighth of what accuracy varies by from one η/b to the next, at most' },
      measure: (runs) => {
        const corner = trainedOf(grid, runs).filter(
          ({ b, eta }) => b >= grid.network.examples / 4 && eta <= Math.max(...grid.learningRates) / 16,
        );
        const spreads = [...Map.groupBy(corner, ({ b, eta }) => Math.round(10 * Math.log2(eta / b))).values()]
          .filter((same) => same.length > 1)
          .map((same) => Math.max(...same.map((t) => worth(t))) - Math.min(...same.map((t) => worth(t))));
        if (spreads.length === 0) return 'no η/b is there twice in the corner';
        return jackknife(spreads, (some) => some.reduce((sum, x) => sum + x, 0) / some.length);
      },
    },
  ];
}

/** Accuracies so far below the best are left white, so that the colours tell the others apart. */
const COLOURED = 0.1;

/** The heatmap: accuracy, the best η of every b with bars over seeds, and the rules through them. */
export function gridChart(grid: Grid, title: string, runs: MadeRuns, seeds: readonly MadeRuns[]) {
  const trained = trainedOf(grid, runs);
  const best = bestRates(trained);
  const bySeed = seeds.map((one) => bestRates(trainedOf(grid, one)));
  const rows = best.map(({ b, eta }) => {
    // A seed of which no run with b ended has no best η there.
    const logs = bySeed.flatMap((ofSeed) => ofSeed.filter((one) => one.b === b).map((one) => Math.log(one.eta)));
    const mean = logs.reduce((sum, x) => sum + x, 0) / logs.length;
    const error = Math.sqrt(
      logs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, logs.length - 1) / logs.length,
    );
    return { b, eta: seeds.length > 1 ? Math.exp(mean) : eta, error: Math.exp(mean) * error };
  });
  const rules = rulesOf(grid, trained);
  const curve = (rule: Rule) => {
    const constant = constantOf(rows, rule);
    return grid.batchSizes.map((b) => ({ b, eta: 2 ** constant * rule.of(b) }));
  };
  const [least, most] = [Math.min(...grid.learningRates), Math.max(...grid.learningRates)];
  const top = Math.max(...trained.map((one) => worth(one)));
  const coloured = trained.filter((one) => worth(one) >= top - COLOURED);
  const white = trained.length - coloured.length;
  return chart({
    title,
    description:
      `Test accuracy by batch size and learning rate, both logarithmic. The best learning rate goes from ` +
      `${rows[0]!.eta.toPrecision(2)} at b = ${rows[0]!.b} to ${rows.at(-1)!.eta.toPrecision(2)} at b = ${rows.at(-1)!.b}.`,
    x: { title: 'batch size b', log: 2 },
    y: { title: 'learning rate η', log: true, domain: [least / Math.SQRT2, most * Math.SQRT2] },
    layers: [
      heat({
        name: 'test accuracy',
        rows: coloured,
        x: 'b',
        y: 'eta',
        value: 'accuracy',
      }),
      line({ name: rules[0].name, rows: curve(rules[0]), x: 'b', y: 'eta' }),
      line({ name: 'LSR', rows: curve(rules[1]), x: 'b', y: 'eta', dashed: true }),
      line({ name: 'SRSR', rows: curve(rules[2]), x: 'b', y: 'eta', dashed: true }),
      points({
        name: seeds.length > 1 ? `best η, ${seeds.length} seeds` : 'best η',
        rows,
        x: 'b',
        y: 'eta',
        ...(seeds.length > 1 && { yError: 'error' }),
      }),
    ],
    ...(white > 0 && {
      note: `White: below ${(top - COLOURED).toFixed(2)}, or diverged (${white} of ${trained.length}).`,
    }),
  });
}

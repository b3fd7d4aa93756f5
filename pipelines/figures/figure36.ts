// Figure 36: 1/ρ is large, ‖g_ξ‖ spreads little, and so R̄²_b is close to ρ_b.
import {
  blockInterval,
  type Claim,
  type ConcentrationRow,
  chart,
  figure,
  gradientConcentration,
  line,
  type MadeRun,
  panels,
  type ResultantLengthRow,
  resultantLength,
} from 'brink';
import { type Moments, momentsRun } from './parts/concentration.ts';
import { networkSettings, tanhMlp } from './parts/networks.ts';

interface Preset {
  readonly moments: Moments;
}

const moments: Moments = {
  ...{ name: 'sgd', network: tanhMlp, learningRate: 0.2, batchSize: 32, steps: 600, every: 60 },
  ...{ batchSizes: [1, 16, 64, 256], draws: 256, seed: 0 },
};
const resnet9 = { model: 'resnet9', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: {
    moments: {
      ...moments,
      network: { ...tanhMlp, examples: 128 },
      steps: 20,
      every: 5,
      batchSizes: [1, 16],
      draws: 16,
    },
  },
  laptop: { moments },
  paper: { moments: { ...moments, network: resnet9, learningRate: 0.01, batchSize: 128, steps: 6400, every: 640 } },
} satisfies Record<string, Preset>;

const where = 'Appendix C.5, Figure 36';

function ofBatchSize(
  run: MadeRun,
  b: number,
): { rho: readonly ConcentrationRow[]; directions: readonly ResultantLengthRow[] } {
  return {
    rho: run.rows(gradientConcentration, 'without').filter((row) => row.batch_size === b),
    directions: run.rows(resultantLength).filter((row) => row.batch_size === b),
  };
}

function claimsOf({ name, batchSizes }: Moments): Claim[] {
  return [
    {
      id: 'rho-small',
      says: '1/ρ is much larger than 1.',
      where,
      how: 'median of 1/rho at b = 1 over the moments of training',
      region: { low: 10, why: '“much” is taken as ten times; the paper has about 100' },
      measure: (runs) =>
        blockInterval(
          ofBatchSize(runs.named(name), 1).rho.map(({ rho }) => 1 / rho),
          'median',
        ),
    },
    {
      id: 'length-spreads-little',
      says: 'Even at b = 1 the spread of ‖g_ξ‖ is below its mean.',
      where,
      how: 'median of gradient_norm_std_over_mean at b = 1 over the moments of training',
      region: { high: 1, why: 'the paper has a half to a third' },
      measure: (runs) =>
        blockInterval(
          ofBatchSize(runs.named(name), 1).directions.map((row) => row.gradient_norm_std_over_mean),
          'median',
        ),
    },
    ...batchSizes.map(
      (b): Claim => ({
        id: `resultant-length-b${b}`,
        says: `R̄²_b is close to ρ_b at b = ${b}.`,
        where: `equation (15), ${where}`,
        how: 'median of resultant_length_squared/rho over the moments of training',
        region: { low: 0.8, high: 1.25, why: 'a fifth to either side, as a ratio' },
        measure: (runs) => {
          const { rho, directions } = ofBatchSize(runs.named(name), b);
          return blockInterval(
            directions.map((row, i) => row.resultant_length_squared / rho[i]!.rho),
            'median',
          );
        },
      }),
    ),
  ];
}

export default figure<Preset>({
  name: '36',
  title: '1/ρ is large, the length of gradients spreads little, and R̄²_b is close to ρ_b',
  source: 'Lee and Jang (2023), Figure 36',
  about: 'Left: 1/ρ during training. Middle: the spread of ‖g_ξ‖ over its mean. Right: R̄²_b beside ρ_b.',
  presets,
  runs: ({ moments }, inputs) => [momentsRun(moments, inputs)],
  claims: ({ moments }) => claimsOf(moments),
  plot: (runs, { moments }) => {
    const run = runs.named(moments.name);
    const sizes = moments.batchSizes.map((b) => ({ b, ...ofBatchSize(run, b) }));
    return panels(
      [
        [
          chart({
            title: '1/ρ',
            description: '1/ρ over the steps: far above 1.',
            x: { title: 'step t' },
            y: { title: '1/ρ', log: true },
            layers: [line({ name: '1/ρ', rows: ofBatchSize(run, 1).rho, x: 'step', y: (row) => 1 / row.rho })],
          }),
          chart({
            title: 'spread of ‖g_ξ‖',
            description: 'The standard deviation of ‖g_ξ‖ over its mean, one line for each batch size: below 1.',
            x: { title: 'step t' },
            y: { title: 'std‖g_ξ‖/E‖g_ξ‖', domain: [0, 1.2] },
            layers: sizes.map(({ b, directions }) =>
              line({ name: `b = ${b}`, rows: directions, x: 'step', y: 'gradient_norm_std_over_mean' }),
            ),
          }),
          chart({
            title: 'R̄²_b over ρ_b',
            description: 'The squared resultant length over the concentration, one line for each batch size: near 1.',
            x: { title: 'step t' },
            y: { title: 'R̄²_b/ρ_b', domain: [0, 2] },
            layers: sizes.map(({ b, directions, rho }) =>
              line({
                name: `b = ${b}`,
                rows: directions.map((row, i) => ({
                  step: row.step,
                  ratio: row.resultant_length_squared / rho[i]!.rho,
                })),
                ...{ x: 'step', y: 'ratio' },
              }),
            ),
          }),
        ],
      ],
      { description: 'Figure 36: the concentration of gradients during training.' },
    );
  },
  settings: ({ moments }) => [
    ...networkSettings(moments.network, { model: 'ResNet-9 and WRN', loss: null }),
    { name: 'draws', paper: null, here: `${moments.draws}`, why: 'R̄²_b of small batches needs many' },
  ],
});

// Figure 35: ρ_b with and without replacement is nearly one curve; the rule for several ρ.
import {
  blockInterval,
  type Claim,
  chart,
  concentrationOfBatch,
  figure,
  gradientConcentration,
  line,
  panels,
} from 'brink';
import { type Moments, momentsRun } from './parts/concentration.ts';
import { networkSettings, tanhMlp } from './parts/networks.ts';

interface Preset {
  readonly moments: Moments;
}

const moments: Moments = {
  ...{ name: 'sgd', network: tanhMlp, learningRate: 0.2, batchSize: 32, steps: 600, every: 50 },
  ...{ batchSizes: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], draws: 8, seed: 0 },
};
const resnet9 = { model: 'resnet9', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;
const bs = [1, 4, 16, 64, 256, 1024, 4096];

const presets = {
  smoke: { moments: { ...moments, network: { ...tanhMlp, examples: 128 }, steps: 20, every: 5, batchSizes: [1, 8] } },
  laptop: { moments },
  paper: {
    moments: {
      ...moments,
      network: resnet9,
      learningRate: 0.01,
      batchSize: 128,
      steps: 6400,
      every: 640,
      batchSizes: bs,
    },
  },
} satisfies Record<string, Preset>;

/** Replacement matters least where b ≪ n. */
const SMALL = 16;

const claims: readonly Claim[] = [
  {
    id: 'replacement-small-b',
    says: `ρ_b with replacement is almost that without it (b ≤ ${SMALL}).`,
    where: 'Appendix C.5, Figure 35 (left)',
    how: `median over steps and b ≤ ${SMALL} of rho with replacement over rho without`,
    region: {
      low: 0.97,
      high: 1,
      why: 'within three percent the curves of the figure cover each other; with replacement can’t be above',
    },
    measure: (runs) => {
      const run = runs.named('sgd');
      const without = run.rows(gradientConcentration, 'without').filter((row) => row.batch_size <= SMALL);
      const withIt = run.rows(gradientConcentration, 'with').filter((row) => row.batch_size <= SMALL);
      return blockInterval(
        without.map((row, i) => withIt[i]!.rho / row.rho),
        'median',
      );
    },
  },
];

export default figure<Preset>({
  name: '35',
  title: 'ρ_b with and without replacement is nearly one curve',
  source: 'Lee and Jang (2023), Figure 35',
  about:
    'Left: ρ_b over b as measured at the last moment of training, with and without replacement. Right: the linear and ' +
    'saturation rule for several ρ, each with its linear rule.',
  presets,
  runs: ({ moments }, inputs) => [momentsRun(moments, inputs)],
  claims: () => claims,
  plot: (runs, { moments }) => {
    const run = runs.named('sgd');
    const last = (branch: string) => {
      const rows = run.rows(gradientConcentration, branch);
      return rows.filter(({ step }) => step === rows.at(-1)!.step);
    };
    const n = moments.network.examples;
    const sizes = Array.from({ length: Math.log2(n) + 1 }, (_, k) => 2 ** k);
    return panels(
      [
        [
          chart({
            title: 'measured',
            description: 'ρ_b over the batch size, with and without replacement: the two curves part only near b = n.',
            x: { title: 'batch size b', log: true },
            y: { title: 'ρ_b', log: true },
            layers: [
              line({ name: 'without replacement', rows: last('without'), x: 'batch_size', y: 'rho' }),
              line({ name: 'with replacement', rows: last('with'), x: 'batch_size', y: 'rho', dashed: true }),
            ],
          }),
          chart({
            title: 'LSSR for several ρ',
            description: 'ρ_b over the batch size for ρ of 2⁻⁴ to 2⁻¹⁰: the smaller ρ, the later the curve bends.',
            x: { title: 'batch size b', log: true },
            y: { title: 'ρ_b', log: true },
            layers: [4, 6, 8, 10].map((k) =>
              line({
                name: `ρ = 2^−${k}`,
                rows: sizes.map((b) => ({ b, rho: concentrationOfBatch(n, b, 2 ** -k, false) })),
                ...{ x: 'b', y: 'rho' },
              }),
            ),
          }),
        ],
      ],
      { description: 'Figure 35: the concentration of the batch gradient over the batch size.' },
    );
  },
  settings: ({ moments }) => [
    ...networkSettings(moments.network, { model: 'ResNet-9 and WRN', loss: null }),
    {
      name: 'moment',
      paper: null,
      here: `step ${moments.steps}`,
      why: 'the end of training; the claim is over all moments',
    },
  ],
});

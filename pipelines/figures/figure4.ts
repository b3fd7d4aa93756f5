// Figure 4: at the edge λ₁ hovers above 2/η and ‖H‖_{S_n} around it; with SGD ‖H‖_{S_b} hovers around 2ρ_b/η.
import { type Claim, chart, figure, line, panels } from 'brink';
import { type Descent, descentRun, hoveringChart, hoveringClaims } from './parts/hovering.ts';
import { networkSettings, tanhMlp } from './parts/networks.ts';
import { byBatchSize, hoversAtBound, overBatchSizes, type Sgd, sgdRuns } from './parts/regularisation.ts';

interface Preset {
  readonly descents: readonly Descent[];
  readonly sgd: Sgd;
}

const descent = (learningRate: number, steps: number): Descent => ({
  ...{ name: `gd-${learningRate}`, network: tanhMlp, learningRate, steps, every: 3, seed: 0 },
});
const sgd: Sgd = {
  ...{ network: tanhMlp, learningRate: 0.2, batchSizes: [4, 8, 16, 32, 64, 256, 1024], steps: 600, every: 5 },
  ...{ deflate: 3, draws: 4, seed: 0 },
};
const small = { ...tanhMlp, examples: 128 };
const cnn6 = { model: 'cnn6', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: {
    descents: [{ ...descent(0.3, 40), network: small }],
    sgd: { ...sgd, network: small, batchSizes: [8, 128], steps: 40 },
  },
  laptop: { descents: [descent(0.2, 600), descent(0.3, 500), descent(0.4, 400)], sgd },
  // cnn6 at the paper's n and loss, with the larger learning rate of Figure 3: an hour on two cores.
  cnn6: {
    descents: [{ ...descent(0.04, 220), network: cnn6, every: 11 }],
    sgd: { ...sgd, network: cnn6, learningRate: 0.04, batchSizes: [] },
  },
  paper: {
    descents: [
      { ...descent(0.01, 4000), network: cnn6, every: 1 },
      { ...descent(0.02, 2000), network: cnn6, every: 1 },
    ],
    sgd: {
      ...{ network: cnn6, learningRate: 0.02, batchSizes: [128, 256, 512, 1024, 2048, 4096, 8192] },
      ...{ steps: 2000, every: 5, deflate: 10, draws: 16, seed: 0 },
    },
  },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '4',
  title: 'The sharpness hovers above the edge, the interaction-aware sharpness around it',
  source: 'Lee and Jang (2023), Figure 4',
  about:
    'Above: full-batch gradient descent; λ₁ (blue) hovers above 2/η, ‖H‖_{S_n} (red) oscillates around it. ' +
    'Below: SGD with several batch sizes b; ‖H‖_{S_b} settles where 2ρ_b/η is, which grows with b and saturates.',
  presets,
  runs: (preset, inputs) => [
    ...preset.descents.map((descent) => descentRun(descent, inputs)),
    ...sgdRuns(preset.sgd, inputs),
  ],
  claims: ({ descents, sgd }) => [
    ...descents.flatMap((d) => hoveringClaims(d, `η = ${d.learningRate}`, 'Section 4.3, Figure 4(a), (b)')),
    ...sgd.batchSizes.map((b): Claim => hoversAtBound(b, 'Section 4.3, Figure 4(c), (d)')),
  ],
  plot: (runs, { descents, sgd }) => {
    const trained = runs.all.filter(({ parameters }) => parameters.batch_size !== undefined);
    const gd = descents.map((d) => hoveringChart(runs.named(d.name), `gradient descent, η = ${d.learningRate}`));
    const edge = 2 / sgd.learningRate;
    const withSgd = [
      byBatchSize(trained, { title: 'SGD', quantity: '‖H‖_{S_b}', value: (row) => row.ias, edge }),
      byBatchSize(trained, { title: 'SGD', quantity: '‖H‖_{S_b}/ρ_b', value: (row) => row.ias / row.rho, edge }),
      chart({
        title: 'late in training',
        description: 'The median of ‖H‖_{S_b} and of its bound 2ρ_b/η over the batch size: both grow and saturate.',
        x: { title: 'batch size b', log: true },
        y: { title: 'median, second half', log: true },
        layers: [
          line({
            ...{ name: '‖H‖_{S_b}', rows: overBatchSizes(trained, (row) => row.ias) },
            ...{ x: 'b', y: 'value', low: 'low', high: 'high' },
          }),
          line({
            ...{ name: '2ρ_b/η', rows: overBatchSizes(trained, (row) => row.bound), dashed: true },
            ...{ x: 'b', y: 'value' },
          }),
        ],
      }),
    ];
    return panels(trained.length > 0 ? [gd, withSgd] : [gd], {
      description: `Figure 4: ${gd.length} runs of gradient descent and ${trained.length} of SGD at the edge of stability.`,
    });
  },
  settings: ({ descents, sgd }) => [
    ...networkSettings(descents[0]!.network, { model: '6CNN', loss: 'cross-entropy' }),
    {
      name: 'learning rate (a, b)',
      paper: '0.01, 0.02',
      here: descents.map(({ learningRate }) => learningRate).join(', '),
      why: 'the edge is met within some hundred steps',
    },
    {
      name: 'batch sizes (c, d)',
      paper: null,
      here: sgd.batchSizes.join(', ') || 'none',
      why: 'from where ρ_b is small to where it is 1',
    },
    {
      name: 'estimator of ‖H‖_{S_b}',
      paper: null,
      here: `${sgd.deflate} eigenpairs exactly, ${sgd.draws} random signs for the rest`,
      why: 'some percent a row, which the intervals contain',
    },
  ],
});

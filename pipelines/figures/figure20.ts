// Figure 20: the valley is asymmetric: sharp where training is unstable and flatter beyond.
import { figure, panels } from 'brink';
import { networkSettings, tanhMlp } from './parts/networks.ts';
import { directionalChart, type Sliced, sliceClaims, slicedRun, slicesChart } from './parts/slices.ts';

interface Preset {
  readonly runs: readonly Sliced[];
}

const sliced = (learningRate: number, steps: number): Sliced => ({
  ...{ name: `gd-${learningRate}`, network: tanhMlp, learningRate, steps, every: 1, seed: 0 },
});
const cnn6 = { model: 'cnn6', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: { runs: [{ ...sliced(0.4, 20), network: { ...tanhMlp, examples: 128 } }] },
  laptop: { runs: [sliced(0.2, 420)] },
  paper: { runs: [{ ...sliced(0.02, 2000), network: cnn6 }] },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '20',
  title: 'The valley is asymmetric, with a smaller learning rate',
  source: 'Lee and Jang (2023), Figure 20',
  about:
    'Left: the directional sharpness ‖H_α‖_{S_n(θ)} at θ − αη∇L against ‖H‖_{S_n(θ)}, α = ¼ … 5/4. Right: slices of ' +
    'the loss along the step, each over its depth and where it comes back to 0, where training is stable and unstable.',
  presets,
  runs: ({ runs }, inputs) => runs.map((sliced) => slicedRun(sliced, inputs)),
  claims: ({ runs }) => runs.flatMap((sliced) => sliceClaims(sliced, 'Section 4.2, Figure 20')),
  plot: (made, { runs }) =>
    panels(
      runs.map(({ name, learningRate }) => [
        directionalChart(made.named(name), `η = ${learningRate}`),
        slicesChart(made.named(name), `η = ${learningRate}`),
      ]),
      { description: 'Figure 20: the loss along the step, and its curvature.' },
    ),
  settings: ({ runs }) => [
    ...networkSettings(runs[0]!.network, { model: '6CNN', loss: 'cross-entropy' }),
    {
      name: 'learning rate',
      paper: '0.02',
      here: runs.map(({ learningRate }) => learningRate).join(', '),
      why: 'the edge is met within some hundred steps',
    },
  ],
});

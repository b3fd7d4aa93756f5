// Figure 3: the valley is asymmetric: sharp where training is unstable and flatter beyond.
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
  laptop: { runs: [sliced(0.3, 300), sliced(0.4, 200)] },
  // cnn6 at the paper's n and loss, with its slices at every fifth step.
  cnn6: { runs: [{ ...sliced(0.04, 150), network: cnn6, every: 5 }] },
  paper: { runs: [{ ...sliced(0.04, 1000), network: cnn6 }] },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '3',
  title: 'The valley is asymmetric: sharp where training is unstable, flatter beyond',
  source: 'Lee and Jang (2023), Figure 3',
  about:
    'Left: the directional sharpness ‖H_α‖_{S_n(θ)} at θ − αη∇L against ‖H‖_{S_n(θ)}, α = ¼ … 5/4. Right: slices of ' +
    'the loss along the step, each over its depth and where it comes back to 0, where training is stable and unstable.',
  presets,
  runs: ({ runs }, inputs) => runs.map((sliced) => slicedRun(sliced, inputs)),
  claims: ({ runs }) => runs.flatMap((sliced) => sliceClaims(sliced, 'Section 4.2, Figure 3')),
  plot: (made, { runs }) =>
    panels(
      runs.map(({ name, learningRate }) => [
        directionalChart(made.named(name), `η = ${learningRate}`),
        slicesChart(made.named(name), `η = ${learningRate}`),
      ]),
      { description: 'Figure 3: the loss along the step, and its curvature.' },
    ),
  settings: ({ runs }) => [
    ...networkSettings(runs[0]!.network, { model: '6CNN', loss: 'cross-entropy' }),
    {
      name: 'learning rate',
      paper: '0.04',
      here: runs.map(({ learningRate }) => learningRate).join(', '),
      why: 'the edge is met within some hundred steps',
    },
  ],
});

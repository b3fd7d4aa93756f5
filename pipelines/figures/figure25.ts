// Figure 25: beyond the edge the gradient flips its sign from step to step, and the sharpest direction turns.
import { figure, panels } from 'brink';
import { networkSettings, tanhMlp } from './parts/networks.ts';
import { oscillationChart, oscillationClaims } from './parts/oscillation.ts';
import { type Passage, passageRun } from './parts/turning.ts';

interface Preset {
  readonly passage: Passage;
  /** The last step of the first panel, which shows the passage itself. */
  readonly closeUp: number;
}

const passage: Passage = { name: 'gd', network: tanhMlp, learningRate: 0.4, from: 0, to: 300, seed: 2 };
const resnet9 = { model: 'resnet9', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: {
    passage: { ...passage, network: { ...tanhMlp, examples: 128 }, learningRate: 0.4, from: 0, to: 30 },
    closeUp: 15,
  },
  laptop: { passage, closeUp: 80 },
  paper: { passage: { ...passage, network: resnet9, learningRate: 0.08, from: 0, to: 500 }, closeUp: 100 },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '25',
  title: 'Beyond the edge the gradient flips, with a larger learning rate',
  source: 'Lee and Jang (2023), Figure 25',
  about:
    'Gradient descent, step by step. Once ‖H‖_{S_n} has passed 2/η the iterate jumps from side to side of the valley, ' +
    'and at some steps the sharpest direction is another.',
  presets,
  runs: ({ passage }, inputs) => [passageRun(passage, inputs)],
  claims: ({ passage }) => oscillationClaims(passage, 'Section 4.2, Figure 25'),
  plot: (runs, { passage, closeUp }) => {
    const run = runs.named(passage.name);
    return panels(
      [
        [oscillationChart(run, 'as it passes the edge', [passage.from, closeUp])],
        [oscillationChart(run, 'the whole run', [passage.from, passage.to])],
      ],
      { description: 'Figure 25: how gradient and sharpest direction turn at the edge of stability.' },
    );
  },
  settings: ({ passage }) => [
    ...networkSettings(passage.network, { model: 'ResNet-9', loss: null }),
    {
      name: 'learning rate',
      paper: '0.08',
      here: `${passage.learningRate}`,
      why: 'the edge is met within some hundred steps',
    },
  ],
});

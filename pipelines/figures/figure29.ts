// Figure 29: as Figure 4(a, b), with another network and three learning rates.
import { figure, panels } from 'brink';
import { type Descent, descentRun, hoveringChart, hoveringClaims } from './parts/hovering.ts';
import { networkSettings, tanhCnn } from './parts/networks.ts';

interface Preset {
  readonly descents: readonly Descent[];
}

const descent = (learningRate: number, steps: number): Descent => ({
  ...{ name: `gd-${learningRate}`, network: tanhCnn, learningRate, steps, every: 3, seed: 0 },
});
const wrn = { model: 'wrn-28-2', data: 'cifar-10', examples: 8192, loss: 'mse' } as const;

const presets = {
  smoke: { descents: [{ ...descent(0.25, 40), network: { ...tanhCnn, examples: 128 } }] },
  laptop: { descents: [descent(0.3, 500), descent(0.35, 500), descent(0.4, 500)] },
  paper: { descents: [0.01, 0.02, 0.04].map((eta) => ({ ...descent(eta, 40 / eta), network: wrn, every: 1 })) },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '29',
  title: 'A convolutional network: λ₁ above the edge, ‖H‖_{S_n} around it',
  source: 'Lee and Jang (2023), Figure 29',
  about: 'As Figure 4(a, b), for a convolutional network with MSE and three learning rates.',
  presets,
  runs: ({ descents }, inputs) => descents.map((descent) => descentRun(descent, inputs)),
  claims: ({ descents }) =>
    descents.flatMap((d) => hoveringClaims(d, `η = ${d.learningRate}`, 'Section 4.3, Figure 29')),
  plot: (runs, { descents }) =>
    panels([descents.map((d) => hoveringChart(runs.named(d.name), `η = ${d.learningRate}`))], {
      description: 'Figure 29: three learning rates of gradient descent at the edge of stability.',
    }),
  settings: ({ descents }) => [
    ...networkSettings(descents[0]!.network, { model: 'WRN-28-2', loss: 'MSE' }),
    {
      name: 'learning rate',
      paper: '0.01, 0.02, 0.04',
      here: descents.map(({ learningRate }) => learningRate).join(', '),
      why: 'the edge is met within some hundred steps',
    },
  ],
});

// Figure 34: test accuracy over batch size and learning rate, as in Figure 5, on other networks.
import { figure, panels } from 'brink';
import { type Grid, gridChart, gridClaims, gridRuns } from './parts/batchSizeGrid.ts';
import { networkSettings } from './parts/networks.ts';

const powers = (from: number, count: number) => Array.from({ length: count }, (_, k) => from * 2 ** k);

const presets = {
  smoke: {
    network: { model: 'mlp', data: 'digits', examples: 64, tests: 256, loss: 'mse' },
    ...{ batchSizes: [4, 16, 64], learningRates: [0.05, 0.2, 0.8], epochs: 4, looks: 4, seed: 0 },
  },
  laptop: {
    network: { model: 'mlp', data: 'digits', examples: 256, tests: 1024, loss: 'mse' },
    ...{ batchSizes: powers(4, 7), learningRates: powers(0.0125, 7), epochs: 160, looks: 40, seed: 0 },
  },
  paper: {
    network: { model: 'wrn-28-2-bn', data: 'cifar-10', examples: 8192, loss: 'ce' },
    ...{ batchSizes: powers(8, 10), learningRates: powers(0.00625, 10), epochs: 800, looks: 100, seed: 0 },
  },
} satisfies Record<string, Grid>;

export default figure<Grid>({
  name: '34',
  title: 'The best learning rate for a batch size, on another network',
  source: 'Lee and Jang (2023), Figure 34',
  about:
    'Accuracy on test data after training with every pair of b and η, the best η of each b, and the three rules ' +
    'through these: as on the right of Figure 5, for a network whose edge of stability is met, tanh with squared error.',
  presets,
  runs: gridRuns,
  claims: (grid) => gridClaims(grid, 'Appendix C.5, Figure 34'),
  plot: (runs, grid, seeds) =>
    panels([[gridChart(grid, `n = ${grid.network.examples}`, runs, seeds)]], {
      description: 'Figure 34: test accuracy over batch size and learning rate.',
    }),
  settings: (grid) => [
    ...networkSettings(grid.network, { model: 'ResNet-9, WRN-28-2 with batch normalisation', loss: 'cross-entropy' }),
    {
      name: 'epochs',
      paper: '800; 400',
      here: `${grid.epochs}`,
      why: grid.epochs === 800 ? 'as in the paper' : 'training has ended for every b at its best η',
    },
    {
      name: 'pairs (b, η)',
      paper: 'a large number',
      here: `${grid.batchSizes.length} × ${grid.learningRates.length}`,
      why: 'powers of two',
    },
  ],
});

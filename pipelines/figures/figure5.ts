// Figure 5: the linear and saturation scaling rule, and test accuracy over batch size and learning rate.
import { type Claim, chart, concentrationOfBatch, type Estimate, figure, line, panels } from 'brink';
import { type Grid, gridChart, gridClaims, gridRuns } from './parts/batchSizeGrid.ts';
import { networkSettings } from './parts/networks.ts';

interface Preset {
  /** The curves on the left. */
  readonly curves: { readonly examples: number; readonly rho: number };
  /** The heatmap on the right. */
  readonly grid: Grid;
}

const curves = { examples: 8192, rho: 2 ** -7 };
const powers = (from: number, count: number) => Array.from({ length: count }, (_, k) => from * 2 ** k);

const presets = {
  smoke: {
    curves,
    grid: {
      network: { model: 'relu-mlp', data: 'digits', examples: 64, tests: 256, loss: 'ce' },
      ...{ batchSizes: [4, 16, 64], learningRates: [0.1, 0.4, 1.6], epochs: 4, looks: 4, seed: 0 },
    },
  },
  laptop: {
    curves,
    grid: {
      network: { model: 'relu-mlp', data: 'digits', examples: 256, tests: 1024, loss: 'ce' },
      ...{ batchSizes: powers(4, 7), learningRates: powers(0.025, 7), epochs: 160, looks: 40, seed: 0 },
    },
  },
  paper: {
    curves,
    grid: {
      network: { model: 'resnet9-bn', data: 'cifar-10', examples: 8192, loss: 'ce' },
      ...{ batchSizes: powers(8, 10), learningRates: powers(0.00625, 10), epochs: 800, looks: 100, seed: 0 },
    },
  },
} satisfies Record<string, Preset>;

const rhoOf = ({ curves: { examples, rho } }: Preset, b: number) => concentrationOfBatch(examples, b, rho, false);

/** d log ρ_b/d log b between b and 2b. */
const slopeAt = (preset: Preset, b: number): Estimate => {
  const value = Math.log2(rhoOf(preset, 2 * b) / rhoOf(preset, b));
  return { value, low: value, high: value, method: 'closed form, no error', size: 1, effectiveSize: 1 };
};

export default figure<Preset>({
  name: '5',
  title: 'The learning rate for a batch size: linear, then saturated',
  source: 'Lee and Jang (2023), Figure 5',
  about:
    'Left: ρ_b/η = C (LSSR) over the batch size, beside b/η = C (LSR) and √b/η = C (SRSR), all through the same point ' +
    'at b = 1; LSSR is linear where b is far below 1/ρ and saturates beyond. Right: accuracy on test data after ' +
    'training with every pair of b and η, the best η of each b, and the three rules through these.',
  presets,
  runs: ({ grid }, inputs) => gridRuns(grid, inputs),
  claims: (preset): Claim[] => [
    {
      id: 'rule-linear-where-small',
      says: 'Where b ≪ 1/ρ the rule is linear in b.',
      where: 'Section 5, equation (17), Figure 5 (left)',
      how: 'd log ρ_b/d log b between b = 1 and 2',
      region: { low: 0.9, high: 1, why: 'a slope of 1 in the logarithms is what linear means' },
      measure: () => slopeAt(preset, 1),
    },
    {
      id: 'rule-saturated-where-large',
      says: 'Where b is large the rule saturates.',
      where: 'Section 5, equation (17), Figure 5 (left)',
      how: 'd log ρ_b/d log b between b = n/2 and n',
      region: { low: 0, high: 0.1, why: 'a slope of 0 in the logarithms is what saturated means' },
      measure: () => slopeAt(preset, preset.curves.examples / 2),
    },
    ...gridClaims(preset.grid, 'Section 5, Figure 5 (right)'),
  ],
  plot: (runs, preset, seeds) => {
    const { examples, rho } = preset.curves;
    const at1 = rhoOf(preset, 1);
    const rows = powers(1, Math.log2(examples) + 1).map((b) => ({
      ...{ b, lssr: rhoOf(preset, b), lsr: at1 * b, srsr: at1 * Math.sqrt(b) },
    }));
    const left = chart({
      title: `n = ${examples}, ρ = ${rho}`,
      description:
        'ρ_b over the batch size, both logarithmic: a straight line of slope 1 that bends at 1/ρ and ends at 1.',
      x: { title: 'batch size b', log: true },
      y: { title: 'η, up to a constant', log: true, domain: [at1 / 2, 4] },
      layers: [
        line({ name: 'LSSR: ρ_b/η = C', rows, x: 'b', y: 'lssr' }),
        line({ name: 'LSR: b/η = C', rows, x: 'b', y: 'lsr', dashed: true }),
        line({ name: 'SRSR: √b/η = C', rows, x: 'b', y: 'srsr' }),
      ],
    });
    const right = gridChart(preset.grid, `n = ${preset.grid.network.examples}`, runs, seeds);
    return panels([[left, right]], {
      description: 'Figure 5: the three scaling rules, and test accuracy over batch size and learning rate.',
    });
  },
  settings: ({ curves, grid }) => [
    { name: 'n, ρ (left)', paper: '8k, 2⁻⁷', here: `${curves.examples}, ${curves.rho}`, why: 'as in the paper' },
    ...networkSettings(grid.network, { model: '6CNN, ResNet-9 with batch normalisation', loss: null }),
    {
      name: 'epochs',
      paper: '800',
      here: `${grid.epochs}`,
      why: grid.epochs === 800 ? 'as in the paper' : 'training accuracy is 1 for every b at its best η',
    },
    {
      name: 'pairs (b, η)',
      paper: 'a large number',
      here: `${grid.batchSizes.length} × ${grid.learningRates.length}`,
      why: 'powers of two',
    },
    { name: 'ρ (right)', paper: 'some', here: 'Σ‖∇L‖²/Σ E‖g_i‖² over training', why: 'measured, not fitted' },
  ],
});

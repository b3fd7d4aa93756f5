// Figure 38: with momentum the edge is (2/η)(1 + β₁)/(1 + 2β₂).
import { blockInterval, type Claim, figure, panels } from 'brink';
import { type Descent, descentRun, hoveringChart, hoveringClaims, hoveringRows } from './parts/hovering.ts';
import { inRows } from './parts/inRows.ts';
import { networkSettings, tanhMlp } from './parts/networks.ts';

interface Preset {
  readonly descents: readonly Descent[];
}

const nesterov = (beta: number): Descent => ({
  ...{ name: `nesterov-${beta}`, network: tanhMlp, learningRate: 0.2, beta1: beta, beta2: beta },
  ...{ steps: 500, every: 3, seed: 0 },
});
const polyak = (beta: number): Descent => ({ ...nesterov(beta), name: `polyak-${beta}`, beta2: 0 });
const resnet9 = { model: 'resnet9', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;
const papers = { network: resnet9, learningRate: 0.01, steps: 4000, every: 1 };

const presets = {
  smoke: { descents: [{ ...polyak(0.4), network: { ...tanhMlp, examples: 128 }, learningRate: 0.4, steps: 40 }] },
  laptop: { descents: [0.1, 0.2, 0.4].map(nesterov).concat([0.1, 0.2, 0.4].map(polyak)) },
  paper: {
    descents: [0.1, 0.2, 0.4].flatMap((beta) => [
      { ...nesterov(beta), ...papers },
      { ...polyak(beta), ...papers },
    ]),
  },
} satisfies Record<string, Preset>;

const label = ({ beta1, beta2 }: Descent) => `${beta2 === 0 ? 'Polyak' : 'Nesterov'} momentum, β₁ = ${beta1}`;

/** Where training goes in bursts the median lies between them: what is claimed is that each burst reaches the edge. */
function burstClaim(descent: Descent): Claim {
  const WINDOW = 150;
  return {
    id: `ias-reaches-edge-${descent.name}`,
    says: `With ${label(descent)} ‖H‖_{S_n} comes back to its edge again and again.`,
    where: 'Appendix C.6, Figure 38',
    how: `share of windows of ${WINDOW} steps, one at every tenth step from where ias first exceeds edge, whose largest ias/edge exceeds 1`,
    region: { low: 0.9, why: 'one window in ten may fall between bursts' },
    measure: (runs) => {
      const rows = hoveringRows(runs.named(descent.name))?.sharpness ?? [];
      const starts = rows.filter((_, i) => i % 10 === 0 && i + WINDOW <= rows.length).map((row) => rows.indexOf(row));
      if (starts.length < 8) return `after ias first exceeded edge there were fewer than ${WINDOW + 80} steps`;
      const most = starts.map((i) => Math.max(...rows.slice(i, i + WINDOW).map(({ ias, edge }) => ias / edge)) - 1);
      return blockInterval(most, 'share');
    },
  };
}

export default figure<Preset>({
  name: '38',
  title: 'With momentum the edge is (2/η)(1 + β₁)/(1 + 2β₂)',
  source: 'Lee and Jang (2023), Figure 38',
  about:
    'Full-batch descent with Nesterov’s and Polyak’s momentum. λ₁ hovers above the edge of the optimizer, ‖H‖_{S_n} ' +
    'around it; with Polyak’s β₁ = 0.4 it goes in bursts.',
  presets,
  runs: ({ descents }, inputs) => descents.map((descent) => descentRun(descent, inputs)),
  claims: ({ descents }) =>
    descents.flatMap((d) => [...hoveringClaims(d, label(d), 'equation (131), Figure 38'), burstClaim(d)]),
  plot: (runs, { descents }) => {
    const charts = descents.map((d) => hoveringChart(runs.named(d.name), label(d), '(2/η)γ(β₁, β₂)'));
    return panels(inRows(charts), {
      description: 'Figure 38: descent with momentum at its edge of stability.',
    });
  },
  settings: ({ descents }) => [
    ...networkSettings(descents[0]!.network, { model: 'ResNet-9 without batch normalisation', loss: null }),
    {
      name: 'learning rate',
      paper: '0.01',
      here: `${descents[0]!.learningRate}`,
      why: 'the edge is met within some hundred steps',
    },
    { name: 'β₁', paper: '0.1, 0.2, 0.4', here: '0.1, 0.2, 0.4', why: 'as in the paper' },
  ],
});

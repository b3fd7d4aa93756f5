// Figure 5 (left): the linear and saturation scaling rule against the linear and the square root rule.
import { type Claim, chart, concentrationOfBatch, type Estimate, figure, line } from 'brink';

interface Preset {
  /** n. */
  readonly examples: number;
  /** ρ. */
  readonly rho: number;
}

const papers: Preset = { examples: 8192, rho: 2 ** -7 };

const rhoOf = ({ examples, rho }: Preset, b: number) => concentrationOfBatch(examples, b, rho, false);

/** d log ρ_b/d log b between b and 2b. */
const slopeAt = (preset: Preset, b: number): Estimate => {
  const value = Math.log2(rhoOf(preset, 2 * b) / rhoOf(preset, b));
  return { value, low: value, high: value, method: 'closed form, no error', size: 1, effectiveSize: 1 };
};

export default figure<Preset>({
  name: '5',
  title: 'The learning rate for a batch size: linear, then saturated',
  source: 'Lee and Jang (2023), Figure 5 (left)',
  about:
    'ρ_b/η = C (LSSR) over the batch size, beside b/η = C (LSR) and √b/η = C (SRSR), all through the same point at b = 1. ' +
    'LSSR is linear where b is far below 1/ρ and saturates beyond. The heatmaps of the figure are not drawn here.',
  presets: { smoke: papers, laptop: papers, paper: papers },
  runs: () => [],
  claims: (preset): Claim[] => [
    {
      id: 'linear-where-small',
      says: 'Where b ≪ 1/ρ the rule is linear in b.',
      where: 'Section 5, equation (17), Figure 5 (left)',
      how: 'd log ρ_b/d log b between b = 1 and 2',
      region: { low: 0.9, high: 1, why: 'a slope of 1 in the logarithms is what linear means' },
      measure: () => slopeAt(preset, 1),
    },
    {
      id: 'saturated-where-large',
      says: 'Where b is large the rule saturates.',
      where: 'Section 5, equation (17), Figure 5 (left)',
      how: 'd log ρ_b/d log b between b = n/2 and n',
      region: { low: 0, high: 0.1, why: 'a slope of 0 in the logarithms is what saturated means' },
      measure: () => slopeAt(preset, preset.examples / 2),
    },
  ],
  plot: (_, preset) => {
    const sizes = Array.from({ length: Math.log2(preset.examples) + 1 }, (_, k) => 2 ** k);
    const at1 = rhoOf(preset, 1);
    const rows = sizes.map((b) => ({ b, lssr: rhoOf(preset, b), lsr: at1 * b, srsr: at1 * Math.sqrt(b) }));
    return chart({
      title: `n = ${preset.examples}, ρ = ${preset.rho}`,
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
  },
  settings: (preset) => [
    { name: 'n', paper: '8k', here: `${preset.examples}`, why: 'as in the paper' },
    { name: 'ρ', paper: '2⁻⁷', here: `${preset.rho}`, why: 'as in the paper' },
  ],
});

// A figure of two short runs on a loss whose every number is known.
import {
  chart,
  figure,
  gradientDescent,
  interactionAwareSharpness,
  leastSquares,
  line,
  ratioOfSums,
  toParquet,
} from '../../src/index.ts';

interface Preset {
  readonly rates: readonly number[];
  readonly steps: number;
}

const X = Array.from({ length: 16 }, (_, i) => [Math.sin(i), Math.cos(3 * i), 1]);
const y = X.map((_, i) => Math.sin(5 * i));
const name = (rate: number) => `eta-${rate}`;

export default figure<Preset>({
  name: 'two-runs',
  title: 'Two runs of least squares',
  source: 'a test',
  about: 'ρ_b of batches of four.',
  presets: {
    smoke: { rates: [0.05, 0.1], steps: 20 },
    laptop: { rates: [0.05, 0.1], steps: 600 },
    paper: { rates: [1e6], steps: 20 },
  },
  runs: ({ rates, steps }) =>
    rates.map((learningRate) => ({
      name: name(learningRate),
      parameters: { learning_rate: learningRate },
      steps: (seed) => gradientDescent(leastSquares({ X, y }), { learningRate, steps, batchSize: 4, seed }),
      branches: { sharpness: (s) => s.pipe(interactionAwareSharpness({ batchSizes: [4] }), toParquet()) },
    })),
  claims: ({ rates }) =>
    rates.flatMap((rate) => [
      {
        id: `concentrated-${rate}`,
        says: 'Batches agree less than the whole does.',
        where: 'Definition 2',
        how: 'Σ trace_S_n/Σ trace_S_b',
        region: { low: 0, high: 1, why: 'a share' },
        measure: (runs) =>
          ratioOfSums(
            runs.named(name(rate)).rows(interactionAwareSharpness),
            (row) => row.trace_S_n,
            (row) => row.trace_S_b,
          ),
      },
      {
        id: `wrong-${rate}`,
        says: 'They agree twice as much.',
        where: 'nowhere',
        how: 'the same',
        region: { low: 2, why: 'it can’t' },
        measure: (runs) =>
          ratioOfSums(
            runs.named(name(rate)).rows(interactionAwareSharpness),
            (row) => row.trace_S_n,
            (row) => row.trace_S_b,
          ),
      },
      {
        id: `unknown-${rate}`,
        says: 'Nobody can say.',
        where: 'nowhere',
        how: 'not at all',
        region: { why: 'any' },
        measure: () => 'there is nothing to measure',
      },
    ]),
  plot: (runs) =>
    chart({
      title: 'ρ_b',
      description: 'ρ_b over the steps.',
      x: { title: 'step t' },
      y: { title: 'ρ_b' },
      layers: runs.all.map((run) =>
        line({ name: run.name, rows: run.rows(interactionAwareSharpness), x: 'step', y: 'rho' }),
      ),
    }),
  settings: () => [
    { name: 'loss', paper: 'a network’s', here: 'least squares', why: 'a test' },
    { name: 'draws', paper: null, here: '16', why: 'the default' },
  ],
});

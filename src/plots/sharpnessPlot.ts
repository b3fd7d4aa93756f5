import type { TopLevelSpec } from 'vega-lite';
import type { SharpnessRow } from '../probes/interactionAwareSharpness.ts';
import type { EigenvaluesRow } from '../probes/topEigenvalues.ts';

export interface SharpnessPlotData {
  /** Rows of topEigenvalues. */
  readonly eigenvalues: readonly Pick<EigenvaluesRow, 'step' | 'lambda_1' | 'edge'>[];
  /** Rows of interactionAwareSharpness of one batch size. */
  readonly sharpness: readonly Pick<SharpnessRow, 'step' | 'ias'>[];
}

const LAMBDA = 'λ₁, sharpness';
const IAS = '‖H‖ₛ, interaction-aware';
const EDGE = '2/η, edge of stability';

/**
 * The sharpness λ_1 and the interaction-aware sharpness ‖H‖_{S_n} over the steps, against the edge: the paper's
 * Figure 4(a).
 *
 * Values above 1.6 times the edge are cut off at the frame: a single spike would flatten all the rest.
 */
export function sharpnessPlot({ eigenvalues, sharpness }: SharpnessPlotData): TopLevelSpec {
  const top = 1.6 * eigenvalues.reduce((most, row) => Math.max(most, row.edge), 0);
  const values = [
    ...eigenvalues.map((row) => ({ step: row.step, value: row.lambda_1, quantity: LAMBDA })),
    ...sharpness.map((row) => ({ step: row.step, value: row.ias, quantity: IAS })),
    ...eigenvalues.map((row) => ({ step: row.step, value: row.edge, quantity: EDGE })),
  ];
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: 640,
    height: 300,
    background: 'white',
    data: { values },
    mark: { type: 'line', clip: true },
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'step t', axis: { grid: false } },
      y: {
        field: 'value',
        type: 'quantitative',
        title: 'eigenvalue of the Hessian',
        scale: { domain: [0, top] },
        axis: { gridOpacity: 0.4 },
      },
      color: {
        field: 'quantity',
        type: 'nominal',
        title: null,
        scale: { domain: [LAMBDA, IAS, EDGE], range: ['#3564b0', '#d1495b', '#222222'] },
        legend: { orient: 'top', symbolType: 'stroke', labelLimit: 300 },
      },
      strokeDash: {
        field: 'quantity',
        type: 'nominal',
        scale: {
          domain: [LAMBDA, IAS, EDGE],
          range: [
            [1, 0],
            [1, 0],
            [6, 4],
          ],
        },
      },
      order: { field: 'step', type: 'quantitative' },
    },
    config: { font: 'Helvetica, Arial, sans-serif', view: { stroke: null } },
  };
}

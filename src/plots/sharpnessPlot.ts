import type { TopLevelSpec } from 'vega-lite';
import type { SharpnessRow } from '../probes/interactionAwareSharpness.ts';
import type { EigenvaluesRow } from '../probes/topEigenvalues.ts';
import { chart } from './chart.ts';
import { line } from './line.ts';

export interface SharpnessPlotData {
  /** Rows of topEigenvalues. */
  readonly eigenvalues: readonly Pick<EigenvaluesRow, 'step' | 'lambda_1' | 'edge'>[];
  /** Rows of interactionAwareSharpness of one batch size. */
  readonly sharpness: readonly Pick<SharpnessRow, 'step' | 'ias'>[];
}

/**
 * The sharpness λ_1 and the interaction-aware sharpness ‖H‖_{S_n} over the steps, against the edge: the paper's
 * Figure 4(a).
 *
 * Values above 1.6 times the median of the edge are cut off at the frame, and counted: a single spike, or the edge of
 * a learning rate that ends at 0, would flatten all the rest.
 *
 * @example
 * import { sharpnessPlot } from 'brink';
 *
 * const eigenvalues = [8, 10.5, 10.2].map((lambda_1, step) => ({ step, lambda_1, edge: 10 }));
 * const sharpness = [0.1, 4, 9.9].map((ias, step) => ({ step, ias }));
 * console.log('layer' in sharpnessPlot({ eigenvalues, sharpness })); // true
 * @see chart, plotTable
 */
export function sharpnessPlot({ eigenvalues, sharpness }: SharpnessPlotData): TopLevelSpec {
  const edges = eigenvalues.map(({ edge }) => edge).filter(Number.isFinite);
  const middle = edges.toSorted((a, b) => a - b)[edges.length >> 1];
  return chart({
    description:
      'The sharpness λ₁ and the interaction-aware sharpness of the batch over the steps of training, ' +
      'and the edge of stability.',
    width: 640,
    height: 300,
    x: { title: 'step t' },
    y: { title: 'eigenvalue of the Hessian', ...(middle !== undefined && { domain: [0, 1.6 * middle] }) },
    layers: [
      line({ name: 'λ₁, sharpness', rows: eigenvalues, x: 'step', y: 'lambda_1' }),
      line({ name: '‖H‖_S, interaction-aware', rows: sharpness, x: 'step', y: 'ias' }),
      line({ name: 'edge of stability', rows: eigenvalues, x: 'step', y: 'edge', dashed: true }),
    ],
  });
}

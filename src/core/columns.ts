import { bool, float64, int32 } from './Table.ts';

/** Columns that more than one table has, said once. */

/** `step`. */
export const step = () => int32({ symbol: 't', description: 'The step.' });

/** `batch_size`. */
export const batchSize = (description = 'Examples in a batch.') => int32({ symbol: 'b', description });

/** `replacement`. */
export const replacement = () => bool({ symbol: '', description: 'Whether batches are drawn with replacement.' });

/** `edge`. */
export const edge = () =>
  float64({
    symbol: '(2/η)(1+β₁)/(1+2β₂)',
    description: 'The edge of stability: 2/η without momentum.',
    scale: 'curvature',
    isReference: true,
  });

/** `lambda_1`. */
export const lambda1 = () =>
  float64({
    symbol: 'λ₁',
    description: 'The largest eigenvalue of the Hessian: the sharpness.',
    scale: 'curvature',
  });

/** `trace_S_n`. */
export const traceSn = () => float64({ symbol: 'tr(S_n)', description: '‖∇L‖².', scale: 'second moment' });

/** `<name>_standard_error`, beside an estimate of that name. */
export const standardError = (name: string, more = '0 where it is exact') =>
  float64({ symbol: '', description: `Of ${name}; ${more}.` });

/** `draws`. */
export const draws = () =>
  int32({ symbol: 'K', description: 'Independent draws behind the standard errors; 0: nothing is drawn.' });

import { bool, float64, int32, nullable } from './Table.ts';

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

/** `plain_edge`. */
export const plainEdge = () =>
  float64({
    symbol: '2/η',
    description: 'The edge of the plain step −ηg, with or without momentum.',
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
export const standardError = (name: string, more = '0 where it is exact, NaN where all draws are the same') =>
  float64({ symbol: '', description: `Of ${name}; ${more}.` });

/** `draws`. */
export const draws = () =>
  int32({ symbol: 'K', description: 'Independent draws behind the standard errors; 0: nothing is drawn.' });

/** `noise_scale` and its error. */
export const noiseScale = () => ({
  noise_scale: nullable(
    float64({
      symbol: 'B_{simple}',
      description: 'Gradient noise scale tr(C_1)/‖∇L‖² = 1/ρ_1 − 1; null for b = n and with batch normalisation.',
    }),
  ),
  noise_scale_standard_error: nullable(standardError('noise_scale')),
});

/** `noise_scale_hessian` and its error. */
export const noiseScaleHessian = () => ({
  noise_scale_hessian: nullable(
    float64({
      symbol: 'B_H',
      description:
        'tr(HC_1)/∇LᵀH∇L; null as noise_scale, and where |∇LᵀH∇L| is within two standard errors (float32) of 0.',
    }),
  ),
  noise_scale_hessian_standard_error: nullable(standardError('noise_scale_hessian')),
});

/** `learning_rate_over_optimum` and its error. */
export const learningRateOverOptimum = () => ({
  learning_rate_over_optimum: float64({
    symbol: 'η/η_{opt}',
    description: 'η tr(HS_b)/tr(S_n): 1 where one plain step lowers the expected loss most, 2 at the edge.',
  }),
  learning_rate_over_optimum_standard_error: standardError('learning_rate_over_optimum'),
});

/** `noise_along_q1`. */
export const noiseAlongQ1 = () =>
  nullable(
    float64({
      symbol: 'σ²_u',
      description:
        '(γ_{n,b}/b) Var_i(g_iᵀq_1), the variance of the batch gradient along q_1; null where no eigenpair is at hand, or examples are coupled.',
    }),
  );

/** `running_rho` and its error. */
export const runningRho = (of: string) => ({
  running_rho: float64({
    symbol: `Σ_t tr(S_n)/Σ_t tr(S_${of})`,
    description: `ρ_${of} of the run so far: a ratio of sums over the steps measured, from running_from to this one.`,
  }),
  running_from: int32({
    symbol: '',
    description:
      'Where these sums begin: the first step that was measured since the run, or its probes, last began afresh.',
  }),
  running_rho_standard_error: standardError(
    'running_rho',
    'that of the draws alone, not of which steps were measured; 0 where it is exact, NaN once all draws of a step were the same',
  ),
});

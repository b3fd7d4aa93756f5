import type { Dataset } from '../core/Dataset.ts';
import { requireOptions } from '../core/given.ts';
import { arrays } from './arrays.ts';

/**
 * Twenty points on a polynomial: x_i = −1 + 2i/19, y_i = T_6(x_i) = 32x⁶ − 48x⁴ + 18x² − 1, i = 0 … 19.
 *
 * A one-dimensional regression on which small tanh networks reach the edge of stability within some hundred steps
 * (after Cohen et al., 2021). With so few examples it says nothing of generalisation.
 */
export function chebyshev(options: object = {}): Dataset {
  requireOptions('chebyshev', options, [], '{}');
  const x = Float64Array.from({ length: 20 }, (_, i) => -1 + (2 * i) / 19);
  return arrays({
    name: 'chebyshev',
    inputShape: [1],
    inputs: x,
    targets: x.map((t) => 32 * t ** 6 - 48 * t ** 4 + 18 * t ** 2 - 1),
  });
}

/**
 * γ_{n,b}, the share of a batch's covariance that is left when its b examples are distinct: (n − b)/(n − 1) without
 * replacement, 1 with it; C_b = (γ_{n,b}/b) C_1.
 *
 * @param n Examples.
 * @param b Batch size, 1 … n.
 * Source: Lee and Jang (2023), equation (1).
 */
export function samplingCoefficient(n: number, b: number, replacement: boolean): number {
  return replacement ? 1 : n === 1 ? 0 : (n - b) / (n - 1);
}

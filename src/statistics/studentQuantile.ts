import { betaQuantile } from './betaDistribution.ts';

/**
 * The t with P(|T| ≤ t) = `level`, T of Student's distribution with ν degrees of freedom: what the half width of an
 * interval is, in standard errors.
 *
 * From P(|T| ≤ t) = I_y(1/2, ν/2), y = t²/(ν + t²).
 *
 * @param level Between 0 and 1, as in 0.95.
 * @param freedom ν > 0, not necessarily whole.
 * Source: NIST's DLMF 8.17; Student (1908).
 */
export function studentQuantile(level: number, freedom: number): number {
  const y = betaQuantile(level, 1 / 2, freedom / 2);
  return Math.sqrt((freedom * y) / (1 - y));
}

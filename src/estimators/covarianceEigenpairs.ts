import type { Point } from '../core/Objective.ts';
import { type Eigenpairs, extremeEigenpairs } from '../linalg/eigenpairs.ts';
import { mean } from '../linalg/vector.ts';
import type { EigenpairSettings } from './hessianEigenpairs.ts';
import { projectionsOf } from './require.ts';

/**
 * The top eigenpair of C_1 = S_1 − S_n, by products C_1 v = Σ_i u_i g_i with u_i = (g_iᵀv − mean)/n: one product with
 * H for the projections, one gradient.
 */
export function covarianceEigenpairs(
  point: Point,
  settings: Omit<EigenpairSettings, 'end'>,
  previous: Eigenpairs | null,
): Promise<Eigenpairs> {
  const { who, count, tolerance, maxProducts = 200, seed = 0 } = settings;
  return point.memo(['covarianceEigenpairs', count, tolerance, maxProducts, seed, previous?.token], () =>
    extremeEigenpairs(
      async (v) => {
        const projections = projectionsOf(await point.hessianVector(v));
        const center = mean(projections);
        const u = projections.map((p) => (p - center) / projections.length);
        return { product: await point.weightedGradient(u), projections: null };
      },
      {
        who,
        dimension: point.objective.paramCount,
        count,
        end: 'largest',
        tolerance,
        maxProducts,
        seed,
        nearby: previous?.model ?? null,
        known: async () => [],
      },
    ),
  );
}

import * as columns from '../core/columns.ts';
import { integer } from '../core/optionKinds.ts';
import { defineTable, float64, int32, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { planeDirections } from '../estimators/planeDirections.ts';
import { dot, norm } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'plane_path',
  description: 'Where the weights of a step lie, seen from the loss plane of an earlier one.',
  key: ['step', 'plane'],
  columns: {
    step: columns.step(),
    plane: int32({ symbol: 's', description: 'The step whose plane it is, and whose weights are at 0, 0.' }),
    x: float64({ symbol: 'x', description: 'd₁ᵀ(θ_t − θ_s), along the first direction.' }),
    y: float64({ symbol: 'y', description: 'd₂ᵀ(θ_t − θ_s), along the second direction.' }),
    beside: float64({
      symbol: '‖(I − P)(θ_t − θ_s)‖',
      description:
        'How far the weights lie from the plane: where it is large, the plane says little of the loss there.',
    }),
  },
});

/** A row of `planePath`. */
export interface PlanePathRow extends Row<typeof table> {}

/** Options of `planePath`. */
export type PlanePathOptions = OptionsOf<typeof planePath>;

/**
 * The path of training on the plane of `lossPlane`: x = d₁ᵀ(θ_t − θ_s), y = d₂ᵀ(θ_t − θ_s) at each step t that it sees,
 * from the step s of the last plane on, and the distance ‖θ_t − θ_s − x d₁ − y d₂‖ from it.
 *
 * d₁ and d₂ [m] are orthonormal, those of `lossPlane` at θ_s. A new plane begins at the first step seen (where the
 * run's probes begin afresh, again), then at every step that `planeEvery` divides, as `throttleSteps(planeEvery)` lets
 * through to `lossPlane`; the step at which one begins has a row on the one before as well. A projection: two paths
 * that look alike there may be far apart beside it.
 *
 * Source: Li, Xu, Taylor, Studer and Goldstein (2018), Section 7, whose directions are those of the whole path.
 *
 * @throws BrinkError where an option is out of range, or there is one parameter; in the stream where the directions are
 *   parallel, zero, or of a wrong length.
 * @example
 * import { gradientDescent, planePath, toy } from 'brink';
 * import { lastValueFrom, toArray } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 2, initialWeights: [3, 0] });
 * const axes = async () => [Float32Array.of(1, 0), Float32Array.of(0, 1)] as const;
 * const rows = await lastValueFrom(steps.pipe(planePath({ directions: axes }), toArray()));
 * console.log(rows.map(({ x, y }) => `${x.toFixed(2)} ${y.toFixed(2)}`).join(', ')); // 0.00 0.00, -0.38 0.00, -0.70 0.00
 * @see lossPlane, alignment
 */
export const planePath = probe({
  name: 'planePath',
  asks: 'Where does training go on a loss plane, and how far from it?',
  table,
  cost: 'nothing at most steps but two inner products and a vector of m; where a plane begins ∇L and, by default, the eigenpair, shared with other probes. It holds three vectors of m.',
  options: {
    planeEvery: integer({ least: 1, default: 50, description: 'Every how many steps a plane begins.' }),
    directions: usual.directions(),
    tolerance: usual.tolerance(),
  },
  begin: ({ planeEvery, directions, tolerance }, { paramCount }): Measurement<PlanePathRow> => {
    const directionsAt = planeDirections('planePath', { directions, tolerance }, paramCount);
    let plane: { readonly step: number; readonly from: Float32Array; readonly d: readonly Float64Array[] } | null =
      null;
    return async (point, step) => {
      const rows: PlanePathRow[] = [];
      if (plane !== null) {
        const { from, d } = plane;
        const moved = Float64Array.from(step.weights, (w, k) => w - from[k]!);
        const [x, y] = d.map((direction) => dot(direction, moved)) as [number, number];
        const beside = norm(moved.map((change, k) => change - x * d[0]![k]! - y * d[1]![k]!));
        rows.push({ step: step.index, plane: plane.step, x, y, beside });
      }
      if (plane === null || step.index % planeEvery === 0) {
        plane = { step: step.index, from: step.weights.slice(), d: await directionsAt(point, step) };
        rows.push({ step: step.index, plane: step.index, x: 0, y: 0, beside: 0 });
      }
      return rows;
    };
  },
});

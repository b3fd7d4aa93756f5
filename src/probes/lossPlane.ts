import * as columns from '../core/columns.ts';
import { numbers } from '../core/optionKinds.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { planeDirections } from '../estimators/planeDirections.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'planes',
  description: 'The training loss on a plane through the weights at a step, one row for each point of the grid.',
  key: ['step', 'x', 'y'],
  columns: {
    step: columns.step(),
    x: float64({ symbol: 'x', description: 'Distance from θ_t along the first direction.' }),
    y: float64({
      symbol: 'y',
      description: 'Distance from θ_t along the second direction, made orthogonal to the first.',
    }),
    loss: float64({ symbol: 'L(θ + x d₁ + y d₂)', description: 'The training loss there.' }),
    loss_change: float64({ symbol: 'ΔL', description: 'L(θ + x d₁ + y d₂) − L(θ).' }),
  },
});

/** A row of `lossPlane`. */
export interface PlanesRow extends Row<typeof table> {}

/** Options of `lossPlane`. */
export type LossPlaneOptions = OptionsOf<typeof lossPlane>;

const WHO = 'lossPlane';

/**
 * The training loss L(θ + x d₁ + y d₂) on a grid in the plane of two directions, by default the descent direction −∇L
 * and the sharpest direction q₁. Where ∇L is along q₁ the second is q₂; where ∇L is 0 they are q₁ and q₂.
 *
 * d₁ and d₂ [m] are unit vectors, d₂ the part of the second direction that is orthogonal to the first; an eigenvector's
 * sign is the one with which its largest entry is positive. A plane is two dimensions of m: a valley that it shows can
 * leave it at once. `planePath` says where training goes on it.
 *
 * Source: Li, Xu, Taylor, Studer and Goldstein (2018).
 *
 * @throws BrinkError where an option is out of range, or there is one parameter; in the stream where the directions
 *   are parallel, zero, or of a wrong length.
 * @example
 * import { gradientDescent, lossPlane, toy } from 'brink';
 * import { firstValueFrom, toArray } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 0, initialWeights: [3, 0] });
 * const axes = async () => [Float32Array.of(1, 0), Float32Array.of(0, 1)] as const;
 * const plane = lossPlane({ coordinates: [-1, 0, 1], directions: axes });
 * const rows = await firstValueFrom(steps.pipe(plane, toArray()));
 * console.log(rows.map(({ loss }) => loss.toFixed(1)).join(' ')); // 21.6 4.0 21.6 26.6 9.0 26.6 33.6 16.0 33.6
 * @see planePath, lossSlice, alignment
 */
export const lossPlane = probe({
  name: WHO,
  asks: 'What does the landscape look like on a plane? That of −∇L and q₁, or any other',
  table,
  cost: 'a forward pass for each of the coordinates² points, and at θ where no gradient brings it; by default the eigenpair, shared with other probes; where q₂ is needed, a search for two.',
  options: {
    coordinates: numbers({
      needed: true,
      key: 'its place',
      description: 'Coordinates along both directions, in the units of θ.',
    }),
    directions: usual.directions(),
    tolerance: usual.tolerance(),
  },
  begin: ({ coordinates, directions, tolerance }, { paramCount }): Measurement<PlanesRow> => {
    const directionsAt = planeDirections(WHO, { directions, tolerance }, paramCount);
    return async (point, step) => {
      const [d1, d2] = await directionsAt(point, step);
      const loss = await point.loss();
      const rows: PlanesRow[] = [];
      for (const x of coordinates) {
        for (const y of coordinates) {
          const direction = Float32Array.from(d1, (d, k) => x * d + y * d2[k]!);
          const there = await point.moved(direction, 1).loss();
          rows.push({ step: step.index, x, y, loss: there, loss_change: there - loss });
        }
      }
      return rows;
    };
  },
});

import * as columns from '../core/columns.ts';
import { BrinkError } from '../core/errors.ts';
import type { Point } from '../core/Objective.ts';
import { callback, numbers } from '../core/optionKinds.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { addScaled, dot, norm, rescale } from '../linalg/vector.ts';
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

/** Two directions, flat [m] each. */
export type Directions = readonly [Float32Array, Float32Array];

/** A gradient with less than this share beside q₁ spans no plane with it. */
const BESIDE = 1e-3;
const WHO = 'lossPlane';

/**
 * The training loss L(θ + x d₁ + y d₂) on a grid in the plane of two directions, by default the descent direction −∇L
 * and the sharpest direction q₁. Where ∇L is along q₁ the second is q₂; where ∇L is 0 they are q₁ and q₂.
 *
 * d₁ and d₂ [m] are unit vectors, d₂ the part of the second direction that is orthogonal to the first. A plane is two
 * dimensions of m: a valley that it shows can leave it at once.
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
 * @see lossSlice, alignment
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
    directions: callback<(point: Point, step: Step) => Promise<Directions>>({
      none: '−∇L and q₁',
      description: 'The directions: only what they span matters, and that the first points along x.',
    }),
    tolerance: usual.tolerance(),
  },
  begin: ({ coordinates, directions, tolerance }, { paramCount }): Measurement<PlanesRow> => {
    if (paramCount < 2) {
      throw new BrinkError(WHO, 'there is one parameter. A plane has two directions; use lossSlice.');
    }
    let eigenpairs: Eigenpairs | null = null;
    const descentAndSharpest = async (point: Point): Promise<Directions> => {
      eigenpairs = await hessianEigenpairs(point, { who: WHO, count: 1, tolerance }, eigenpairs);
      const q1 = eigenpairs.pairs[0]!.vector;
      const gradient = await point.gradient();
      const beside = Float64Array.from(gradient);
      addScaled(beside, q1, -dot(q1, gradient));
      const descent = gradient.map((g) => -g);
      if (norm(beside) > BESIDE * norm(gradient)) return [descent, q1];
      const { pairs } = await hessianEigenpairs(point, { who: WHO, count: 2, tolerance }, null);
      return [norm(gradient) > 0 ? descent : q1, pairs[1]!.vector];
    };
    return async (point, step) => {
      const [d1, d2] = orthonormal(await (directions ?? descentAndSharpest)(point, step), paramCount);
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

function orthonormal(directions: Directions, dimension: number): [Float64Array, Float64Array] {
  for (const [i, d] of directions.entries()) {
    if (d.length !== dimension) {
      throw new BrinkError(WHO, `direction ${i + 1} has ${d.length} entries. It must have ${dimension}.`);
    }
  }
  const [d1, d2] = directions.map((d) => Float64Array.from(d)) as [Float64Array, Float64Array];
  const length = norm(d2);
  rescale(d1, 1 / norm(d1));
  for (let pass = 0; pass < 2; pass++) addScaled(d2, d1, -dot(d1, d2));
  const part = norm(d2);
  if (!(part > 1e-6 * length)) {
    throw new BrinkError(WHO, 'the two directions are parallel, or one is zero. They must span a plane.');
  }
  rescale(d2, 1 / part);
  return [d1, d2];
}

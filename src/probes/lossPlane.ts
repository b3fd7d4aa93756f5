import type { OperatorFunction } from 'rxjs';
import { BrinkError, requireNumber } from '../core/errors.ts';
import type { Objective, Point } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, int32, type Row } from '../core/Table.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { addScaled, dot, norm, rescale } from '../linalg/vector.ts';
import { measureAlong } from '../operators/measure.ts';

const table = defineTable({
  name: 'planes',
  description: 'The training loss on a plane through the weights at a step, one row for each point of the grid.',
  key: ['step', 'x', 'y'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    x: float64({ symbol: 'x', description: 'Distance from θ_t along the first direction.' }),
    y: float64({
      symbol: 'y',
      description: 'Distance from θ_t along the second direction, made orthogonal to the first.',
    }),
    loss: float64({ symbol: 'L(θ + x d₁ + y d₂)', description: 'The training loss there.' }),
    loss_change: float64({ symbol: 'ΔL', description: 'L(θ + x d₁ + y d₂) − L(θ).' }),
  },
});

/** Two directions, flat [m] each. */
export type Directions = readonly [Float32Array, Float32Array];

export interface LossPlaneOptions {
  /** Coordinates along both directions, in the units of θ, each finite. */
  readonly coordinates: readonly number[];
  /** The directions; default −∇L and q₁. Only what they span matters, and that the first points along x. */
  readonly directions?: (point: Point, step: Step) => Promise<Directions>;
  /** Relative residual of q₁, default 1e-3. */
  readonly tolerance?: number;
}

/** A gradient with less than this share beside q₁ spans no plane with it. */
const BESIDE = 1e-3;

/**
 * The training loss L(θ + x d₁ + y d₂) on a grid in the plane of two directions, by default the descent direction −∇L and the
 * sharpest direction q₁. Where ∇L is along q₁ the second is q₂; where ∇L is 0 they are q₁ and q₂.
 *
 * d₁ and d₂ are unit vectors, d₂ the part of the second direction that is orthogonal to the first. A plane is two dimensions
 * of m: a valley that it shows can leave it at once.
 *
 * Cost: a forward pass for each of the coordinates² points; by default the eigenpair, shared with other probes; where q₂ is needed, a search for two.
 *
 * @param objective The training loss.
 * @param options `coordinates`, `directions`, `tolerance` (1e-3).
 * @throws BrinkError at the call where an option is out of range, or there is one parameter; in the stream where the directions are parallel, zero, or
 *   of a wrong length.
 * Source: Li, Xu, Taylor, Studer and Goldstein (2018).
 */
export function lossPlane(objective: Objective, options: LossPlaneOptions): OperatorFunction<Step, Row<typeof table>> {
  const who = 'lossPlane';
  const { coordinates, directions, tolerance = 1e-3 } = options;
  if (coordinates.length === 0) throw new BrinkError(who, 'coordinates is empty. Name at least one.');
  coordinates.forEach((x, i) => {
    if (!Number.isFinite(x)) throw new BrinkError(who, `coordinates[${i}] is ${x}. It must be a finite number.`);
    if (coordinates.indexOf(x) !== i)
      throw new BrinkError(who, `coordinates names ${x} twice. A row is named by its place.`);
  });
  requireNumber(who, 'tolerance', tolerance, 0);
  if (objective.paramCount < 2)
    throw new BrinkError(who, 'there is one parameter. A plane has two directions; use lossSlice.');
  return measureAlong(objective, () => {
    let eigenpairs: Eigenpairs | null = null;
    const descentAndSharpest = async (point: Point): Promise<Directions> => {
      eigenpairs = await hessianEigenpairs(point, { who, count: 1, tolerance }, eigenpairs);
      const q1 = eigenpairs.pairs[0]!.vector;
      const gradient = await point.gradient();
      const beside = Float64Array.from(gradient);
      addScaled(beside, q1, -dot(q1, gradient));
      const descent = gradient.map((g) => -g);
      if (norm(beside) > BESIDE * norm(gradient)) return [descent, q1];
      const { pairs } = await hessianEigenpairs(point, { who, count: 2, tolerance }, null);
      return [norm(gradient) > 0 ? descent : q1, pairs[1]!.vector];
    };
    return async (point, step) => {
      const [d1, d2] = orthonormal(who, await (directions ?? descentAndSharpest)(point, step), objective.paramCount);
      const loss = await point.loss();
      const rows: Row<typeof table>[] = [];
      for (const x of coordinates) {
        for (const y of coordinates) {
          const direction = Float32Array.from(d1, (d, k) => x * d + y * d2[k]!);
          const there = await point.moved(direction, 1).loss();
          rows.push({ step: step.index, x, y, loss: there, loss_change: there - loss });
        }
      }
      return rows;
    };
  });
}
lossPlane.table = table;

function orthonormal(who: string, directions: Directions, dimension: number): [Float64Array, Float64Array] {
  for (const [i, d] of directions.entries()) {
    if (d.length !== dimension)
      throw new BrinkError(who, `direction ${i + 1} has ${d.length} entries. It must have ${dimension}.`);
  }
  const [d1, d2] = directions.map((d) => Float64Array.from(d)) as [Float64Array, Float64Array];
  const length = norm(d2);
  rescale(d1, 1 / norm(d1));
  for (let pass = 0; pass < 2; pass++) addScaled(d2, d1, -dot(d1, d2));
  const part = norm(d2);
  if (!(part > 1e-6 * length))
    throw new BrinkError(who, 'the two directions are parallel, or one is zero. They must span a plane.');
  rescale(d2, 1 / part);
  return [d1, d2];
}

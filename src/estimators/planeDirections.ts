import { BrinkError } from '../core/errors.ts';
import type { Point } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import type { Directions, DirectionsAt } from '../core/usualOptions.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { addScaled, dot, norm, rescale } from '../linalg/vector.ts';
import { hessianEigenpairs } from './hessianEigenpairs.ts';

/** A gradient with less than this share beside q₁ spans no plane with it. */
const BESIDE = 1e-3;

/**
 * The orthonormal directions of a plane at a point: those named, or −∇L and q₁; q₂ where ∇L is along q₁, q₁ and q₂
 * where it is 0. Eigenvectors have the sign with which their largest entry is positive, so that two probes, or two
 * runs, do not have each other's plane mirrored.
 *
 * @throws BrinkError where there is one parameter; the function it returns where the directions are parallel, zero, or
 *   of a wrong length.
 */
export function planeDirections(
  who: string,
  { directions, tolerance }: { readonly directions: DirectionsAt | null; readonly tolerance: number },
  paramCount: number,
): (point: Point, step: Step) => Promise<readonly [Float64Array, Float64Array]> {
  if (paramCount < 2) {
    throw new BrinkError(who, 'there is one parameter. A plane has two directions; use lossSlice.');
  }
  let eigenpairs: Eigenpairs | null = null;
  const descentAndSharpest = async (point: Point): Promise<Directions> => {
    eigenpairs = await hessianEigenpairs(point, { who, count: 1, tolerance }, eigenpairs);
    const q1 = signed(eigenpairs.pairs[0]!.vector);
    const gradient = await point.gradient();
    const beside = Float64Array.from(gradient);
    addScaled(beside, q1, -dot(q1, gradient));
    const descent = gradient.map((g) => -g);
    if (norm(beside) > BESIDE * norm(gradient)) return [descent, q1];
    const { pairs } = await hessianEigenpairs(point, { who, count: 2, tolerance }, null);
    return [norm(gradient) > 0 ? descent : q1, signed(pairs[1]!.vector)];
  };
  return async (point, step) => orthonormal(who, await (directions ?? descentAndSharpest)(point, step), paramCount);
}

/** The vector with the sign that makes its largest entry positive. */
function signed(vector: Float32Array): Float32Array {
  const largest = vector.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  return largest < 0 ? vector.map((x) => -x) : vector;
}

function orthonormal(who: string, directions: Directions, dimension: number): [Float64Array, Float64Array] {
  for (const [i, d] of directions.entries()) {
    if (d.length !== dimension) {
      throw new BrinkError(who, `direction ${i + 1} has ${d.length} entries. It must have ${dimension}.`);
    }
  }
  const [d1, d2] = directions.map((d) => Float64Array.from(d)) as [Float64Array, Float64Array];
  const length = norm(d2);
  rescale(d1, 1 / norm(d1));
  for (let pass = 0; pass < 2; pass++) addScaled(d2, d1, -dot(d1, d2));
  const part = norm(d2);
  if (!(part > 1e-6 * length)) {
    throw new BrinkError(who, 'the two directions are parallel, or one is zero. They must span a plane.');
  }
  rescale(d2, 1 / part);
  return [d1, d2];
}

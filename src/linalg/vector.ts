/** A vector of either precision; every sum over one is in float64. */
export type Vector = Float32Array | Float64Array;

/** aᵀb. */
export function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** ‖a‖. */
export function norm(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

/** aᵀb / (‖a‖‖b‖); NaN where a or b is zero. */
export function cosine(a: Vector, b: Vector): number {
  return dot(a, b) / (norm(a) * norm(b));
}

/** Adds scale·x to y, in place. */
export function addScaled(y: Vector, x: Vector, scale: number): void {
  for (let k = 0; k < y.length; k++) y[k]! += scale * x[k]!;
}

/** Multiplies y by scale, in place. */
export function rescale(y: Vector, scale: number): void {
  for (let k = 0; k < y.length; k++) y[k]! *= scale;
}

/** Arithmetic mean. */
export function mean(a: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]!;
  return sum / a.length;
}

/** (1/n) Σ (a_i − ā)(b_i − b̄). */
export function covariance(a: Vector, b: Vector): number {
  const [x, y] = [mean(a), mean(b)];
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k]! - x) * (b[k]! - y);
  return sum / a.length;
}

/** Standard error of the mean of independent draws: √(Σ (a_i − ā)² / (K(K − 1))); NaN for one draw. */
export function standardError(draws: Vector): number {
  return Math.sqrt(covariance(draws, draws) / (draws.length - 1));
}

/** The least of some numbers, however many; ∞ of none. */
export function least(a: ArrayLike<number>): number {
  let found = Number.POSITIVE_INFINITY;
  for (let k = 0; k < a.length; k++) found = Math.min(found, a[k]!);
  return found;
}

/** The largest of some numbers, however many; −∞ of none. */
export function largest(a: ArrayLike<number>): number {
  let found = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < a.length; k++) found = Math.max(found, a[k]!);
  return found;
}

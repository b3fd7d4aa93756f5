/** A vector of either precision; every sum over one is in float64. */
export type Vector = Float32Array | Float64Array;

/** aᵀb. */
export function dot(a: Vector, b: Vector): number {
  // A loop that meets one kind of array is compiled to half the time of one that meets several.
  if (a instanceof Float32Array) return b instanceof Float32Array ? dotOfSingles(a, b) : dotOfBoth(a, b);
  return b instanceof Float32Array ? dotOfBoth(b, a) : dotOfDoubles(a, b);
}

function dotOfSingles(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function dotOfBoth(a: Float32Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function dotOfDoubles(a: Float64Array, b: Float64Array): number {
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
  if (y instanceof Float64Array && x instanceof Float32Array) addSingles(y, [x], [scale]);
  else for (let k = 0; k < y.length; k++) y[k]! += scale * x[k]!;
}

/** Adds Σ_i scale_i x_i to y, in place: what `addScaled` does one after the other, to the bit, in half the time. */
export function addSingles(y: Float64Array, xs: readonly Float32Array[], scales: readonly number[]): void {
  let i = 0;
  for (; i + 4 <= xs.length; i += 4) {
    const [a, b, c, d] = [xs[i]!, xs[i + 1]!, xs[i + 2]!, xs[i + 3]!];
    const [r, s, t, u] = [scales[i]!, scales[i + 1]!, scales[i + 2]!, scales[i + 3]!];
    for (let k = 0; k < y.length; k++) y[k] = y[k]! + r * a[k]! + s * b[k]! + t * c[k]! + u * d[k]!;
  }
  for (; i < xs.length; i++) {
    const [x, scale] = [xs[i]!, scales[i]!];
    for (let k = 0; k < y.length; k++) y[k]! += scale * x[k]!;
  }
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

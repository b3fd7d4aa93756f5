/** A sum over chunks of what belongs to the parameters, flat and in float64. */
export interface SumOfParts {
  /** Adds what a chunk gives, one array a parameter. */
  add(parts: readonly Float32Array[]): void;
  /** The sum times `scale`, rounded to float32. */
  scaled(scale: number): Float32Array;
}

/** @param m The number of all parameters' entries. */
export function sumOfParts(m: number): SumOfParts {
  // One chunk, as of a small batch, needs no memory of its own.
  let first: readonly Float32Array[] | null = null;
  let sum: Float64Array | null = null;

  function addTo(target: Float64Array, parts: readonly Float32Array[]): void {
    let offset = 0;
    for (const part of parts) {
      for (let k = 0; k < part.length; k++) target[offset + k]! += part[k]!;
      offset += part.length;
    }
  }

  return {
    add(parts) {
      if (first === null) {
        first = parts;
        return;
      }
      if (sum === null) {
        sum = new Float64Array(m);
        addTo(sum, first);
      }
      addTo(sum, parts);
    },
    scaled(scale) {
      const out = new Float32Array(m);
      let offset = 0;
      for (const part of sum ? [sum] : (first ?? [])) {
        // 0 is added as it is to a sum: −0 becomes 0.
        for (let k = 0; k < part.length; k++) out[offset + k] = (part[k]! + 0) * scale;
        offset += part.length;
      }
      return out;
    },
  };
}

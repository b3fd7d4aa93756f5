/** What stood in an array when it was first looked at: it tells whether the array has been written to since. */
export class Content {
  readonly #hash: number;

  constructor(vector: Vector) {
    this.#hash = hashOf(vector);
  }

  /** Whether an array holds the same bits, as far as a hash of 32 bits tells. */
  isIn(vector: Vector): boolean {
    return hashOf(vector) === this.#hash;
  }
}

type Vector = Float32Array | Float64Array;

const PRIME = 0x85ebca6b;

function hashOf({ buffer, byteOffset, byteLength }: Vector): number {
  const words = new Uint32Array(buffer, byteOffset, byteLength >> 2);
  // Four lanes, so that no product waits for the one before it.
  let [a, b, c, d] = [1, 2, 3, words.length];
  const whole = words.length - (words.length % 4);
  for (let k = 0; k < whole; k += 4) {
    a = (Math.imul(a, PRIME) + words[k]!) | 0;
    b = (Math.imul(b, PRIME) + words[k + 1]!) | 0;
    c = (Math.imul(c, PRIME) + words[k + 2]!) | 0;
    d = (Math.imul(d, PRIME) + words[k + 3]!) | 0;
  }
  for (let k = whole; k < words.length; k++) a = (Math.imul(a, PRIME) + words[k]!) | 0;
  return [a, b, c, d].reduce((hash, lane) => (Math.imul(hash, PRIME) + lane) | 0);
}

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

const [P1, P2, P3, P4] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f];

/**
 * xxHash32 (Collet, 2012), by words of the machine. Sums with odd factors alone would not do: they take a flipped sign,
 * which is the highest bit of a float32, no further than to the highest bit, where two cancel, as in v and −v.
 */
function hashOf({ buffer, byteOffset, byteLength }: Vector): number {
  const words = new Uint32Array(buffer, byteOffset, byteLength >> 2);
  // Four lanes, so that no product waits for the one before it.
  let [a, b, c, d] = [P1 + P2, P2, 0, -P1];
  const whole = words.length - (words.length % 4);
  for (let k = 0; k < whole; k += 4) {
    a = mixed(a, words[k]!);
    b = mixed(b, words[k + 1]!);
    c = mixed(c, words[k + 2]!);
    d = mixed(d, words[k + 3]!);
  }
  let hash = (rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18) + byteLength) | 0;
  for (let k = whole; k < words.length; k++) {
    hash = Math.imul(rotated((hash + Math.imul(words[k]!, P3)) | 0, 17), P4);
  }
  hash = Math.imul(hash ^ (hash >>> 15), P2);
  hash = Math.imul(hash ^ (hash >>> 13), P3);
  return hash ^ (hash >>> 16);
}

const rotated = (x: number, by: number) => (x << by) | (x >>> (32 - by));

const mixed = (lane: number, word: number) => Math.imul(rotated((lane + Math.imul(word, P2)) | 0, 13), P1);

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * A generator that is a function of its integers alone: the same numbers give the same stream, any other numbers
 * another.
 *
 * The integers are mixed by the finaliser of MurmurHash3 (Appleby, 2008), one after the other, so (1, 2) and (2, 1)
 * differ. The first number of a new xoroshiro128+ is left out: it is its seed but for the sign, and some bits of the
 * second go with those of the first.
 */
export function generator(...integers: number[]): RandomGenerator {
  let h = 0x9e3779b9;
  for (const integer of integers) {
    for (const word of [integer | 0, Math.floor(integer / 2 ** 32) | 0]) {
      h = Math.imul(h ^ word, 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      h ^= h >>> 16;
    }
  }
  const random = xoroshiro128plus(h);
  random.next();
  return random;
}

/** `count` independent normal numbers of mean 0 and standard deviation 1 (Box and Muller, 1958). */
export function normals(random: RandomGenerator, count: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(random)));
    const angle = 2 * Math.PI * uniformFloat64(random);
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

/** `count` numbers uniform on [−limit, limit). */
export function uniforms(random: RandomGenerator, count: number, limit: number): Float64Array {
  return Float64Array.from({ length: count }, () => (2 * uniformFloat64(random) - 1) * limit);
}

/** `count` independent fair signs, each −1 or 1. */
export function signs(random: RandomGenerator, count: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; ) {
    let bits = uniformInt(random, -0x80000000, 0x7fffffff);
    for (let k = 0; k < 32 && i < count; k++, i++, bits >>>= 1) out[i] = bits & 1 ? 1 : -1;
  }
  return out;
}

/** `size` of the integers 0 … n−1, each batch equally likely: distinct, or each drawn anew where `replacement`. */
export function drawBatch(random: RandomGenerator, n: number, size: number, replacement: boolean): Int32Array {
  const batch = new Int32Array(size);
  if (replacement) {
    for (let k = 0; k < size; k++) batch[k] = uniformInt(random, 0, n - 1);
    return batch;
  }
  // Fisher and Yates's shuffle, stopped after `size` cards; `moved` holds the few that are not where they were.
  const moved = new Map<number, number>();
  for (let k = 0; k < size; k++) {
    const j = uniformInt(random, k, n - 1);
    batch[k] = moved.get(j) ?? j;
    moved.set(j, moved.get(k) ?? k);
  }
  return batch;
}

import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, dot, norm, rescale } from '../../src/linalg/vector.ts';

/** m orthonormal vectors in random directions, a function of the seed. */
export function orthonormal(m: number, seed: number): Float64Array[] {
  const random = generator(seed);
  const vectors: Float64Array[] = [];
  while (vectors.length < m) {
    const v = normals(random, m);
    for (let pass = 0; pass < 2; pass++) for (const u of vectors) addScaled(v, u, -dot(u, v));
    rescale(v, 1 / norm(v));
    vectors.push(v);
  }
  return vectors;
}

import { describe, expect, it } from 'vitest';
import { lanczosQuadrature } from '../../src/linalg/lanczosQuadrature.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, dot, norm, rescale } from '../../src/linalg/vector.ts';
import { orthonormal } from '../helpers/orthonormal.ts';

const spectrum = [7, 3, 2.5, 1, 0.5, 0, -1, -4];
const m = spectrum.length;
const vectors = orthonormal(m, 2);
const times = async (v: Float32Array) => {
  const out = new Float64Array(m);
  vectors.forEach((q, k) => {
    addScaled(out, q, spectrum[k]! * dot(q, v));
  });
  return Float32Array.from(out);
};
const start = Float32Array.from(normals(generator(5), m));
rescale(start, 1 / norm(start));

describe('lanczosQuadrature', () => {
  it.each([1, 2, 3, 4])('with %d steps is exact for polynomials of degree below twice as many', async (steps) => {
    const { nodes, weights } = await lanczosQuadrature('test', times, start, steps);
    expect(nodes).toHaveLength(steps);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    for (let degree = 0; degree < 2 * steps; degree++) {
      const exact = vectors.reduce((sum, q, k) => sum + spectrum[k]! ** degree * dot(q, start) ** 2, 0);
      const found = nodes.reduce((sum, node, k) => sum + weights[k]! * node ** degree, 0);
      expect(Math.abs(found - exact)).toBeLessThan(1e-5 * 7 ** degree);
    }
  });

  it('ends early in an invariant subspace, and is exact', async () => {
    const inside = vectors[0]!.map((x, k) => x + vectors[7]![k]!);
    const { nodes, weights } = await lanczosQuadrature('test', times, Float32Array.from(inside), 8);
    expect(nodes.toSorted((a, b) => a - b)).toEqual([expect.closeTo(-4, 4), expect.closeTo(7, 4)]);
    expect(weights).toEqual([expect.closeTo(0.5, 5), expect.closeTo(0.5, 5)]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuses a product with an entry of %s, whatever the start has there',
    async (entry) => {
      const apply = async (v: Float32Array) => (await times(v)).fill(entry, 3, 4);
      for (const v of [start, Float32Array.from(start).fill(0, 3, 4)]) {
        await expect(lanczosQuadrature('test', apply, v, 3)).rejects.toThrow(
          /^test: a product with the Hessian is not finite\. /,
        );
      }
    },
  );
});

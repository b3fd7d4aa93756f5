import { describe, expect, it } from 'vitest';
import type { HessianProduct } from '../../src/core/Objective.ts';
import { type EigenpairsOptions, extremeEigenpairs } from '../../src/linalg/eigenpairs.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, dot } from '../../src/linalg/vector.ts';
import { orthonormal } from '../helpers/orthonormal.ts';

/** A symmetric matrix with the given spectrum and random eigenvectors, known by its products; counts them. */
function fromSpectrum(spectrum: number[], seed = 1) {
  const m = spectrum.length;
  const vectors = orthonormal(m, seed);
  let calls = 0;
  const apply = async (v: Float32Array): Promise<HessianProduct> => {
    calls++;
    const out = new Float64Array(m);
    vectors.forEach((q, j) => {
      addScaled(out, q, spectrum[j]! * dot(q, v));
    });
    return { product: Float32Array.from(out), projections: Float64Array.of(dot(vectors[0]!, v), v[0]!) };
  };
  return { apply, vectors, calls: () => calls };
}

const options = (dimension: number, more: Partial<EigenpairsOptions> = {}): EigenpairsOptions => ({
  who: 'test',
  dimension,
  count: 3,
  end: 'largest',
  tolerance: 1e-5,
  maxProducts: 500,
  start: [],
  known: [],
  seed: 0,
  ...more,
});

const spread = (m: number) => Array.from({ length: m }, (_, j) => 10 * 0.93 ** j);

describe('extremeEigenpairs', () => {
  it('finds the largest algebraic eigenvalues where the largest magnitudes are negative', async () => {
    const { apply, vectors } = fromSpectrum([5, 4, 3, ...spread(80).map((x) => -x)]);
    const { pairs, converged } = await extremeEigenpairs(apply, options(83));
    expect(converged).toBe(true);
    pairs.forEach(({ value, vector }, j) => {
      expect(value).toBeCloseTo(5 - j, 5);
      expect(Math.abs(dot(vector, vectors[j]!))).toBeCloseTo(1, 5);
    });
  });

  it('finds the smallest, rising', async () => {
    const { apply } = fromSpectrum([...spread(60), -1, -2, -7]);
    const { pairs } = await extremeEigenpairs(apply, options(63, { end: 'smallest' }));
    expect(pairs.map((p) => p.value)).toEqual([expect.closeTo(-7, 5), expect.closeTo(-2, 5), expect.closeTo(-1, 5)]);
  });

  it('reports residuals that bound the distance to a true eigenvalue, through several compressions of the basis', async () => {
    const spectrum = Array.from({ length: 300 }, (_, j) => 1 + j / 100);
    const { apply, calls } = fromSpectrum(spectrum);
    const { pairs, converged, products } = await extremeEigenpairs(apply, options(300, { tolerance: 1e-3, count: 2 }));
    expect(converged).toBe(true);
    expect(products).toBe(calls());
    expect(products).toBeGreaterThan(35);
    for (const { value, residual } of pairs) {
      const distance = Math.min(...spectrum.map((s) => Math.abs(s - value)));
      expect(distance).toBeLessThanOrEqual(residual * (1 + 1e-6));
    }
  });

  it('finds every copy of an eigenvalue as long as it looks for at least as many pairs', async () => {
    const { apply, vectors } = fromSpectrum([7, 7, 7, ...spread(50).map((x) => x / 2)]);
    const { pairs } = await extremeEigenpairs(apply, options(53));
    for (const { value, vector } of pairs) {
      expect(value).toBeCloseTo(7, 4);
      expect(vectors.slice(0, 3).reduce((sum, q) => sum + dot(q, vector) ** 2, 0)).toBeCloseTo(1, 5);
    }
    expect(Math.abs(dot(pairs[0]!.vector, pairs[1]!.vector))).toBeLessThan(1e-5);
  });

  it('needs fewer products when it begins from the eigenvectors of a nearby matrix', async () => {
    const { apply, vectors } = fromSpectrum(spread(200));
    const cold = await extremeEigenpairs(apply, options(200, { tolerance: 1e-3 }));
    const near = vectors.slice(0, 3).map((q) => {
      const v = Float32Array.from(q);
      addScaled(v, normals(generator(9), 200), 1e-4);
      return v;
    });
    const warm = await extremeEigenpairs(apply, options(200, { tolerance: 1e-3, start: near }));
    expect(warm.converged).toBe(true);
    expect(warm.products).toBeLessThan(cold.products / 2);
  });

  it('takes a known product for free and carries projections along', async () => {
    const { apply, vectors, calls } = fromSpectrum(spread(40));
    const vector = Float32Array.from(vectors[0]!, (q, k) => 3 * q + (k === 5 ? 0.1 : 0));
    const known = { vector, ...(await apply(vector)) };
    const before = calls();
    const { pairs, products } = await extremeEigenpairs(apply, options(40, { count: 1, known: [known] }));
    expect(calls() - before).toBe(products);
    const { vector: q, projections, product, value } = pairs[0]!;
    expect(projections![0]).toBeCloseTo(dot(vectors[0]!, q), 5);
    expect(projections![1]).toBeCloseTo(q[0]!, 5);
    product.forEach((x, k) => {
      expect(x).toBeCloseTo(value * q[k]!, 3);
    });
  });

  it('solves spaces as small as the number of pairs, and the zero matrix', async () => {
    const small = await extremeEigenpairs(fromSpectrum([2, -3]).apply, options(2, { count: 2 }));
    expect(small.pairs.map((p) => p.value)).toEqual([expect.closeTo(2, 6), expect.closeTo(-3, 6)]);
    const zero = await extremeEigenpairs(fromSpectrum(new Array(20).fill(0)).apply, options(20));
    expect(zero.converged).toBe(true);
    expect(zero.pairs.map((p) => p.value)).toEqual([0, 0, 0]);
  });

  it('says that it did not converge when products run out', async () => {
    const spectrum = Array.from({ length: 300 }, (_, j) => 1 + j / 1000);
    const { converged, products } = await extremeEigenpairs(
      fromSpectrum(spectrum).apply,
      options(300, { maxProducts: 10 }),
    );
    expect(converged).toBe(false);
    expect(products).toBe(10);
  });

  it('refuses a product that is not finite', async () => {
    const apply = async (v: Float32Array) => ({
      product: v.map((x, k) => (k === 3 ? Number.NaN : x)),
      projections: null,
    });
    await expect(extremeEigenpairs(apply, options(10))).rejects.toThrow(
      /test: a product with the Hessian is not finite/,
    );
  });
});

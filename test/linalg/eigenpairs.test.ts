import { describe, expect, it } from 'vitest';
import type { HessianProduct } from '../../src/core/Objective.ts';
import { type EigenpairsOptions, extremeEigenpairs } from '../../src/linalg/eigenpairs.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, dot } from '../../src/linalg/vector.ts';
import { orthonormal } from '../helpers/orthonormal.ts';

/** A symmetric matrix with the given spectrum and random eigenvectors, known by its products; counts them. */
function fromSpectrum(spectrum: number[], vectors = orthonormal(spectrum.length, 1)) {
  const m = spectrum.length;
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
  nearby: null,
  known: async () => [],
  seed: 0,
  ...more,
});

const spread = (m: number) => Array.from({ length: m }, (_, j) => 10 * 0.93 ** j);

/** Eigenvalues of 40 that cross on eigenvectors that stay, by `speed` a search. */
const crossings: Record<string, (at: number) => number[]> = {
  'that is remembered': (at) => [10 - at, 9, 7.5 + at, ...spread(37).map((x) => x / 4)],
  'that rises out of the bulk': (at) => [10, 6, 2 + 3 * at, ...spread(37).map((x) => x / 4)],
};

/** The longest time, in searches, for which the first pairs are wrong by more than 0.2 %; and the products a search. */
async function delay(spectrum: (at: number) => number[], speed: number, count: number, seed: number) {
  const vectors = orthonormal(40, seed);
  let warm = await extremeEigenpairs(fromSpectrum(spectrum(0), vectors).apply, options(40, { count, seed, tolerance }));
  let [late, longest, products] = [0, 0, 0];
  const searches = 3 / speed + 12;
  for (let t = 1; t <= searches; t++) {
    const now = spectrum(Math.min(3, t * speed));
    const { apply } = fromSpectrum(now, vectors);
    warm = await extremeEigenpairs(apply, options(40, { count, seed, tolerance, nearby: warm.model }));
    const expected = now.toSorted((a, b) => b - a);
    const isWrong = warm.pairs.some(({ value }, j) => Math.abs(value - expected[j]!) > 2e-3 * expected[0]!);
    late = isWrong ? late + 1 : 0;
    longest = Math.max(longest, late);
    products += warm.products;
  }
  return { longest, products: products / searches };
}
const tolerance = 1e-3;

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

  it('needs few products near a matrix that it has searched, and finds the pairs of the new one', async () => {
    const [m, count] = [200, 3];
    const { apply } = fromSpectrum(spread(m));
    // A drift of rank four: 30 times the tolerance a step.
    const drift = Array.from({ length: 4 }, (_, k) => normals(generator(40 + k), m).map((x) => x / Math.sqrt(m)));
    const drifted = (t: number) => async (v: Float32Array) => {
      const { product, projections } = await apply(v);
      drift.forEach((d, k) => {
        addScaled(product, d, 0.3 * t * (k - 1.5) * dot(d, v));
      });
      return { product, projections };
    };
    const settings = { count, tolerance: 1e-3 };
    let warm = await extremeEigenpairs(apply, options(m, settings));
    const products: number[] = [];
    for (let t = 1; t <= 10; t++) {
      const cold = await extremeEigenpairs(drifted(t), options(m, settings));
      warm = await extremeEigenpairs(drifted(t), options(m, { ...settings, nearby: warm.model }));
      expect(warm.converged).toBe(true);
      warm.pairs.forEach(({ value }, j) => {
        expect(Math.abs(value - cold.pairs[j]!.value)).toBeLessThan(1e-3 * cold.pairs[0]!.value);
      });
      expect(warm.products).toBeLessThan(cold.products);
      products.push(warm.products);
    }
    expect(products.sort((a, b) => a - b)[5]).toBeLessThanOrEqual(2 * count + 1);
  });

  it('needs one product beside those of the pairs where nothing has changed, also of the smallest', async () => {
    for (const end of ['largest', 'smallest'] as const) {
      const { apply } = fromSpectrum([...spread(60), -1, -2, -7]);
      const cold = await extremeEigenpairs(apply, options(63, { end, tolerance: 1e-4 }));
      let warm = cold;
      // Until it is sure that nothing moves.
      for (let t = 0; t < 12; t++) {
        warm = await extremeEigenpairs(apply, options(63, { end, tolerance: 1e-3, nearby: warm.model }));
      }
      expect(warm.products).toBe(4);
      expect(warm.pairs.map((p) => p.value)).toEqual(cold.pairs.map((p) => expect.closeTo(p.value, 3)));
    }
  });

  for (const [which, most, share] of [
    ['that is remembered', 4, 0.25],
    ['that rises out of the bulk', 9, 1],
  ] as const) {
    it(`sees soon an eigenvalue overtake ${which} and whose eigenvector does not turn, whatever the seed`, async () => {
      for (const count of [1, 2]) {
        const found = [];
        for (let seed = 0; seed < 40; seed++) found.push(await delay(crossings[which]!, 0.2, count, seed));
        const delays = found.map(({ longest }) => longest);
        expect(Math.max(...delays)).toBeLessThanOrEqual(most);
        expect(delays.filter((late) => late > 0).length / 40).toBeLessThanOrEqual(share);
        expect(Math.max(...found.map(({ products }) => products))).toBeLessThan(count + 2.5);
      }
    }, 120_000);
  }

  it('scouts by its seed and number alone: the same search again gives the same bits', async () => {
    const { apply } = fromSpectrum(crossings['that is remembered']!(1.4));
    const cold = await extremeEigenpairs(
      fromSpectrum(crossings['that is remembered']!(0)).apply,
      options(40, { count: 1 }),
    );
    const again = () => extremeEigenpairs(apply, options(40, { count: 1, nearby: cold.model }));
    const { token: _, ...first } = await again();
    const { token: __, ...second } = await again();
    expect(second).toEqual(first);
    const other = await extremeEigenpairs(apply, options(40, { count: 1, seed: 7, nearby: cold.model }));
    expect(other.model.scout).not.toEqual(first.model.scout);
  });

  it('begins from remembered vectors where more pairs are wanted than before', async () => {
    const { apply } = fromSpectrum(spread(80));
    const cold = await extremeEigenpairs(apply, options(80, { count: 2, tolerance: 1e-3 }));
    const anew = await extremeEigenpairs(apply, options(80, { count: 4, tolerance: 1e-3 }));
    const more = await extremeEigenpairs(apply, options(80, { count: 4, tolerance: 1e-3, nearby: cold.model }));
    expect(more.converged).toBe(true);
    expect(more.products).toBeLessThan(anew.products);
  });

  it('takes a known product for free and carries projections along', async () => {
    const { apply, vectors, calls } = fromSpectrum(spread(40));
    const vector = Float32Array.from(vectors[0]!, (q, k) => 3 * q + (k === 5 ? 0.1 : 0));
    const known = { vector, ...(await apply(vector)) };
    const before = calls();
    const { pairs, products } = await extremeEigenpairs(apply, options(40, { count: 1, known: async () => [known] }));
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

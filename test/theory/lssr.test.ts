import { describe, expect, it } from 'vitest';
import { concentrationOfBatch, type LssrOptions, lssr } from '../../src/theory/lssr.ts';

/** The paper's Figure 5: n = 8k, ρ = 2⁻⁷. */
const figure5: LssrOptions = {
  n: 8192,
  rho: 2 ** -7,
  batchSize: 1,
  learningRate: 0.001,
  batchSizes: [1, 2, 4, 128, 1024, 8192],
};

describe('lssr', () => {
  it('is linear far below the knee and constant far above it', () => {
    const { rates, knee } = lssr(figure5);
    const [one, two, , , nearly, full] = rates;
    expect(two!.lssr / one!.lssr).toBeCloseTo(2, 1);
    expect(full!.lssr / nearly!.lssr).toBeLessThan(1.2);
    expect(full!.lssr / one!.lssr).toBeCloseTo(128, 6);
    expect(knee).toBeGreaterThan(120);
    expect(knee).toBeLessThan(130);
  });

  it('has an interval where the error of ρ leaves no lower end: down to the linear rule with γ', () => {
    const unsure = lssr({
      n: 1000,
      rho: 0.01,
      rhoStandardError: 0.006,
      batchSize: 10,
      learningRate: 0.1,
      batchSizes: [1, 10, 100],
    });
    const [less, same, more] = unsure.rates.map(({ interval }) => interval);
    const gamma = (b: number) => (1000 - b) / 999;
    expect(more![1]).toBeCloseTo((0.1 * 100 * gamma(10)) / (10 * gamma(100)), 12);
    expect(more![0]).toBeLessThan(more![1]);
    expect(less![0]).toBeCloseTo((0.1 * gamma(10)) / (10 * gamma(1)), 12);
    expect(same).toEqual([0.1, 0.1]);
    const tiny = lssr({ ...figure5, rho: 1e-310 });
    expect(tiny.rates.every((rate) => Number.isFinite(rate.lssr))).toBe(true);
    expect(tiny.knee).toBe(8192);
  });

  it('keeps ρ_b/η, where the linear rule keeps b/η and the square root rule √b/η', () => {
    for (const { batchSize: b, rho, lssr: eta, lsr, srsr } of lssr(figure5).rates) {
      expect(rho / eta).toBeCloseTo(2 ** -7 / 0.001, 9);
      expect(b / lsr).toBeCloseTo(1 / 0.001, 9);
      expect(Math.sqrt(b) / srsr).toBeCloseTo(1 / 0.001, 9);
    }
  });

  it.each([false, true])(
    'has its knee where both parts of the denominator of ρ_b are equal (with replacement: %s)',
    (replacement) => {
      const { knee } = lssr({ ...figure5, replacement });
      // At the knee (γ/b)/ρ = 1 − γ/b, so 1/ρ_b is twice either.
      const gamma = replacement ? 1 : (8192 - knee) / 8191;
      expect(gamma / knee / 2 ** -7).toBeCloseTo(1 - gamma / knee, 9);
      expect(concentrationOfBatch(8192, knee, 2 ** -7, replacement)).toBeCloseTo(1 / (2 * (1 - gamma / knee)), 9);
    },
  );

  it('widens with the error of ρ and holds the value in its interval', () => {
    const width = (error: number) => {
      const [rate] = lssr({ ...figure5, rhoStandardError: error, batchSizes: [512] }).rates;
      expect(rate!.interval[0]).toBeLessThanOrEqual(rate!.lssr);
      expect(rate!.interval[1]).toBeGreaterThanOrEqual(rate!.lssr);
      return rate!.interval[1] - rate!.interval[0];
    };
    expect(width(0)).toBe(0);
    expect(width(0.002)).toBeGreaterThan(width(0.001));
  });

  it.each([false, true])('has its limit at ρ = 0 (replacement: %s)', (replacement) => {
    const given = { ...figure5, replacement, batchSizes: [1, 128, 4096] };
    const [atZero, near] = [0, 1e-12].map((rho) => lssr({ ...given, rho }));
    expect(atZero!.knee).toBe(replacement ? Number.POSITIVE_INFINITY : given.n);
    atZero!.rates.forEach((rate, k) => {
      expect(rate.rho).toBe(0);
      expect(rate.lssr / near!.rates[k]!.lssr).toBeCloseTo(1, 6);
    });
  });

  it.each<[Partial<LssrOptions>, RegExp]>([
    [{ rho: -0.1 }, /^lssr: rho is -0\.1\./],
    [{ rho: 1.5 }, /^lssr: rho is 1\.5\. It is a share of at most 1\./],
    [{ learningRate: Number.NaN }, /^lssr: learningRate is NaN\./],
    [{ batchSize: 0 }, /^lssr: batchSize is 0\./],
    [{ batchSizes: [1, 9000] }, /^lssr: batchSizes\[1\] is 9000, but there are only 8192 examples\./],
    [{ n: 1.5 }, /^lssr: n is 1\.5\./],
    [{ rhoStandardError: -1 }, /^lssr: rhoStandardError is -1\./],
  ])('refuses %o', (wrong, message) => {
    expect(() => lssr({ ...figure5, ...wrong })).toThrow(message);
  });
});

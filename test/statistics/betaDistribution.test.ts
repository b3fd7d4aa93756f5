import { expect, it } from 'vitest';
import { betaCumulative, betaQuantile } from '../../src/statistics/betaDistribution.ts';
import { studentQuantile } from '../../src/statistics/studentQuantile.ts';

it("Student's quantiles are those of the tables", () => {
  const table = [
    [0.95, 1, 12.706204736432095],
    [0.95, 2, 4.302652729696142],
    [0.95, 3, 3.182446305284263],
    [0.95, 5, 2.5705818366147395],
    [0.95, 10, 2.2281388519649385],
    [0.95, 30, 2.0422724563012373],
    [0.95, 120, 1.9799304050824413],
    [0.95, 1e6, 1.9599663568],
    [0.99, 4, 4.604094871415897],
    [0.5, 1, 1],
  ] as const;
  for (const [level, freedom, t] of table) expect(studentQuantile(level, freedom) / t).toBeCloseTo(1, 9);
});

it('the beta distribution is exact where it has a closed form', () => {
  for (const x of [0.001, 0.2, 0.5, 0.77, 0.999]) {
    expect(betaCumulative(x, 1, 1)).toBeCloseTo(x, 13);
    expect(betaCumulative(x, 3, 1)).toBeCloseTo(x ** 3, 13);
    expect(betaCumulative(x, 1, 4)).toBeCloseTo(1 - (1 - x) ** 4, 13);
    expect(betaCumulative(x, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 13);
    // P(X ≥ 3) of 5 draws with probability x.
    const binomial = 10 * x ** 3 * (1 - x) ** 2 + 5 * x ** 4 * (1 - x) + x ** 5;
    expect(betaCumulative(x, 3, 3)).toBeCloseTo(binomial, 13);
  }
  expect([betaCumulative(0, 2, 3), betaCumulative(1, 2, 3)]).toEqual([0, 1]);
});

it('its quantiles undo it', () => {
  for (const [a, b] of [
    [0.5, 2],
    [10, 91],
    [250.5, 0.7],
    [3e4, 2e4],
  ] as const) {
    for (const p of [0.025, 0.5, 0.975]) expect(betaCumulative(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 9);
  }
  // Clopper and Pearson's interval of 10 of 100.
  expect(betaQuantile(0.025, 10, 91)).toBeCloseTo(0.0490047, 6);
  expect(betaQuantile(0.975, 11, 90)).toBeCloseTo(0.1762226, 6);
});

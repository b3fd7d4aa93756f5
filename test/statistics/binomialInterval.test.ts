import { expect, it } from 'vitest';
import { binomialInterval } from '../../src/statistics/binomialInterval.ts';

it('has the ends of the tables', () => {
  for (const [count, trials, low, high] of [
    [0, 10, 0, 0.30849710781876083],
    [3, 10, 0.06673951117773447, 0.6524528500599972],
    [10, 10, 0.6915028921812392, 1],
    [1, 1, 0.025, 1],
  ] as const) {
    const estimate = binomialInterval(count, trials);
    expect(estimate).toMatchObject({ value: count / trials, size: trials, effectiveSize: trials });
    expect(estimate.low).toBeCloseTo(low, 9);
    expect(estimate.high).toBeCloseTo(high, 9);
  }
});

it('refuses what is no part of the trials', () => {
  expect(() => binomialInterval(3, 2)).toThrow('binomialInterval: count is 3, of 2 trials.');
  expect(() => binomialInterval(0.5, 2)).toThrow('count is 0.5');
  expect(() => binomialInterval(0, 0)).toThrow('trials is 0');
});

import { describe, expect, it } from 'vitest';
import { learningRates, type Schedule } from '../../src/training/schedule.ts';

const ratesOf = (given: number | Schedule, T: number) => {
  const { at } = learningRates('me', given, T);
  return Array.from({ length: T + 1 }, (_, t) => at(t));
};

describe('learning rates', () => {
  it('are constant, with a warm-up that ends at the rate', () => {
    expect(ratesOf(0.2, 3)).toEqual([0.2, 0.2, 0.2, 0.2]);
    const warm = ratesOf({ schedule: 'constant', rate: 1, warmup: 3 }, 5);
    expect(warm).toEqual([1 / 4, 2 / 4, 3 / 4, 1, 1, 1]);
  });

  it('fall by a factor at steps', () => {
    const rates = ratesOf({ schedule: 'steps', rate: 8, at: [2, 4], factor: 0.5 }, 6);
    expect(rates).toEqual([8, 8, 4, 4, 2, 2, 2]);
  });

  it('fall along half a cosine, from the rate to the end, and stay there', () => {
    const rates = ratesOf({ schedule: 'cosine', rate: 3, end: 1, over: 4 }, 7);
    const wave = [0, 1, 2, 3, 4].map((t) => 1 + 1 + Math.cos((Math.PI * t) / 4));
    rates.forEach((rate, t) => {
      expect(rate).toBeCloseTo(wave[Math.min(t, 4)]!, 12);
    });
    // The step arrived at has the rate of the last update, which is not 0.
    const zero = ratesOf({ schedule: 'cosine', rate: 3 }, 4);
    expect(zero[4]).toBe(zero[3]);
    expect(zero[3]).toBeCloseTo((3 * (1 + Math.cos((3 * Math.PI) / 4))) / 2, 12);
  });

  it('say all that makes them again, whatever the length of the run', () => {
    const { metadata } = learningRates('me', { schedule: 'cosine', rate: 0.5, warmup: 2, end: 0.1 }, 10);
    expect(metadata).toEqual({ schedule: 'cosine', rate: 0.5, warmup: 2, end: 0.1, over: 10 });
    const again = learningRates('me', metadata as unknown as Schedule, 30);
    const first = learningRates('me', { schedule: 'cosine', rate: 0.5, warmup: 2, end: 0.1 }, 10);
    for (let t = 0; t < 10; t++) expect(again.at(t)).toBe(first.at(t));
    expect(JSON.parse(JSON.stringify(metadata))).toEqual(metadata);
  });

  it.each([
    [{ schedule: 'cosin', rate: 1 }, "learningRate.schedule is 'cosin'. It must be one of constant, steps, cosine"],
    [{ schedule: 'constant', rate: 0 }, 'learningRate.rate is 0'],
    [{ schedule: 'constant', rate: 1, warmup: 0.5 }, 'learningRate.warmup is 0.5'],
    [{ schedule: 'constant', rate: 1, end: 0 }, "there is no option 'end'"],
    [{ schedule: 'steps', rate: 1, at: [3, 3] }, 'learningRate.at[1] is 3'],
    [{ schedule: 'steps', rate: 1, at: 3 }, 'learningRate.at is 3. It must be a list'],
    [{ schedule: 'steps', rate: 1, at: [3], factor: 0 }, 'learningRate.factor is 0'],
    [{ schedule: 'cosine', rate: 1, end: -1 }, 'learningRate.end is -1'],
    [{ schedule: 'cosine', rate: 1, over: 5 }, 'the learning rate is 0 from step 5 on, and there are to be 9'],
    [Number.NaN, 'learningRate is NaN'],
    [null, 'learningRate is null'],
    ['0.1', "learningRate is '0.1'"],
  ])('refuse %j', (given, message) => {
    expect(() => learningRates('me', given as Schedule, 9)).toThrow(`me: ${message}`);
  });
});

import { describe, expect, it } from 'vitest';
import { lssr } from '../../src/theory/lssr.ts';
import { rhoFromPairs, type TunedPair } from '../../src/theory/rhoFromPairs.ts';

const pair = (batchSize: number, learningRate: number): TunedPair => ({ batchSize, learningRate });

describe('rhoFromPairs', () => {
  it.each([
    [8192, 2 ** -7, 1, 1024, false],
    [8192, 0.3, 64, 8192, false],
    [256, 0.02, 4, 256, true],
    [100, 1, 3, 50, false],
  ])('is the rule inverted: n = %d, ρ = %d, b = %d and %d, replacement %s', (n, rho, small, large, replacement) => {
    const rate = (batchSize: number) => {
      const { rates } = lssr({ n, rho, batchSize: small, learningRate: 0.1, batchSizes: [batchSize], replacement });
      return pair(batchSize, rates[0]!.lssr);
    };
    expect(rhoFromPairs([rate(small), rate(large)], n, { replacement })).toBeCloseTo(rho, 9);
    expect(rhoFromPairs([rate(large), rate(small)], n, { replacement })).toBeCloseTo(rho, 9);
  });

  it('finds in rates that were tuned on digits what was measured along such runs, about .02', () => {
    for (const large of [pair(64, 0.39), pair(128, 0.61), pair(256, 0.73)]) {
      const rho = rhoFromPairs([pair(4, 0.054), large], 256);
      expect(rho).toBeGreaterThan(0.01);
      expect(rho).toBeLessThan(0.03);
    }
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'a rate that falls with b',
      () => rhoFromPairs([pair(4, 0.1), pair(16, 0.09)], 100),
      /factor of 0\.9000, and no ρ in \(0, 1\] goes/,
    ],
    [
      'one that rises more than the linear rule',
      () => rhoFromPairs([pair(4, 0.1), pair(16, 0.5)], 100),
      /factor of 5\.000, .* 4\.571 as ρ → 0/,
    ],
    [
      'one that rises just as it',
      () => rhoFromPairs([pair(4, 1), pair(16, 4)], 100, { replacement: true }),
      /Take a larger b/,
    ],
    ['one b twice', () => rhoFromPairs([pair(4, 0.1), pair(4, 0.2)], 100), /^rhoFromPairs: both pairs have b = 4\./],
    [
      'three pairs',
      () => rhoFromPairs([pair(4, 1), pair(8, 1), pair(9, 1)] as never, 100),
      /^rhoFromPairs: there are 3 pairs\./,
    ],
    [
      'more examples than there are',
      () => rhoFromPairs([pair(4, 1), pair(101, 2)], 100),
      /pairs\[1\]\.batchSize is 101, but there are only 100/,
    ],
    ['a rate of 0', () => rhoFromPairs([pair(4, 0), pair(8, 1)], 100), /pairs\[0\]\.learningRate is 0\./],
    [
      'an unknown option',
      () => rhoFromPairs([pair(4, 1), pair(8, 1)], 100, { n: 5 } as never),
      /there is no option 'n'/,
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

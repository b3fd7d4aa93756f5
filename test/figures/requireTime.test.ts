import { describe, expect, it } from 'vitest';
import { requireTime } from '../../src/figures/requireTime.ts';
import { gradientDescent, leastSquares } from '../../src/index.ts';

/** What a run of 1000 steps that costs 10^12 gradients would take, from a step on. */
async function hoursLeft(from: number | null): Promise<number> {
  const objective = leastSquares({
    X: [
      [1, 0],
      [0, 2],
    ],
    y: [1, 1],
  });
  const plan = {
    name: 'long',
    steps: () => gradientDescent(objective, { learningRate: 0.1, steps: 1000, initialWeights: [0, 0] }),
    branches: {},
    parameters: {},
    work: { gradients: 1e12, products: 0 },
  };
  const said: string[] = [];
  await requireTime('it', [{ plan, seed: 0, from }], Number.POSITIVE_INFINITY, (line) => said.push(line));
  return Number(/about (\S+) hours/.exec(said[0]!)![1]);
}

describe('requireTime', () => {
  it('counts what is left of a run that goes on', async () => {
    // A single call is timed: the machine's noise is far below the factor of 500.
    const [whole, rest] = [await hoursLeft(null), await hoursLeft(998)];
    expect(rest).toBeLessThan(whole / 20);
    expect(rest).toBeGreaterThan(0);
  });
});

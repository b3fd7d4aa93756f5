import { describe, expect, it } from 'vitest';
import { bestLearningRates } from '../../src/theory/bestLearningRates.ts';

const run = (batchSize: number, learningRate: number, score: number) => ({ batchSize, learningRate, score });

describe('bestLearningRates', () => {
  it('is the mean of log η with weights exp(Δscore/alike), for each b in order', () => {
    const runs = [run(8, 0.1, 0.5), run(4, 0.1, 0.7), run(4, 0.2, 0.704), run(4, 0.4, 0.1), run(8, 0.4, 0.5)];
    const [four, eight] = bestLearningRates(runs, { alike: 0.004 });
    const w = Math.exp(-1);
    expect(four!.batchSize).toBe(4);
    expect(Math.log(four!.learningRate)).toBeCloseTo((w * Math.log(0.1) + Math.log(0.2)) / (w + 1), 12);
    expect(four!.score).toBe(0.704);
    expect(eight).toMatchObject({ batchSize: 8, score: 0.5 });
    expect(eight!.learningRate).toBeCloseTo(0.2, 12);
  });

  it('takes the mean score of seeds, leaves out what diverged with one of them, and batch sizes with nothing else', () => {
    const runs = [
      run(4, 0.1, 0.6),
      run(4, 0.1, 0.8),
      run(4, 0.2, 0.9),
      run(4, 0.2, Number.NaN),
      run(8, 0.1, Number.NaN),
    ];
    const best = bestLearningRates(runs);
    expect(best).toHaveLength(1);
    expect(best[0]!.learningRate).toBeCloseTo(0.1, 12);
    expect(best[0]!.score).toBeCloseTo(0.7, 12);
  });

  it('refuses what is no number, with the run', () => {
    expect(() => bestLearningRates([run(0, 0.1, 1)])).toThrow(
      'the batch size of run 0 is 0. It must be a finite number above 0',
    );
    expect(() => bestLearningRates([run(4, 0.1, 1), run(4, -1, 1)])).toThrow('the learning rate of run 1 is -1');
    expect(() => bestLearningRates([run(4, 0.1, '0.9' as never)])).toThrow(
      "the score of run 0 is '0.9'. It must be a number",
    );
    expect(() => bestLearningRates([], { alike: 0 })).toThrow('alike is 0');
  });
});

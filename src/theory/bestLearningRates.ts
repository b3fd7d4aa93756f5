import { BrinkError, requireNumber } from '../core/errors.ts';
import { requireList, requireOptions } from '../core/given.ts';
import { shown } from '../core/shown.ts';

/** A run of a grid over batch size and learning rate, and how good it was. */
export interface TunedRun {
  readonly batchSize: number;
  readonly learningRate: number;
  /** The higher the better: accuracy on test data. NaN where training diverged. */
  readonly score: number;
}

/** The best learning rate for a batch size. */
export interface BestLearningRate {
  readonly batchSize: number;
  readonly learningRate: number;
  /** The highest score there. */
  readonly score: number;
}

const WHO = 'bestLearningRates';

/**
 * The best learning rate η*(b) for every batch size of a grid, smoothed over scores that are alike.
 *
 *     log η*(b) = Σ_η w_η log η/Σ_η w_η, w_η = exp((s_{b,η} − max_η s_{b,η})/alike),
 *
 * s the score, of several runs with one b and η (seeds) their mean. The largest score alone jumps between neighbours of
 * the grid that chance tells apart.
 *
 * It does not prove that a better one does not lie beyond the grid: where the best is at its end, the grid is too
 * small.
 *
 * Cost: none.
 *
 * @param runs Batch size, learning rate and score of each; with NaN for those that diverged, which have no weight.
 * @param options `alike`: scores that differ by so little are alike; 0.004 for accuracies on about a thousand images.
 * @returns In the order of b; without batch sizes of which no run has a score.
 * @throws BrinkError for a batch size or learning rate that is no number above 0, or a score that is no number.
 * @example
 * import { bestLearningRates } from 'brink';
 *
 * const runs = [0.1, 0.2, 0.4, 0.8].map((learningRate, k) => ({
 *   ...{ batchSize: 32, learningRate, score: [0.7, 0.79, 0.79, 0.6][k]! },
 * }));
 * console.log(bestLearningRates(runs)[0]!.learningRate.toFixed(2)); // 0.28
 * @see lssr
 */
export function bestLearningRates(
  runs: readonly TunedRun[],
  options: { readonly alike?: number } = {},
): BestLearningRate[] {
  requireList(WHO, 'runs', runs);
  requireOptions(WHO, options, ['alike'], '{ alike: 0.004 }');
  const { alike = 0.004 } = options;
  requireNumber(WHO, 'alike', alike, 0);
  for (const [k, { batchSize, learningRate, score }] of runs.entries()) {
    requireNumber(WHO, `the batch size of run ${k}`, batchSize, 0);
    requireNumber(WHO, `the learning rate of run ${k}`, learningRate, 0);
    if (typeof score !== 'number')
      throw new BrinkError(WHO, `the score of run ${k} is ${shown(score)}. It must be a number.`);
  }
  const byBatch = Map.groupBy(runs, ({ batchSize }) => batchSize);
  return [...byBatch]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([batchSize, ofBatch]) => {
      const rates = [...Map.groupBy(ofBatch, ({ learningRate }) => learningRate)].flatMap(([learningRate, same]) => {
        // One seed that diverges is enough.
        const score = same.reduce((sum, run) => sum + run.score / same.length, 0);
        return Number.isFinite(score) ? [{ learningRate, score }] : [];
      });
      if (rates.length === 0) return [];
      const most = Math.max(...rates.map(({ score }) => score));
      const weights = rates.map(({ score }) => Math.exp((score - most) / alike));
      const total = weights.reduce((sum, w) => sum + w, 0);
      const log = rates.reduce((sum, { learningRate }, k) => sum + (weights[k]! / total) * Math.log(learningRate), 0);
      return [{ batchSize, learningRate: Math.exp(log), score: most }];
    });
}

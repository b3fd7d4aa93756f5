import { lastValueFrom, merge, type Observable, type OperatorFunction, of, share, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { alignment } from '../../src/probes/alignment.ts';
import { batchSharpness } from '../../src/probes/batchSharpness.ts';
import { edge } from '../../src/probes/edge.ts';
import { expectedLossChange } from '../../src/probes/expectedLossChange.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { hessianTrace } from '../../src/probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { lossSlice } from '../../src/probes/lossSlice.ts';
import { resultantLength } from '../../src/probes/resultantLength.ts';
import { scalingRule } from '../../src/probes/scalingRule.ts';
import { theoremOne } from '../../src/probes/theoremOne.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';

/** The rows of several probes on one training run of three steps. */
async function together<P extends ((steps: Observable<Step>) => Observable<unknown>)[]>(
  steps: Observable<Step>,
  ...probes: P
) {
  const shared = steps.pipe(share());
  return lastValueFrom(merge(...probes.map((probe) => shared.pipe(probe))).pipe(toArray()));
}

it('full-batch training gives its gradient and its loss to the probes', async () => {
  const objective = regression();
  await together(
    gradientDescent(objective, { learningRate: 0.1, steps: 5 }),
    trainingLoss(),
    interactionAwareSharpness(),
  );
  expect(objective.cost).toEqual({ gradients: 6, products: 6, forwards: 0 });
});

it('the full set of probes at a step costs the sum of its distinct needs', async () => {
  const [n, b, K, steps] = [12, 4, 16, 2];
  const objective = regression(n);
  const sgd = gradientDescent(objective, { learningRate: 0.05, steps, batchSize: b });
  const [batchSizes, count] = [[1, 2, 4, 8, 12], 3];
  const rows = await together(
    sgd,
    topEigenvalues({ count }),
    alignment({ count }),
    interactionAwareSharpness({ batchSizes }),
    gradientConcentration({ batchSizes }),
    scalingRule({ batchSizes }),
    edge(),
    hessianTrace(),
    lossSlice(),
    trainingLoss(),
  );
  const search = rows.reduce<number>((sum, row) => sum + ((row as { products?: number }).products ?? 0), 0);
  const points = steps + 1;
  // Once a step: the search, H∇L (a part of the first search), the sign draws, the traces' draws, the slice; batch
  // sharpness on K batches of b.
  expect(objective.cost.products).toBeCloseTo(search - 1 + points * (1 + K + K + 5 + (K * b) / n), 9);
  // The full gradient, the norms, the sign draws, batch sharpness, and the batch that training takes.
  expect(objective.cost.gradients).toBeCloseTo(points * (2 + K + (K * b) / n + b / n), 9);
  // The slice: 13 quarters, of which the directional ones are five.
  expect(objective.cost.forwards).toBe(points * 13);
});

it('a probe gives the same rows alone and beside others', async () => {
  const run = (...probes: ((s: Observable<Step>) => Observable<unknown>)[]) =>
    together(gradientDescent(regression(), { learningRate: 0.1, steps: 6 }), ...probes);
  const eigen = topEigenvalues({ count: 3, tolerance: 1e-2 });
  const alone = await run(eigen);
  const beside = await run(interactionAwareSharpness({ batchSizes: [1, 3], tolerance: 1e-2 }), alignment(), eigen);
  expect(beside.filter((row) => 'eigenvalues' in (row as object))).toEqual(alone);
});

describe('the batches that probes sample at one step', () => {
  const [n, b, K] = [12, 4, 8];
  const same = { batchSizes: [b], draws: K, seed: 5 };
  const FIVE: Record<string, OperatorFunction<Step, object>> = {
    batchSharpness: batchSharpness(same),
    expectedLossChange: expectedLossChange(same),
    gradientConcentration: gradientConcentration({ ...same, estimator: 'batches' }),
    interactionAwareSharpness: interactionAwareSharpness({ ...same, estimator: 'batches' }),
    resultantLength: resultantLength(same),
  };
  const theorem = theoremOne({ ...same, signDraws: 4 });
  const costOf = async (...probes: OperatorFunction<Step, object>[]) => {
    const objective = regression(n);
    const step = stepAt(objective.initialWeights(2), { index: 3, batchSize: b }, { objective });
    const rows = await together(of(step), ...probes);
    return { cost: { ...objective.cost }, rows };
  };

  it('are the same for all that ask for as many with one seed, and each gradient is computed once', async () => {
    const { cost } = await costOf(...Object.values(FIVE));
    // ∇L and K batch gradients; H∇L, Hg_ξ for each, H_ξg_ξ of a share b/n each; the next losses of expectedLossChange.
    expect(cost.gradients).toBeCloseTo(1 + (K * b) / n, 9);
    expect(cost.products).toBeCloseTo(1 + K + (K * b) / n, 9);
    expect(cost.forwards).toBe(K);
    const alone = await costOf(theorem);
    const all = await costOf(...Object.values(FIVE), theorem);
    // Theorem 1 adds its eigenpairs and signs, but no batch, no next loss, no ∇L and no H∇L.
    expect(all.cost.gradients).toBeCloseTo(cost.gradients + alone.cost.gradients - 1 - (K * b) / n, 9);
    expect(all.cost.products).toBeCloseTo(cost.products + alone.cost.products - 1, 9);
    expect(all.cost.forwards).toBe(K);
    // And the glance with as many draws, of the batch size of the run: H_ξg_ξ of batchSharpness are there.
    const seen = await costOf(batchSharpness(same), edge({ draws: K, seed: 5 }));
    const glance = await costOf(edge({ draws: K, seed: 5 }));
    expect(seen.cost.gradients).toBeCloseTo(glance.cost.gradients, 9);
    expect(seen.cost.products).toBeCloseTo(glance.cost.products, 9);
  });

  it('leave to expectedLossChange what the examples give of tr(HS_b) when the sharpness is there', async () => {
    const how = { ...same, estimator: 'examples', deflate: 2 } as const;
    const change = await costOf(expectedLossChange(how));
    const sharpness = await costOf(interactionAwareSharpness(how));
    const both = await costOf(expectedLossChange(how), interactionAwareSharpness(how));
    // The batches, and what they are asked.
    expect(change.cost.products).toBe(sharpness.cost.products + K);
    expect(both.cost).toEqual(change.cost);
  });

  it('are the first of those of one that asks for more', async () => {
    const few = expectedLossChange({ ...same, draws: 3 });
    const many = interactionAwareSharpness({ ...same, estimator: 'batches' });
    for (const probes of [
      [few, many],
      [many, few],
    ]) {
      const { cost } = await costOf(...(probes as OperatorFunction<Step, object>[]));
      expect(cost.gradients).toBeCloseTo(1 + (K * b) / n, 9);
      expect(cost.products).toBe(1 + K);
      expect(cost.forwards).toBe(3);
    }
  });

  it.each(Object.entries({ ...FIVE, theoremOne: theorem }))(
    'leave the rows of %s as they are alone',
    async (_, probe) => {
      const alone = await costOf(probe);
      const others = Object.values(FIVE).filter((other) => other !== probe);
      const { rows } = await costOf(...others, theorem, probe);
      expect(rows).toEqual(expect.arrayContaining(alone.rows));
    },
  );

  it.each<[string, object]>([
    ['seed', { seed: 6 }],
    ['batch size', { batchSizes: [3] }],
    ['replacement', { replacement: true }],
  ])('are others where the %s is another', async (_, other) => {
    const size = 'batchSizes' in other ? 3 : b;
    const { cost } = await costOf(resultantLength(same), resultantLength({ ...same, ...other }));
    expect(cost.gradients).toBeCloseTo((K * (b + size)) / n, 9);
  });

  it('are among those of a probe that draws more of them', async () => {
    const { cost } = await costOf(resultantLength(same), resultantLength({ ...same, draws: 2 * K }));
    expect(cost.gradients).toBeCloseTo((2 * K * b) / n, 9);
  });
});

it('an objective remembers one θ: the newest', async () => {
  const objective = regression();
  const [a, other] = [objective.initialWeights(1), objective.initialWeights(2)];
  const first = objective.at(a);
  expect(objective.at(a)).toBe(first);
  await first.gradient();
  await objective.at(a).gradient();
  expect(objective.cost.gradients).toBe(1);
  await objective.at(other).gradient();
  expect(objective.at(a)).not.toBe(first);
  await objective.at(a).gradient();
  expect(objective.cost.gradients).toBe(3);
});

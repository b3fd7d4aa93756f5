import { lastValueFrom, merge, type Observable, share, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { alignment } from '../../src/probes/alignment.ts';
import { edge } from '../../src/probes/edge.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { hessianTrace } from '../../src/probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { lossSlice } from '../../src/probes/lossSlice.ts';
import { scalingRule } from '../../src/probes/scalingRule.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

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
  // Once a step: the search, H∇L (a part of the first search), the sign draws, the traces' draws, the slice; batch sharpness on K batches of b.
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

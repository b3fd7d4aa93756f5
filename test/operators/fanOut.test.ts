import { lastValueFrom, tap, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { fanOut } from '../../src/operators/fanOut.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { topEigenvalues, trainingLoss } from '../../src/probes/index.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

it('sends every step through all branches, with one subscription, and says which a value is of', async () => {
  const objective = regression();
  let begun = 0;
  const steps = gradientDescent(objective, { learningRate: 0.1, steps: 4 }).pipe(
    tap({
      subscribe: () => {
        begun++;
      },
    }),
  );
  const branches = fanOut({
    loss: (s) => s.pipe(trainingLoss()),
    eigenvalues: (s) => s.pipe(throttleSteps(2), topEigenvalues({ count: 2 })),
  });
  const all = await lastValueFrom(steps.pipe(branches, toArray()));
  const losses = all.flatMap((one) => (one.branch === 'loss' ? [one.value.loss] : []));
  const sharpest = all.flatMap((one) => (one.branch === 'eigenvalues' ? [one.value.eigenvalues.length] : []));
  expect(begun).toBe(1);
  expect(losses).toHaveLength(5);
  expect(sharpest).toEqual([2, 2, 2]);
  expect(objective.cost.gradients).toBe(5);
});

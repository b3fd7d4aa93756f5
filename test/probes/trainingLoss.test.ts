import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Split } from '../../src/core/Objective.ts';
import type { Row } from '../../src/core/Table.ts';
import { norm } from '../../src/linalg/vector.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

describe('trainingLoss', () => {
  it('sets the loss over all examples beside that of the batch', async () => {
    const objective = regression();
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 4, batchSize: 3 });
    const recorded = await lastValueFrom(steps.pipe(toArray()));
    const rows = await lastValueFrom(steps.pipe(trainingLoss(), toArray()));
    for (const [t, { weights, batchLoss, gradient }] of recorded.entries()) {
      const row: Row<typeof trainingLoss.table> = {
        step: t,
        epoch: t / 4,
        loss: await regression().at(weights).loss(),
        accuracy: null,
        test_loss: null,
        test_accuracy: null,
        batch_loss: batchLoss,
        learning_rate: 0.1,
        gradient_norm: norm(gradient),
      };
      expect(rows[t]).toEqual(row);
    }
    // @ts-expect-error rows have the columns of the table alone
    expect(rows[0]!.sharpness).toBeUndefined();
  });

  it('costs full-batch gradient descent nothing', async () => {
    const objective = regression();
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 4 });
    await lastValueFrom(steps.pipe(trainingLoss()));
    expect(objective.cost).toEqual({ forwards: 0, gradients: 5, products: 0 });
  });

  it('measures the test set where asked for, and only there', async () => {
    const asked: Split[] = [];
    const objective = createObjective({
      name: 'split',
      paramCount: 1,
      exampleCount: 1,
      coupled: false,
      hasTest: true,
      metadata: {},
      initialWeights: () => Float32Array.of(2),
      performance: async (_, split) => {
        asked.push(split);
        return { loss: split === 'train' ? 1 : 3, accuracy: split === 'train' ? 0.5 : 0.25, exampleLosses: null };
      },
      lossAndGradient: async () => ({ loss: 1, accuracy: 0.5, exampleLosses: null, gradient: Float32Array.of(4) }),
      hessianVector: async () => ({ product: Float32Array.of(0), projections: null }),
      weightedGradient: async () => Float32Array.of(0),
    });
    const row = (options = {}) =>
      lastValueFrom(gradientDescent(objective, { learningRate: 1, steps: 0 }).pipe(trainingLoss(options)));
    expect(await row()).toMatchObject({ loss: 1, accuracy: 0.5, test_loss: null, test_accuracy: null });
    expect(asked).toEqual([]);
    expect(await row({ test: true })).toMatchObject({ loss: 1, accuracy: 0.5, test_loss: 3, test_accuracy: 0.25 });
    expect(asked).toEqual(['test']);
  });

  it('refuses a test set that there is not before anything is measured', async () => {
    const objective = regression();
    expect(objective.hasTest).toBe(false);
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 2 });
    await expect(lastValueFrom(steps.pipe(trainingLoss({ test: true })))).rejects.toThrow(
      'trainingLoss: test is true, and the objective has no test examples. Load the data with some',
    );
    expect(objective.cost).toEqual({ forwards: 0, gradients: 1, products: 0 });
  });
});

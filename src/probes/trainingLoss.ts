import * as columns from '../core/columns.ts';
import { BrinkError } from '../core/errors.ts';
import { flag } from '../core/optionKinds.ts';
import { defineTable, float64, nullable, type Row } from '../core/Table.ts';
import { norm } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'loss',
  description: 'Loss and accuracy at a step.',
  key: ['step'],
  columns: {
    step: columns.step(),
    epoch: float64({ symbol: 'tb/n', description: 'Passes over the training examples so far.' }),
    loss: float64({ symbol: 'L', description: 'Mean loss over all n training examples.', scale: 'loss' }),
    accuracy: nullable(
      float64({
        symbol: '',
        description: 'Share of the training examples classified rightly; null without classes.',
        scale: 'accuracy',
      }),
    ),
    test_loss: nullable(
      float64({ symbol: '', description: 'Mean loss over the test set; null unless asked for.', scale: 'loss' }),
    ),
    test_accuracy: nullable(
      float64({
        symbol: '',
        description: 'Share of the test set classified rightly; null unless asked for.',
        scale: 'accuracy',
      }),
    ),
    batch_loss: float64({
      symbol: '',
      description: "Mean loss over the step's batch, where its gradient was taken.",
      scale: 'loss',
    }),
    learning_rate: float64({ symbol: 'η', description: 'The learning rate of the update from this step.' }),
    gradient_norm: float64({ symbol: '‖g_ξ‖', description: 'Of the gradient that this update uses.' }),
  },
});

/** A row of `trainingLoss`. */
export interface LossRow extends Row<typeof table> {}

/** Options of `trainingLoss`. */
export type TrainingLossOptions = OptionsOf<typeof trainingLoss>;

/**
 * Loss and accuracy over the training set, and over the test set where asked for, beside what the batch of the step
 * shows.
 *
 *     L(θ_t) = (1/n) Σ_i ℓ_i(θ_t)
 *
 * Test accuracy followed during training and then used to choose a step is no longer an estimate of the error on new
 * data.
 *
 * @throws BrinkError in the stream where `test` is asked of an objective without a test set.
 * @example
 * import { gradientDescent, toy, trainingLoss } from 'brink';
 * import { firstValueFrom, toArray } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 1 / 4, steps: 2, initialWeights: [1, 0] });
 * const rows = await firstValueFrom(steps.pipe(trainingLoss(), toArray()));
 * console.log(rows.map(({ loss }) => loss)); // [ 1, 0.25, 0.0625 ]
 * @see expectedLossChange
 */
export const trainingLoss = probe({
  name: 'trainingLoss',
  asks: 'What is the loss, and what part does the network get right?',
  table,
  cost: 'for full-batch GD without look-ahead nothing, as its gradient brings the loss; else one forward pass over the training set. With `test`, one over the test set.',
  options: {
    test: flag({ default: false, description: 'Whether to measure the test set too.' }),
  },
  begin: ({ test: isAsked }, { hasTest }): Measurement<LossRow> => {
    if (isAsked && !hasTest) {
      throw new BrinkError(
        'trainingLoss',
        'test is true, and the objective has no test examples. Load the data with some, or leave test out; one made ' +
          'by createObjective says hasTest: true.',
      );
    }
    return async (point, step) => {
      const train = await point.performance('train');
      const test = isAsked ? await point.performance('test') : null;
      return {
        step: step.index,
        epoch: step.epoch,
        loss: train.loss,
        accuracy: train.accuracy,
        test_loss: test?.loss ?? null,
        test_accuracy: test?.accuracy ?? null,
        batch_loss: step.batchLoss,
        learning_rate: step.learningRate,
        gradient_norm: norm(step.gradient),
      };
    };
  },
});

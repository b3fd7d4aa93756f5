import * as tf from '@tensorflow/tfjs-core';
import { once, recordGradientTape } from '../gradientTape.ts';
import type { Loss } from '../Loss.ts';
import { leakFree } from '../leakFree.ts';
import type { Model } from '../Model.ts';
import { exampleLosses } from './exampleLosses.ts';
import { verifiedGradient } from './verifiedGradient.ts';

/** What a Hessian-vector product holds for one example more, by trials on zeros; refuses unverified kernels at once. */
export function bytesPerExample(who: string, model: Model, loss: Loss): number {
  const held = (count: number) =>
    leakFree(() => {
      const theta = model.parameters.map(({ shape }) => tf.zeros([...shape]));
      const tape = recordGradientTape(() => {
        const inputs = tf.zeros([count, ...model.inputShape]);
        const targets = tf.zeros([count, model.outputCount]);
        const sum = () => tf.sum(exampleLosses(model, loss, theta, inputs, targets).losses);
        return verifiedGradient(who, sum, theta);
      }, theta);
      once(tape, theta);
      return tape.bytes;
    });
  // The second backward pass holds about as much again as the tape.
  return Math.max(1, 2 * (held(2) - held(1)));
}

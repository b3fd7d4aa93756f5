import { requireInteger, requireNumber } from '../core/errors.ts';
import { integers, requireChoice, requireOptions } from '../core/given.ts';
import type { Model } from '../engine/Model.ts';
import { normal } from './initializers.ts';
import { ACTIVATIONS, type Activation, activate, dense } from './layers.ts';
import { sequential } from './sequential.ts';

/** Widths and nonlinearity of a fully connected network. */
export interface MlpOptions {
  /** Entries of one input. */
  readonly inputs: number;
  /** Width of each hidden layer, from the inputs on; none: a linear model. */
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly activation: Activation;
  /** s; default 1. */
  readonly weightScale?: number;
}

/**
 * The multilayer perceptron a_k = φ(a_{k−1} W_k + b_k), whose last layer has no φ; W_k [in, out], W_k ~ N(0, s²/in),
 * b_k = 0.
 *
 * With tanh or gelu it is smooth, so finite differences can check it; with relu they can't near a kink.
 *
 * @param options `inputs`, `hidden`, `outputs`, `activation` ('tanh', 'gelu' or 'relu'), `weightScale` s (default 1).
 * @throws BrinkError where a width is not a positive integer, s is not above 0, or the activation is unknown.
 */
export function mlp(options: MlpOptions): Model {
  const such = "{ inputs: 64, hidden: [32], outputs: 10, activation: 'tanh' }";
  requireOptions('mlp', options, ['inputs', 'hidden', 'outputs', 'activation', 'weightScale'], such);
  const { inputs, outputs, activation, weightScale = 1 } = options;
  requireInteger('mlp', 'inputs', inputs, 1);
  const hidden = integers('mlp', 'hidden', options.hidden, 1);
  requireInteger('mlp', 'outputs', outputs, 1);
  requireChoice('mlp', 'activation', activation, ACTIVATIONS);
  requireNumber('mlp', 'weightScale', weightScale, 0);
  const weights = normal(weightScale);
  return sequential({
    name: 'mlp',
    config: { inputs, hidden: [...hidden], outputs, activation, weightScale },
    inputShape: [inputs],
    layers: [...hidden.flatMap((width) => [dense(width, weights), activate(activation)]), dense(outputs, weights)],
  });
}

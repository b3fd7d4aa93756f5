import * as tf from '@tensorflow/tfjs-core';
import { chain, type LayerOf, named } from './chain.ts';

/**
 * branch(x) + shortcut(x), both chains of layers with equal shapes at their ends; without layers a shortcut is x
 * itself (He et al., 2016).
 *
 * Parameters are named 'residual1/conv2/kernel', those of the shortcut 'residual1/shortcut/conv/kernel'.
 */
export const residual =
  (branchLayers: readonly LayerOf[], shortcutLayers: readonly LayerOf[] = []): LayerOf =>
  (inputShape) => {
    const branch = chain(branchLayers, inputShape);
    const shortcut = chain(shortcutLayers, inputShape);
    const count = branch.parameters.length;
    return {
      kind: 'residual',
      parameters: [
        ...branch.parameters.map((parameter) => named(parameter, 'branch.')),
        ...shortcut.parameters.map((parameter) => ({
          ...named(parameter, 'shortcut.'),
          name: `shortcut/${parameter.name}`,
        })),
      ],
      outputShape: branch.outputShape,
      coupled: Boolean(branch.coupled || shortcut.coupled),
      forward: (theta, x) => tf.add(branch.forward(theta.slice(0, count), x), shortcut.forward(theta.slice(count), x)),
    };
  };

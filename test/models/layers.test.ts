import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { layersModel } from '../../src/models/layersModel.ts';
import { verifyObjective } from '../../src/objectives/verifyObjective.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const { layers } = tf;
const [count, length, features] = [12, 4, 3];

/** Layers that take sequences, [length, features]. */
const LAYERS: Record<string, () => tf.layers.Layer> = {
  'a simple recurrent layer': () => layers.simpleRNN({ units: 4 }),
  'long short-term memory': () => layers.lstm({ units: 4 }),
  'long short-term memory that returns all states': () => layers.lstm({ units: 3, returnSequences: true }),
  'gated recurrent units': () => layers.gru({ units: 4 }),
  'recurrence in both directions': () =>
    layers.bidirectional({ layer: layers.gru({ units: 3 }) as tf.RNN, mergeMode: 'concat' }),
  'a dense layer at every time': () => layers.timeDistributed({ layer: layers.dense({ units: 3 }) }),
  'a parametric rectifier': () => layers.prelu({ alphaInitializer: 'randomNormal' }),
  'a convolution over time': () => layers.conv1d({ filters: 4, kernelSize: 2 }),
  'a separable convolution': () => layers.separableConv2d({ filters: 4, kernelSize: 2, padding: 'same' }),
  'a depthwise convolution': () => layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2 }),
  'layer normalisation': () => layers.layerNormalization(),
  'scaled exponential units': () => layers.dense({ units: 3, activation: 'selu' }),
  'softsign units': () => layers.dense({ units: 3, activation: 'softsign' }),
  'swish units': () => layers.dense({ units: 3, activation: 'swish' }),
};

describe('layers of TensorFlow.js are right to second order', () => {
  it.each(Object.entries(LAYERS))('%s', async (_name, make) => {
    const net = tf.sequential();
    net.add(layers.inputLayer({ inputShape: [length, features] }));
    const layer = make();
    if (/Conv2D/.test(layer.getClassName())) {
      net.add(layers.reshape({ targetShape: [length, features, 1] }));
    }
    net.add(layer);
    if (net.outputShape.length > 2) net.add(layers.flatten());
    net.add(layers.dense({ units: 2 }));
    const data = arrays({
      inputShape: [length, features],
      classes: 2,
      inputs: normals(generator(3), count * length * features),
      labels: Array.from({ length: count }, (_, i) => i % 2),
    });
    const objective = await empiricalRisk({ model: layersModel(net), data, loss: crossEntropy });
    const { passed, checks } = await verifyObjective(objective);
    expect(passed, JSON.stringify(checks)).toBe(true);
    net.dispose();
  });
});

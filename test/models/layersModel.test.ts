import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import { type Initializer, initialWeights, type Model, paramCount } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, norm } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import { layersModel } from '../../src/models/layersModel.ts';
import { mlp } from '../../src/models/mlp.ts';
import { verifyObjective } from '../../src/objectives/verifyObjective.ts';
import { loadWeights } from '../../src/recording/loadWeights.ts';
import { scoped } from '../helpers/scoped.ts';

const weightsOf = (net: tf.LayersModel) => Promise.all(net.getWeights().map((weight) => weight.data()));

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const { layers } = tf;
const made: tf.LayersModel[] = [];
/** A network of tf.layers that is let go at the end. */
const keras = (...stack: tf.layers.Layer[]) => {
  const net = tf.sequential({ layers: stack });
  made.push(net);
  return net;
};
afterAll(() => {
  for (const net of made) net.dispose();
});

const normal = (seed: number, count: number) => Float32Array.from(normals(generator(seed), count));
const dataOf = (inputShape: number[], count = 6) =>
  arrays({
    inputShape,
    classes: 3,
    inputs: normal(
      1,
      inputShape.reduce((a, b) => a * b, count),
    ),
    labels: Array.from({ length: count }, (_, i) => (i * i + 1) % 3),
  });
const riskOf = (model: Model) => empiricalRisk({ model, data: dataOf([...model.inputShape]), loss: crossEntropy });
const near = (a: ArrayLike<number>, b: ArrayLike<number>, relative: number) => {
  const error = Float64Array.from(a);
  addScaled(error, b as Float64Array, -1);
  expect(norm(error)).toBeLessThan(relative * norm(b as Float64Array));
};

const given = (initializer: Initializer) => (initializer as { readonly values: Float32Array }).values;
const dense = (units: number, more: object = {}) => layers.dense({ units, ...more });
const conv = (filters: number, more: object = {}) =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'tanh', ...more });

describe('a network of tf.layers', () => {
  const pairs: [string, () => tf.LayersModel, Model][] = [
    [
      'a perceptron',
      () => keras(dense(5, { inputShape: [4], activation: 'tanh' }), dense(4, { activation: 'tanh' }), dense(3)),
      mlp({ inputs: 4, hidden: [5, 4], outputs: 3, activation: 'tanh' }),
    ],
    [
      'a functional perceptron with relu',
      () => {
        const input = tf.input({ shape: [4] });
        const hidden = dense(5, { activation: 'relu' }).apply(input) as tf.SymbolicTensor;
        const net = tf.model({ inputs: input, outputs: dense(3).apply(hidden) as tf.SymbolicTensor });
        made.push(net);
        return net;
      },
      mlp({ inputs: 4, hidden: [5], outputs: 3, activation: 'relu' }),
    ],
    [
      'a convolution network',
      () =>
        keras(
          conv(2, { inputShape: [8, 8, 2] }),
          layers.averagePooling2d({ poolSize: 2 }),
          conv(4),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.flatten(),
          dense(3),
        ),
      cnn({ inputShape: [8, 8, 2], channels: [2, 4], outputs: 3, activation: 'tanh' }),
    ],
  ];

  it.each(pairs)(
    '%s has the loss, gradient and product of the same network here, and stays as it is',
    async (_name, make, own) => {
      const net = make();
      const before = (await weightsOf(net)).map((w) => w.slice());
      const example = tf.ones([1, ...own.inputShape]);
      const predict = () => scoped(() => (net.predict(example) as tf.Tensor).data());
      const predicted = await predict();
      await nextTurn();
      const tensors = tf.memory().numTensors;

      const model = layersModel(net);
      expect(paramCount(model)).toBe(paramCount(own));
      expect(model.parameters.map(({ shape }) => shape)).toEqual(own.parameters.map(({ shape }) => shape));
      expect(new Set(model.parameters.map(({ name }) => name)).size).toBe(model.parameters.length);
      const weights = normal(3, paramCount(own));
      const v = normal(4, paramCount(own));
      const [point, expected] = [(await riskOf(model)).at(weights), (await riskOf(own)).at(weights)];
      expect(await point.loss()).toBeCloseTo(await expected.loss(), 5);
      near(await point.gradient(), await expected.gradient(), 1e-5);
      const [Hv, truth] = [await point.hessianVector(v), await expected.hessianVector(v)];
      near(Hv.product, truth.product, 1e-5);
      near(Hv.projections!, truth.projections!, 1e-5);

      await nextTurn();
      expect(tf.memory().numTensors).toBe(tensors);
      expect(await weightsOf(net)).toEqual(before);
      expect(await predict()).toEqual(predicted);
      example.dispose();
    },
  );

  it('begins at the weights that it carries, whatever the seed, and tells them apart in its configuration', async () => {
    const net = keras(dense(3, { inputShape: [4] }));
    const model = layersModel(net, { name: 'mine' });
    const carried = (await weightsOf(net)).flatMap((w) => [...w]);
    expect([...initialWeights(model, 1)]).toEqual(carried);
    expect([...initialWeights(model, 2)]).toEqual(carried);
    expect(model.name).toBe('mine');
    expect(model.config.layersModel).toMatchObject({ class_name: 'Sequential' });
    net.setWeights(net.getWeights().map((w) => tf.add(w, 1)));
    expect([...initialWeights(model, 1)]).toEqual(carried);
    expect(layersModel(net).config.weightsSha256).not.toBe(model.config.weightsSha256);
  });

  it('holds dropout still, takes moving statistics and frozen layers as constants, and is right to second order', async () => {
    const net = keras(
      dense(4, { inputShape: [4], activation: 'sigmoid', trainable: false }),
      layers.batchNormalization(),
      layers.dropout({ rate: 0.5 }),
      dense(5, { activation: 'softplus' }),
      layers.layerNormalization(),
      dense(3),
    );
    const model = layersModel(net);
    expect(paramCount(model)).toBe(8 + 25 + 10 + 18);
    const { passed, checks } = await verifyObjective(await riskOf(model), { weights: normal(5, 61) });
    expect(passed, JSON.stringify(checks)).toBe(true);
  });

  it('adds what its regularizers add in training', async () => {
    const l2 = tf.regularizers.l2({ l2: 0.5 });
    const net = keras(dense(1, { inputShape: [1], useBias: false, kernelRegularizer: l2 }));
    net.setWeights([tf.tensor2d([[2]])]);
    const data = arrays({ inputShape: [1], inputs: [1, -1], targets: [0, 0] });
    const objective = await empiricalRisk({ model: layersModel(net), data, loss: meanSquaredError });
    const point = objective.at(objective.initialWeights(0));
    expect(await point.loss()).toBeCloseTo(4, 6);
    expect((await point.gradient())[0]).toBeCloseTo(4, 6);
    expect((await point.hessianVector(Float32Array.of(1))).product[0]).toBeCloseTo(2, 6);
    expect(objective.metadata.initialWeights).toBe('given by the model, in part or all, whatever the seed');
    net.compile({
      optimizer: tf.train.sgd(1e-30),
      loss: (y, f) => tf.mul(0.5, tf.sum(tf.square(tf.sub(y, f)), -1)),
    });
    expect(await net.trainOnBatch(tf.tensor2d([[1], [-1]]), tf.tensor2d([[0], [0]]))).toBeCloseTo(4, 6);
  });

  it('adds those of frozen layers and of networks within as training does', async () => {
    const regularized = (units: number, more: object = {}) =>
      dense(units, {
        kernelRegularizer: 'l1l2',
        biasRegularizer: tf.regularizers.l2({ l2: 0.01 }),
        biasInitializer: 'ones',
        ...more,
      });
    const inner = tf.sequential({ layers: [regularized(3, { inputShape: [4], trainable: false }), regularized(2)] });
    const net = keras(regularized(4, { inputShape: [4], activation: 'tanh' }), inner as never, dense(3));
    net.compile({ optimizer: tf.train.sgd(1e-30), loss: 'categoricalCrossentropy' });
    const model = layersModel(net);
    const theta = model.parameters.map((p) => tf.tensor(given(p.initializer), [...p.shape]));
    const [penalty] = await model.penalty!(theta)!.data();
    const inside = net as unknown as { model: { calculateLosses(): tf.Scalar[] } };
    const terms = await Promise.all(inside.model.calculateLosses().map(async (term) => (await term.data())[0]!));
    expect(terms).toHaveLength(6);
    expect(penalty).toBeCloseTo(
      terms.reduce((a, b) => a + b, 0),
      4,
    );
    tf.dispose(theta);
  });

  it('counts a layer once that is also in a network within', async () => {
    const inner = tf.sequential({ layers: [dense(4, { inputShape: [4], activation: 'tanh' })] });
    const inputs = tf.input({ shape: [4] });
    const both = [inner.apply(inputs), inner.layers[0]!.apply(inputs)] as tf.SymbolicTensor[];
    const outputs = dense(3).apply(layers.add().apply(both)) as tf.SymbolicTensor;
    const net = tf.model({ inputs, outputs });
    made.push(net);
    const model = layersModel(net);
    expect(paramCount(model)).toBe(4 * 4 + 4 + 4 * 3 + 3);
    expect(loadWeights(net, model)).toEqual(initialWeights(model, 0));
    const x = { inputShape: [4], inputs: normal(1, 40), targets: normal(2, 30) };
    const objective = await empiricalRisk({ model, data: arrays(x), loss: meanSquaredError });
    expect((await verifyObjective(objective)).passed).toBe(true);
  });

  it('says which layers do in training what f(θ, x) does not', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const net = keras(
      dense(4, { inputShape: [4], name: 'first' }),
      layers.batchNormalization({ name: 'bn' }),
      layers.dropout({ rate: 0.5, name: 'drop' }),
      dense(3),
    );
    const said = [
      'bn (BatchNormalization) normalises by its moving mean and variance, which are constants and untrained: mean 0 ' +
        'and variance 1, so it normalises nothing',
      'drop (Dropout) is inactive: L has no noise',
    ];
    expect(layersModel(net).config.leftOut).toEqual(said);
    expect(warn.mock.calls[0]![0]).toContain(said.join('; '));
    net.layers[1]!.setWeights(net.layers[1]!.getWeights().map((w) => tf.add(w, 0.5)));
    expect(layersModel(net).config.leftOut).toEqual([said[0]!.split(' and untrained')[0], said[1]]);
    warn.mockClear();
    expect(layersModel(keras(dense(3, { inputShape: [4] }))).config).not.toHaveProperty('leftOut');
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('says the same of what a layer wraps, of cells, and of constraints of weights', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const leftOut = (...stack: tf.layers.Layer[]) => layersModel(keras(...stack, dense(2))).config.leftOut;
    const kernelConstraint = tf.constraints.maxNorm({ maxValue: 1, axis: 0 });
    const twoWays = { layer: layers.lstm({ units: 3, dropout: 0.3, kernelConstraint, name: 'within' }) as tf.RNN };
    expect(leftOut(layers.bidirectional({ ...twoWays, inputShape: [4, 2], name: 'both', mergeMode: 'sum' }))).toEqual([
      'both (Bidirectional of LSTM) has an inactive dropout: L has no noise',
      'both (Bidirectional of LSTM) is trained without its kernelConstraint',
    ]);
    const each = layers.timeDistributed({ layer: layers.dropout({ rate: 0.5 }), inputShape: [4, 2], name: 'each' });
    expect(leftOut(each, layers.flatten())).toEqual(['each (TimeDistributed of Dropout) is inactive: L has no noise']);
    const nonNeg = tf.constraints.nonNeg();
    const cells = [layers.lstmCell({ units: 3, recurrentDropout: 0.3 }), layers.gruCell({ units: 2 })];
    expect(leftOut(layers.rnn({ cell: cells as never, inputShape: [4, 2], name: 'stack' }))).toEqual([
      'stack (RNN of LSTMCell) has an inactive dropout: L has no noise',
    ]);
    const bounded = { units: 2, inputShape: [4], name: 'bounded', kernelConstraint, biasConstraint: nonNeg };
    expect(leftOut(layers.dense(bounded))).toEqual([
      'bounded (Dense) is trained without its kernelConstraint and biasConstraint',
    ]);
    expect(leftOut(layers.dense({ ...bounded, trainable: false }))).toBeUndefined();
    warn.mockRestore();
  });

  it('says that TensorFlow.js passes over the dilations of a depthwise convolution', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const net = keras(
      layers.depthwiseConv2d({ kernelSize: 2, dilationRate: 2, inputShape: [5, 5, 1], name: 'apart' }),
      layers.separableConv2d({ filters: 1, kernelSize: 2, dilationRate: 2 }),
      layers.flatten(),
      dense(3),
    );
    expect(layersModel(net).config.leftOut).toEqual([
      'apart (DepthwiseConv2D) has no dilations: TensorFlow.js passes over its dilationRate of 2,2',
    ]);
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });

  it('gives its weights back where its forward pass throws', () => {
    const net = keras(dense(3, { inputShape: [4] }));
    const model = layersModel(net);
    const reads = net.trainableWeights.map((variable) => variable.read);
    const wrong = tf.ones([2, 7]);
    const theta = model.parameters.map(({ shape }) => tf.ones([...shape]));
    expect(() => model.forward(theta, wrong)).toThrow();
    expect(net.trainableWeights.map((variable) => variable.read)).toEqual(reads);
    tf.dispose([wrong, ...theta]);
  });

  it('is refused by the name of an operation that is not verified', async () => {
    const net = keras(
      layers.conv3d({ filters: 1, kernelSize: 1, inputShape: [2, 2, 1, 1] }),
      layers.flatten(),
      dense(3),
    );
    await expect(riskOf(layersModel(net, { name: 'mine' }))).rejects.toThrow(
      'empiricalRisk (mine): the operation Conv3D is not verified to second order.',
    );
  });

  it.each<[string, () => tf.LayersModel, string]>([
    [
      'two inputs',
      () => {
        const [a, b] = [tf.input({ shape: [2] }), tf.input({ shape: [2] })];
        return tf.model({ inputs: [a, b], outputs: layers.concatenate().apply([a, b]) as tf.SymbolicTensor });
      },
      'has 2 inputs. It must have one; join them, or write a forward function of your own.',
    ],
    [
      'two outputs',
      () => {
        const input = tf.input({ shape: [2] });
        return tf.model({ inputs: input, outputs: [1, 2].map((u) => dense(u).apply(input) as tf.SymbolicTensor) });
      },
      'has 2 outputs. It must have one',
    ],
    [
      'an input of any size',
      () => keras(conv(2, { inputShape: [null, 8, 3] }), layers.globalMaxPooling2d({})),
      'takes inputs of shape [null,8,3]. Every length must be known',
    ],
    [
      'an image at its end',
      () => keras(conv(2, { inputShape: [8, 8, 3] })),
      'has outputs of shape [8,8,2] an example. They must be one row',
    ],
    [
      'a layer that remembers',
      () => keras(layers.simpleRNN({ units: 2, stateful: true, batchInputShape: [2, 3, 4] })),
      'is stateful: a layer remembers the batch before.',
    ],
    [
      'nothing to train',
      () => keras(dense(2, { inputShape: [3], trainable: false })),
      'has no trainable weights. Every layer is frozen',
    ],
  ])('is refused with %s', (_name, make, message) => {
    expect(() => layersModel(make(), { name: 'net' })).toThrow(`layersModel: net ${message}`);
  });
});

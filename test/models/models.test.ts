import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/core/Parameters.ts';
import type { Loss } from '../../src/engine/Loss.ts';
import { initialWeights, type Model, paramCount } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import { cnn6 } from '../../src/models/cnn6.ts';
import { mlp } from '../../src/models/mlp.ts';
import { resnet9 } from '../../src/models/resnet9.ts';
import { wideResnet } from '../../src/models/wideResnet.ts';
import { readArray, readJson } from '../helpers/referenceProblem.ts';
import { scoped } from '../helpers/scoped.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

/** Tensors of the model's parameters, cut from a flat θ. */
function parametersOf(model: Model, weights: Float32Array): Tensor[] {
  let offset = 0;
  return model.parameters.map((parameter) => {
    offset += sizeOf(parameter);
    return tf.tensor(weights.subarray(offset - sizeOf(parameter), offset), [...parameter.shape]);
  });
}

/** f(θ, x), flat. */
function outputs(model: Model, weights: Float32Array, inputs: Float32Array): Promise<Float32Array> {
  const count = inputs.length / model.inputShape.reduce((a, b) => a * b, 1);
  return scoped(async () => {
    const result = model.forward(parametersOf(model, weights), tf.tensor(inputs, [count, ...model.inputShape]));
    expect(result.shape).toEqual([count, model.outputCount]);
    return (await result.data()) as Float32Array;
  });
}

const tanhNet = mlp({ inputs: 64, hidden: [32, 32], outputs: 10, activation: 'tanh' });

describe('against another library in double precision', () => {
  it.each<[string, 'init' | 'trained', Model, Loss]>([
    ['a2-mlp', 'init', tanhNet, crossEntropy],
    ['a2-mlp', 'trained', tanhNet, crossEntropy],
    ['a3-cnn-ce', 'init', cnn(), crossEntropy],
    ['a3-cnn-ce', 'trained', cnn(), crossEntropy],
    ['a3-cnn-mse', 'init', cnn(), meanSquaredError],
    ['a3-cnn-mse', 'trained', cnn(), meanSquaredError],
  ])(
    '%s, %s: parameters lie where the reference has them, and its losses come out',
    async (problem, state, model, loss) => {
      const reference = readJson(problem);
      let offset = 0;
      const layout = model.parameters.map((parameter) => {
        const entry = { name: parameter.name, shape: parameter.shape, offset, size: sizeOf(parameter) };
        offset += entry.size;
        return entry;
      });
      expect(layout).toEqual(reference.layout);
      expect(paramCount(model)).toBe(reference.param_count);

      const inputs = readArray(reference.inputs) as Float32Array;
      const labels = readArray(reference.labels) as Uint8Array;
      const weights = readArray(reference[state].parameters) as Float32Array;
      const losses = await scoped(async () => {
        const logits = tf.tensor2d(await outputs(model, weights, inputs), [labels.length, 10]);
        return loss.perExample(logits, tf.oneHot(tf.tensor1d(Array.from(labels), 'int32'), 10)).data();
      });
      const expected: number[] = reference[state].per_example_losses;
      expect(losses).toHaveLength(expected.length);
      expected.forEach((value, i) => {
        expect(Math.abs(losses[i]! - value), `example ${i}`).toBeLessThan(1e-5 * Math.max(1, value));
      });
    },
  );
});

describe('shapes', () => {
  it.each<[string, Model, number]>([
    ['mlp', tanhNet, 3466],
    ['mlp without a hidden layer', mlp({ inputs: 5, hidden: [], outputs: 2, activation: 'relu' }), 12],
    ['cnn', cnn(), 11642],
    ['cnn6', cnn6(), 512118],
    ['ResNet-9 without batch normalisation', resnet9({ batchNorm: false }), 2272192],
    ['the smallest ResNet-9', resnet9({ inputShape: [11, 12, 1], outputs: 2, batchNorm: false }), 2270016],
    [
      'WRN-10-1 without batch normalisation',
      wideResnet({ depth: 10, width: 1, inputShape: [7, 9, 2], outputs: 3, batchNorm: false }),
      288 + (2 * 2304 + 256) + (4608 + 9216 + 512) + (18432 + 36864 + 2048) + 195,
    ],
    ['cnn6 of other ends', cnn6({ inputShape: [8, 12, 1], outputs: 3 }), 320 + 16416 + 18496 + 65600 + 38500 + 303],
    [
      'cnn of three blocks',
      cnn({ inputShape: [8, 16, 2], channels: [2, 3, 4], pooling: ['max', 'max', 'average'] }),
      38 + 57 + 112 + 90,
    ],
  ])('%s has the number of parameters that its layers add up to, and takes its inputs', async (_name, model, count) => {
    expect(paramCount(model)).toBe(count);
    const size = model.inputShape.reduce((a, b) => a * b, 1);
    const inputs = Float32Array.from({ length: 2 * size }, (_, k) => Math.sin(k));
    const both = await outputs(model, initialWeights(model, 3), inputs);
    expect(both.every(Number.isFinite)).toBe(true);
    // Examples don't see each other.
    const second = await outputs(model, initialWeights(model, 3), inputs.subarray(size));
    second.forEach((z, k) => {
      expect(z).toBeCloseTo(both[model.outputCount + k]!, 5);
    });
  });

  it.each<[string, Model, number]>([
    ['ResNet-9', resnet9(), 2274880],
    ['WRN-28-2', wideResnet(), 1467610],
    ['WRN-28-10', wideResnet({ width: 10 }), 36479194],
  ])('%s has as many parameters as published, and couples its examples', (_name, model, count) => {
    expect(paramCount(model)).toBe(count);
    expect(model.coupled).toBe(true);
  });

  it('examples are coupled where a layer normalises over the batch, and nowhere else', () => {
    for (const model of [tanhNet, cnn(), cnn6(), resnet9({ batchNorm: false }), wideResnet({ batchNorm: false })]) {
      expect(model.coupled, model.name).toBe(false);
    }
    expect(wideResnet({ depth: 10, width: 1, outputs: 2 }).coupled).toBe(true);
  });

  it('parameters are named once each, blocks within blocks', () => {
    for (const model of [tanhNet, cnn(), cnn6(), resnet9(), wideResnet()]) {
      const names = model.parameters.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
    const names = wideResnet().parameters.map(({ name }) => name);
    expect(names).toContain('residual12/batchNorm2/gamma');
    expect(names).toContain('residual5/shortcut/conv/kernel');
    expect(mlp({ inputs: 1, hidden: [], outputs: 1, activation: 'tanh' }).parameters.map(({ name }) => name)).toEqual([
      'dense/kernel',
      'dense/bias',
    ]);
  });

  it('the configuration rebuilds the model', () => {
    const options = { inputShape: [8, 8, 1], outputs: 2, channels: [3], pooling: ['max'], activation: 'gelu' } as const;
    const small = cnn(options);
    const again = cnn(JSON.parse(JSON.stringify(small.config)));
    expect(again.parameters).toEqual(small.parameters);
    expect(again.config).toEqual(small.config);
    const net = mlp(JSON.parse(JSON.stringify(tanhNet.config)));
    expect(net.parameters).toEqual(tanhNet.parameters);
    const res = resnet9({ inputShape: [16, 11, 1], outputs: 4, batchNorm: false });
    expect(resnet9(JSON.parse(JSON.stringify(res.config))).parameters).toEqual(res.parameters);
    const wide = wideResnet({ depth: 16, width: 3, inputShape: [8, 8, 1], outputs: 4, batchNorm: false });
    expect(wideResnet(JSON.parse(JSON.stringify(wide.config))).parameters).toEqual(wide.parameters);
  });
});

describe('the forward pass', () => {
  /** a₂ = φ(x W₁ + b₁) W₂ + b₂ in double precision. */
  const φ = {
    tanh: Math.tanh,
    relu: (x: number) => Math.max(0, x),
    // x Φ(x), Φ by Simpson's rule on the normal density.
    gelu: (x: number) => {
      const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
      const h = x / 200;
      let sum = density(0) + density(x);
      for (let k = 1; k < 200; k++) sum += (k % 2 === 1 ? 4 : 2) * density(k * h);
      return x * (0.5 + (sum * h) / 3);
    },
  };

  it.each(['tanh', 'relu', 'gelu'] as const)('of a network with %s is its equation', async (activation) => {
    const model = mlp({ inputs: 3, hidden: [4], outputs: 2, activation });
    const theta = Float32Array.from({ length: paramCount(model) }, (_, k) => 1.5 * Math.cos(2.3 * k));
    const x = [0.4, -1.2, 0.9];
    const hidden = Array.from({ length: 4 }, (_, j) =>
      φ[activation](x.reduce((sum, value, i) => sum + Math.fround(value) * theta[4 * i + j]!, theta[12 + j]!)),
    );
    const z = [0, 1].map((c) => hidden.reduce((sum, a, j) => sum + a * theta[16 + 2 * j + c]!, theta[24 + c]!));
    expect([...(await outputs(model, theta, Float32Array.from(x)))]).toEqual(
      z.map((value) => expect.closeTo(value, 5)),
    );
  });
});

describe('initial weights', () => {
  /** Mean square of a parameter at first, over its expectation. */
  const ratios = (model: Model, expected: (fanIn: number) => number) => {
    const weights = initialWeights(model, 11);
    let offset = 0;
    return model.parameters.flatMap((parameter) => {
      const values = weights.subarray(offset, offset + sizeOf(parameter));
      offset += values.length;
      if (parameter.shape.length === 1) {
        expect(
          [...values].every((b) => b === 0),
          parameter.name,
        ).toBe(true);
        return [];
      }
      const fanIn = parameter.shape.slice(0, -1).reduce((a, b) => a * b, 1);
      const square = values.reduce((sum, w) => sum + w * w, 0) / values.length;
      return [{ ratio: square / expected(fanIn), standardError: Math.sqrt(2 / values.length), values, fanIn }];
    });
  };

  it.each<[string, Model, (fanIn: number) => number]>([
    ['1/fan_in in an mlp', tanhNet, (fanIn) => 1 / fanIn],
    [
      's²/fan_in at weight scale s',
      mlp({ inputs: 50, hidden: [40], outputs: 30, activation: 'relu', weightScale: 3 }),
      (fanIn) => 9 / fanIn,
    ],
    ['2/fan_in in the cnn', cnn(), (fanIn) => 2 / fanIn],
    ['1/fan_in in cnn6', cnn6(), (fanIn) => 1 / fanIn],
    ['1/fan_in in ResNet-9', resnet9({ batchNorm: false }), (fanIn) => 1 / fanIn],
    ['2/fan_in in WRN', wideResnet({ batchNorm: false }), (fanIn) => 2 / fanIn],
  ])('have variance %s, and biases are 0', (_name, model, expected) => {
    for (const { ratio, standardError } of ratios(model, expected)) {
      expect(Math.abs(ratio - 1)).toBeLessThan(4.5 * standardError);
    }
  });

  it('are uniform within ±√(3/fan_in) in cnn6', () => {
    for (const { values, fanIn } of ratios(cnn6(), (f) => 1 / f)) {
      const largest = values.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / Math.sqrt(3 / fanIn);
      expect(largest).toBeLessThanOrEqual(1 + 1e-6);
      expect(largest).toBeGreaterThan(1 - 10 / values.length);
    }
  });

  it('are the same bits for a seed, and other numbers for another', () => {
    expect(initialWeights(tanhNet, 5)).toEqual(initialWeights(tanhNet, 5));
    const [a, b] = [initialWeights(tanhNet, 5), initialWeights(tanhNet, 6)];
    expect(a.filter((w, k) => w !== 0 && w === b[k])).toHaveLength(0);
  });

  it('of batch normalisation are γ = 1, β = 0', () => {
    const model = resnet9();
    const weights = initialWeights(model, 4);
    let offset = 0;
    for (const parameter of model.parameters) {
      const values = weights.subarray(offset, offset + sizeOf(parameter));
      offset += values.length;
      if (parameter.shape.length > 1) continue;
      const expected = parameter.name.endsWith('gamma') ? 1 : 0;
      expect(
        values.every((x) => x === expected),
        parameter.name,
      ).toBe(true);
    }
  });

  it('that are given are these numbers, whatever the seed', () => {
    const values = Float32Array.of(3, -1, 2);
    const model: Model = {
      ...tanhNet,
      parameters: [{ name: 'a', shape: [3], initializer: { distribution: 'given', values } }],
    };
    expect(initialWeights(model, 1)).toEqual(values);
    expect(initialWeights(model, 2)).toEqual(values);
    expect(initialWeights(model, 1)).not.toBe(values);
    const short: Model = { ...model, parameters: [{ ...model.parameters[0]!, shape: [4] }] };
    expect(() => initialWeights(short, 1)).toThrow(
      'mlp: the parameter a of shape [4] is given 3 initial values. It needs 4.',
    );
  });

  it('of a layer stay when another layer changes its shape, and no two layers share theirs', () => {
    const wide = mlp({ inputs: 20, hidden: [7], outputs: 9, activation: 'tanh' });
    const narrow = mlp({ inputs: 20, hidden: [7], outputs: 3, activation: 'tanh' });
    const square = mlp({ inputs: 5, hidden: [5], outputs: 5, activation: 'tanh' });
    expect(initialWeights(wide, 2).subarray(0, 140)).toEqual(initialWeights(narrow, 2).subarray(0, 140));
    const weights = initialWeights(square, 2);
    expect(weights.subarray(0, 25)).not.toEqual(weights.subarray(30, 55));
  });
});

describe('is refused:', () => {
  const net = { inputs: 2, hidden: [3], outputs: 2, activation: 'tanh' } as const;
  it.each<[string, () => Model, string]>([
    ['a width of 0', () => mlp({ ...net, hidden: [3, 0] }), 'mlp: hidden[1] is 0.'],
    ['a part of an output', () => mlp({ ...net, outputs: 1.5 }), 'mlp: outputs is 1.5.'],
    ['a weight scale of 0', () => mlp({ ...net, weightScale: 0 }), 'mlp: weightScale is 0.'],
    [
      'an unknown activation',
      () => mlp({ ...net, activation: 'swish' as 'tanh' }),
      "mlp: activation is 'swish'. It must be one of 'tanh', 'gelu', 'relu'.",
    ],
    [
      'an unknown pooling',
      () => cnn({ channels: [2], pooling: ['median' as 'max'] }),
      "cnn: pooling[0] is 'median'. It must be one of 'average', 'max'.",
    ],
    ['no activation', () => mlp({ ...net, activation: undefined } as never), 'mlp: activation is missing. It must be'],
    ['a number of hidden units', () => mlp({ ...net, hidden: 32 } as never), 'mlp: hidden is 32. It must be an array'],
    ['a wrong name', () => mlp({ ...net, scale: 1 } as never), "mlp: there is no option 'scale'."],
    ['nothing', () => mlp(undefined as never), 'mlp: the argument is missing. It is an object, such as'],
    ['text', () => wideResnet({ batchNorm: 'false' } as never), "wideResnet: batchNorm is 'false'. It must be true or"],
    ['a number for an image', () => cnn6({ inputShape: 32 } as never), 'cnn6: inputShape is 32. It must be an array'],
    ['a pooling too few', () => cnn({ pooling: ['max'] }), 'cnn: pooling has 1 entries, channels 2.'],
    ['no channels', () => cnn({ channels: [0, 4] }), 'cnn: channels[0] is 0.'],
    [
      'an image that cannot be halved twice',
      () => cnn({ inputShape: [32, 30, 3] }),
      'cnn: inputShape is [32,30,3]. Height and width are halved 2 times, so they must be multiples of 4.',
    ],
    [
      'a flat input to a convolution',
      () => cnn6({ inputShape: [3072] }),
      'cnn6: inputShape is [3072]. It must be [height, width, channels], each a positive integer.',
    ],
    [
      'an image too small for ResNet-9',
      () => resnet9({ inputShape: [10, 32, 3] }),
      'resnet9: inputShape is [10,32,3]. Height and width must be at least 11: they are halved twice, and the last convolution takes 3 × 3 without padding.',
    ],
    ['a flat input to ResNet-9', () => resnet9({ inputShape: [3072] }), 'resnet9: inputShape is [3072].'],
    ['a ResNet-9 without outputs', () => resnet9({ outputs: 0 }), 'resnet9: outputs is 0.'],
    [
      'a depth that three groups of blocks do not have',
      () => wideResnet({ depth: 27 }),
      'wideResnet: depth is 27. It must be 6N + 4 for N blocks in each of three groups: 10, 16, 22, 28, …',
    ],
    ['a WRN without blocks', () => wideResnet({ depth: 4 }), 'wideResnet: depth is 4.'],
    ['a width of 0.5', () => wideResnet({ width: 0.5 }), 'wideResnet: width is 0.5.'],
  ])('%s', (_name, make, message) => {
    expect(make).toThrow(message);
  });
});

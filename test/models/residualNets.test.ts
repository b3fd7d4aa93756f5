import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/core/Parameters.ts';
import { arrays } from '../../src/datasets/arrays.ts';
import { initialWeights, type Model } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { dot, norm } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { resnet9 } from '../../src/models/resnet9.ts';
import { wideResnet } from '../../src/models/wideResnet.ts';
import { verifyObjective } from '../../src/objectives/verifyObjective.ts';
import { everything } from '../helpers/everything.ts';
import { scoped } from '../helpers/scoped.ts';

const engine = (process.env.BRINK_ENGINE ?? 'wasm') as EngineName;

beforeAll(async () => {
  await openEngine(engine);
});

/** A batch of images in double precision: `at[n][i][j][c]`. */
type Images = number[][][][];

/** Zero-padded cross-correlation, kernel [size, size, in, out] row-major. */
function convolve(x: Images, kernel: ArrayLike<number>, size: number, stride: number, padding: number): Images {
  const [height, width, inputs] = [x[0]!.length, x[0]![0]!.length, x[0]![0]![0]!.length];
  const outputs = kernel.length / (size * size * inputs);
  const out = (length: number) => Math.floor((length + 2 * padding - size) / stride) + 1;
  return x.map((image) =>
    Array.from({ length: out(height) }, (_, i) =>
      Array.from({ length: out(width) }, (_, j) => {
        const y = new Array<number>(outputs).fill(0);
        for (let r = 0; r < size; r++) {
          for (let s = 0; s < size; s++) {
            image[stride * i + r - padding]?.[stride * j + s - padding]?.forEach((value, c) => {
              const start = ((r * size + s) * inputs + c) * outputs;
              for (let o = 0; o < outputs; o++) y[o]! += value * kernel[start + o]!;
            });
          }
        }
        return y;
      }),
    ),
  );
}

const eachEntry = (x: Images, f: (value: number, channel: number) => number): Images =>
  x.map((image) => image.map((row) => row.map((pixel) => pixel.map(f))));

/** γ x̂ + β over batch and image. */
function normalize(x: Images, gamma: ArrayLike<number>, beta: ArrayLike<number>): Images {
  const pixels = x.flat(2);
  const mean = pixels[0]!.map((_, c) => pixels.reduce((sum, p) => sum + p[c]!, 0) / pixels.length);
  const variance = mean.map((m, c) => pixels.reduce((sum, p) => sum + (p[c]! - m) ** 2, 0) / pixels.length);
  return eachEntry(x, (v, c) => (gamma[c]! * (v - mean[c]!)) / Math.sqrt(variance[c]! + 1e-5) + beta[c]!);
}

const relu = (x: Images) => eachEntry(x, (v) => Math.max(0, v));
const add = (x: Images, y: Images): Images =>
  x.map((image, n) => image.map((row, i) => row.map((pixel, j) => pixel.map((v, c) => v + y[n]![i]![j]![c]!))));
const halve = (x: Images): Images =>
  x.map((image) =>
    Array.from({ length: Math.floor(image.length / 2) }, (_, i) =>
      Array.from({ length: Math.floor(image[0]!.length / 2) }, (_, j) =>
        image[0]![0]!.map((_, c) =>
          Math.max(...[0, 1].flatMap((r) => [0, 1].map((s) => image[2 * i + r]![2 * j + s]![c]!))),
        ),
      ),
    ),
  );
/** One number an image and channel. */
const overImage = (x: Images, reduce: (values: number[]) => number) =>
  x.map((image) => image[0]![0]!.map((_, c) => reduce(image.flat().map((pixel) => pixel[c]!))));
const multiply = (x: number[][], kernel: ArrayLike<number>) =>
  x.map((row) => {
    const outputs = kernel.length / row.length;
    return Array.from({ length: outputs }, (_, o) => row.reduce((sum, v, i) => sum + v * kernel[i * outputs + o]!, 0));
  });

/** Hands out a model's parameters one after the other. */
function inOrder(model: Model, weights: Float32Array) {
  let [next, offset] = [0, 0];
  return () => {
    const size = sizeOf(model.parameters[next++]!);
    offset += size;
    return weights.subarray(offset - size, offset);
  };
}

/** ResNet-9 as Lee and Jang's source library has it. */
function plainResnet9(x: Images, take: () => Float32Array): number[][] {
  const block = (y: Images, size: number, stride: number, padding: number) =>
    relu(normalize(convolve(y, take(), size, stride, padding), take(), take()));
  const twice = (y: Images) => add(y, block(block(y, 3, 1, 1), 3, 1, 1));
  const early = twice(block(block(x, 3, 1, 1), 5, 2, 2));
  const late = block(twice(halve(block(early, 3, 1, 1))), 3, 1, 0);
  const maxima = overImage(late, (values) => Math.max(...values));
  return multiply(maxima, take()).map((row) => row.map((z) => 0.2 * z));
}

/** WRN-10-k: one block a group, each with a shortcut of its own. */
function plainWideResnet(x: Images, take: () => Float32Array): number[][] {
  let y = convolve(x, take(), 3, 1, 1);
  for (const stride of [1, 2, 2]) {
    const active = relu(normalize(y, take(), take()));
    const inner = relu(normalize(convolve(active, take(), 3, stride, 1), take(), take()));
    const branch = convolve(inner, take(), 3, 1, 1);
    y = add(branch, convolve(active, take(), 1, stride, 0));
  }
  const means = overImage(relu(normalize(y, take(), take())), (v) => v.reduce((a, b) => a + b, 0) / v.length);
  const z = multiply(means, take());
  const bias = take();
  return z.map((row) => row.map((value, o) => value + bias[o]!));
}

describe('the forward pass is its definition, worked out in double precision:', () => {
  it.each<[string, Model, (x: Images, take: () => Float32Array) => number[][]]>([
    ['ResNet-9', resnet9({ inputShape: [11, 14, 2], outputs: 3 }), plainResnet9],
    ['WRN-10-2', wideResnet({ depth: 10, inputShape: [7, 10, 2], outputs: 3 }), plainWideResnet],
  ])('%s', async (_name, model, plain) => {
    const [height, width, channels] = model.inputShape as [number, number, number];
    const numbers = Float32Array.from(normals(generator(8), 3 * height * width * channels));
    const weights = initialWeights(model, 1).map((w, k) => w + 0.05 * Math.sin(k));
    const x = tf.tensor4d(numbers, [3, height, width, channels]);
    const take = inOrder(model, weights);
    const z = await scoped(async () => {
      const theta = model.parameters.map(({ shape }) => tf.tensor(take(), [...shape]));
      return (await model.forward(theta, x).array()) as number[][];
    });
    const expected = plain((await x.array()) as Images, inOrder(model, weights));
    x.dispose();
    const largest = Math.max(...expected.flat().map(Math.abs));
    expected.flat().forEach((value, k) => {
      expect(Math.abs(z.flat()[k]! - value)).toBeLessThan(2e-5 * largest);
    });
  });
});

describe('derivatives agree with differences:', () => {
  const data = arrays({
    inputShape: [12, 12, 3],
    classes: 10,
    inputs: normals(generator(3), 4 * 12 * 12 * 3),
    labels: [3, 7, 0, 7],
  });

  it.runIf(everything)('WRN-16-1 without kinks, in every direction', async () => {
    const model = wideResnet({ depth: 16, width: 1, inputShape: [12, 12, 3], activation: 'gelu' });
    const { passed, checks } = await verifyObjective(
      await empiricalRisk({ model, data, loss: crossEntropy, chunk: 4 }),
    );
    expect(passed, JSON.stringify(checks)).toBe(true);
  });

  // Its millions of parameters take WebAssembly minutes; its kernels are the small network's.
  it.runIf(engine === 'tensorflow').each([true, false])(
    'ResNet-9, batch normalisation %s: along its last layer, where no kink is crossed; and H is symmetric',
    async (batchNorm) => {
      const model = resnet9({ inputShape: [12, 12, 3], batchNorm });
      const objective = await empiricalRisk({ model, data, loss: crossEntropy, chunk: 4 });
      const m = objective.paramCount;
      const point = objective.at(objective.initialWeights(0));
      const last = Float32Array.from({ length: m }, (_, k) => (k < m - 1280 ? 0 : Math.sin(k)));
      const { product } = await point.hessianVector(last);
      const h = 3e-3;
      const [plus, minus] = [await point.moved(last, h).gradient(), await point.moved(last, -h).gradient()];
      const error = product.map((x, k) => x - (plus[k]! - minus[k]!) / (2 * h));
      // It is not the last layer's block alone: the derivative reaches the first kernel.
      expect(norm(product.subarray(0, 3 * 3 * 3 * 64))).toBeGreaterThan(1e-4 * norm(product));
      expect(norm(error)).toBeLessThan(2e-3 * norm(product));

      const v = Float32Array.from(normals(generator(5), m));
      const { product: Hv } = await point.hessianVector(v);
      expect(Math.abs(dot(last, Hv) - dot(v, product))).toBeLessThan(1e-5 * norm(last) * norm(Hv));
    },
  );
});

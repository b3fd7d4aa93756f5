import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Objective, Point } from '../../src/core/Objective.ts';
import { type ArraysOptions, arrays } from '../../src/datasets/arrays.ts';
import type { Model } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { type EmpiricalRiskOptions, empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import { mlp } from '../../src/models/mlp.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const N = 13;
const normal = (seed: number, count: number) => Float32Array.from(normals(generator(seed), count));
const classes = (count: number) => Array.from({ length: count }, (_, i) => (i * i + 1) % 3);
const data = arrays({
  inputShape: [4],
  classes: 3,
  inputs: normal(1, 4 * N),
  labels: classes(N),
  test: { inputs: normal(2, 4 * 6), labels: classes(6) },
});
const model = mlp({ inputs: 4, hidden: [5, 4], outputs: 3, activation: 'tanh' });
const M = 64;
const weights = normal(3, M);
const v = normal(4, M);
const u = normals(generator(5), N);
const batch = Int32Array.of(7, 2, 7, 12, 0, 7, 2, 11, 4);

const risk = (options: Partial<EmpiricalRiskOptions> = {}) =>
  empiricalRisk({ model, data, loss: crossEntropy, ...options });
/** A point that remembers nothing. */
const fresh = (objective: Objective) => objective.at(weights.slice());

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, k) => sum + x * b[k]!, 0);
/** Expects a vector within `relative` of another, in Euclidean norm. */
function near(actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number, what = ''): void {
  expect(actual.length, what).toBe(expected.length);
  const error = Array.from(actual).map((x, k) => x - expected[k]!);
  expect(Math.sqrt(dot(error, error) / dot(expected, expected)), what).toBeLessThan(relative);
}
/** Σ c_k a_k. */
const combination = (vectors: readonly ArrayLike<number>[], coefficients: ArrayLike<number>) =>
  Array.from({ length: vectors[0]!.length }, (_, k) =>
    vectors.reduce((sum, a, i) => sum + coefficients[i]! * a[k]!, 0),
  );

/** ⟨g, v⟩ and H v by central differences of fourth order, f′ ≈ (f₋₂ − 8f₋₁ + 8f₁ − f₂)/12h. */
async function differences(point: Point) {
  const h = 0.005;
  const points = [-2, -1, 1, 2].map((k) => point.moved(v, k * h));
  const coefficients = [1, -8, 8, -1].map((c) => c / (12 * h));
  const gradients = await Promise.all(points.map((p) => p.gradient()));
  const losses = await Promise.all(points.map((p) => p.loss()));
  return { slope: dot(losses, coefficients), Hv: combination(gradients, coefficients) };
}

/** Every kind of pass over the data. */
const PASSES: Record<string, (point: Point) => Promise<unknown>> = {
  'losses on train': (point) => point.performance('train'),
  'losses on test': (point) => point.performance('test'),
  gradient: (point) => point.gradient(),
  'batch gradient': (point) => point.batchGradient(batch),
  'Hessian product': (point) => point.hessianVector(v),
  'batch Hessian product': (point) => point.batchHessianVector(batch, v),
  'weighted gradient': (point) => point.weightedGradient(u),
  'norms of per-example gradients': (point) => point.exampleNormsSquared(),
};
const passes = Object.entries(PASSES);

describe('values', () => {
  it('are those of a linear model worked out by hand', async () => {
    const linear = await empiricalRisk({
      model: mlp({ inputs: 2, hidden: [], outputs: 2, activation: 'relu' }),
      data: arrays({ inputShape: [2], classes: 2, inputs: [1, 0, 0, 2, 3, 1], labels: [0, 0, 0] }),
      loss: meanSquaredError,
      chunk: 2,
    });
    // f(x) = x, so f − y = (0, 0), (−1, 2), (2, 1).
    const point = linear.at(Float32Array.of(1, 0, 0, 1, 0, 0));
    expect([...(await point.exampleLosses())]).toEqual([0, 2.5, 2.5]);
    const { loss, accuracy } = await point.performance('train');
    expect(loss).toBeCloseTo(5 / 3, 12);
    expect(accuracy).toBeCloseTo(2 / 3, 12);
    // ∂L/∂W = (1/n) Σ x (f − y)ᵀ, ∂L/∂b = (1/n) Σ (f − y).
    near(
      await point.gradient(),
      [6, 3, 0, 5, 1, 3].map((x) => x / 3),
      1e-6,
    );
    // H is the second moment of (x, 1), once an output: along the first bias it is the mean of (x, 1).
    const { product, projections } = await point.hessianVector(Float32Array.of(0, 0, 0, 0, 1, 0));
    near(product, [4 / 3, 0, 1, 0, 1, 0], 1e-6);
    expect([...projections!]).toEqual([0, -1, 2]);
  });

  it.each([1, 7, undefined])('do not depend on the chunk but for rounding: %s and all at once', async (chunk) => {
    const [whole, cut] = [fresh(await risk({ chunk: N })), fresh(await risk(chunk === undefined ? {} : { chunk }))];
    expect(cut.objective.metadata.chunk).toBe(chunk ?? N);
    near(await cut.gradient(), await whole.gradient(), 1e-6);
    near(await cut.exampleLosses(), await whole.exampleLosses(), 1e-6);
    const [a, b] = [await cut.hessianVector(v), await whole.hessianVector(v)];
    near(a.product, b.product, 2e-6);
    near(a.projections!, b.projections!, 2e-6);
    near(await cut.weightedGradient(u), await whole.weightedGradient(u), 2e-6);
    near(await cut.batchHessianVector(batch, v), await whole.batchHessianVector(batch, v), 2e-6);
    for (const split of ['train', 'test'] as const) {
      const [mine, its] = [await cut.performance(split), await whole.performance(split)];
      expect(mine.accuracy).toBe(its.accuracy);
      expect(mine.loss).toBeCloseTo(its.loss, 6);
      expect(mine.exampleLosses).toHaveLength(split === 'train' ? N : 6);
    }
  });

  it('are the same bits each time', async () => {
    const values = async () => {
      const point = fresh(await risk({ chunk: 7 }));
      return Promise.all(passes.map(([, pass]) => pass(point)));
    };
    expect(await values()).toEqual(await values());
  });

  it('without classes have no accuracy', async () => {
    const numbers = arrays({ inputShape: [4], inputs: data.train.inputs, targets: data.train.targets });
    expect((await fresh(await risk({ data: numbers })).performance('train')).accuracy).toBeNull();
  });
});

describe('derivatives', () => {
  it('along a vector near the ends of float32 are those along its direction', async () => {
    const objective = await risk();
    const whole = await fresh(objective).hessianVector(v);
    for (const scale of [1e-30, 1e30]) {
      const { product, projections } = await fresh(objective).hessianVector(v.map((x) => scale * x));
      near(
        product.map((x) => x / scale),
        whole.product,
        1e-6,
      );
      near(
        projections!.map((x) => x / scale),
        whole.projections!,
        1e-6,
      );
    }
  });

  it('g is the slope of L, and H v that of g along v: central differences agree', async () => {
    const point = fresh(await risk({ chunk: 7 }));
    const { slope, Hv } = await differences(point);
    const { product } = await point.hessianVector(v);
    near([dot(await point.gradient(), v)], [slope], 2e-4);
    near(product, Hv, 2e-5);
  });

  it('H is symmetric', async () => {
    const point = fresh(await risk({ chunk: 7 }));
    const w = normal(6, M);
    const [Hv, Hw] = [(await point.hessianVector(v)).product, (await point.hessianVector(w)).product];
    const scale = Math.sqrt(dot(w, w) * dot(Hv, Hv));
    expect(Math.abs(dot(w, Hv) - dot(v, Hw))).toBeLessThan(1e-6 * scale);
  });

  it('are means of those of single examples: projections, weighted sums, batches with repeated indices', async () => {
    const point = fresh(await risk({ chunk: 4 }));
    const single = await Promise.all(Array.from({ length: N }, (_, i) => point.batchGradient(Int32Array.of(i))));
    const gradients = single.map(({ gradient }) => gradient);
    const Hv = await Promise.all(Array.from({ length: N }, (_, i) => point.batchHessianVector(Int32Array.of(i), v)));
    const mean = new Array(N).fill(1 / N);
    const share = Array.from({ length: N }, (_, i) => batch.filter((j) => j === i).length / batch.length);

    near(
      (await point.hessianVector(v)).projections!,
      gradients.map((g) => dot(g, v)),
      2e-6,
      'projections',
    );
    near((await point.hessianVector(v)).product, combination(Hv, mean), 2e-6, 'H v');
    near(await point.gradient(), combination(gradients, mean), 2e-6, 'g');
    near(await point.weightedGradient(u), combination(gradients, u), 2e-6, 'weighted');
    near(await point.batchHessianVector(batch, v), combination(Hv, share), 2e-6, 'batch H v');

    const seen = await point.batchGradient(batch);
    near(seen.gradient, combination(gradients, share), 2e-6, 'batch g');
    near(
      seen.exampleLosses!,
      Array.from(batch, (i) => single[i]!.loss),
      1e-6,
      'losses in the order of the batch',
    );
    expect(seen.loss).toBeCloseTo(
      dot(
        share,
        single.map(({ loss }) => loss),
      ),
      6,
    );
    expect(seen.accuracy).toBeCloseTo(
      dot(
        share,
        single.map(({ accuracy }) => accuracy!),
      ),
      12,
    );
  });

  it('are 0 for a parameter that the outputs do not depend on', async () => {
    const idle: Model = {
      ...model,
      name: 'idle',
      parameters: [
        ...model.parameters,
        { name: 'idle', shape: [2], initializer: { distribution: 'constant', scale: 0 } },
      ],
    };
    const point = (await risk({ model: idle })).at(Float32Array.of(...weights, 1, 2));
    expect([...(await point.gradient()).subarray(M)]).toEqual([0, 0]);
    const { product } = await point.hessianVector(Float32Array.of(...v, 1, 1));
    expect([...product.subarray(M)]).toEqual([0, 0]);
    near(product.subarray(0, M), (await fresh(await risk()).hessianVector(v)).product, 1e-6);
  });

  it('of coupled examples belong to the chunks, and nothing is said of a single example', async () => {
    const coupled: Model = {
      ...model,
      name: 'centred',
      coupled: true,
      forward: (theta, x) => {
        const z = model.forward(theta, x);
        return tf.sub(z, tf.mean(z, 0, true));
      },
    };
    const point = fresh(await risk({ model: coupled, chunk: 5 }));
    const { product, projections } = await point.hessianVector(v);
    near(product, (await differences(point)).Hv, 2e-4);
    expect(projections).toBeNull();
    expect((await point.performance('train')).exampleLosses).toBeNull();
    await expect(point.exampleLosses()).rejects.toThrow('the loss of a single example is not defined');
    await expect(point.weightedGradient(u)).rejects.toThrow(
      'is not defined. The loss of one example depends on the others',
    );
    const whole = fresh(await risk({ model: coupled, chunk: N }));
    expect(Math.abs((await whole.loss()) - (await point.loss()))).toBeGreaterThan(1e-3);
  });
});

it('lets timers and signals in while products follow each other', async () => {
  const point = fresh(await risk());
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const end = performance.now() + 400;
  for (let k = 1; performance.now() < end; k++) await point.hessianVector(v.map((x) => k * x));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(1);
});

describe('the device', () => {
  it.each(passes)('holds no tensor more after a pass: %s', async (_name, pass) => {
    await nextTurn();
    const before = tf.memory().numTensors;
    const objective = await risk({ chunk: 4 });
    expect(tf.memory().numTensors, 'after creation').toBe(before);
    await pass(fresh(objective));
    await nextTurn();
    expect(tf.memory().numTensors).toBe(before);
  });

  /** The model, but its forward pass throws at the call that `failure.at` counts down to. */
  function fragile() {
    const failure = { at: Number.POSITIVE_INFINITY };
    const net: Model = {
      ...model,
      name: 'fragile',
      forward: (theta, x) => {
        const z = model.forward(theta, x);
        if (--failure.at === 0) throw new Error('out of luck');
        return z;
      },
    };
    return { net, failure };
  }

  it.each(passes.flatMap(([name, pass]) => [1, 2].map((at) => [name, at, pass] as const)))(
    'holds no tensor more after a model that threw: %s, chunk %d; the pass is not counted and the next one works',
    async (_name, at, pass) => {
      await nextTurn();
      const before = tf.memory().numTensors;
      const { net, failure } = fragile();
      const objective = await risk({ model: net, chunk: 4 });
      failure.at = at;
      const point = fresh(objective);
      await expect(pass(point)).rejects.toThrow('out of luck');
      await nextTurn();
      expect(tf.memory().numTensors).toBe(before);
      expect(objective.cost).toEqual({ forwards: 0, gradients: 0, products: 0 });
      expect(await pass(point)).toEqual(await pass(fresh(await risk({ chunk: 4 }))));
      await nextTurn();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('holds no tensor more after a model that threw at once', async () => {
    const before = tf.memory().numTensors;
    const { net, failure } = fragile();
    failure.at = 1;
    await expect(risk({ model: net })).rejects.toThrow('out of luck');
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(passes)('lets the event loop turn between two chunks: %s', async (name, pass) => {
    const objective = await risk({ chunk: 1 });
    const examples = { 'losses on test': 6, 'batch gradient': batch.length, 'batch Hessian product': batch.length };
    let turns = 0;
    let done = false;
    const counting = (async () => {
      for (; !done; turns++) await nextTurn();
    })();
    await pass(fresh(objective));
    const during = turns;
    done = true;
    await counting;
    expect(during).toBeGreaterThanOrEqual(((examples as Record<string, number>)[name] ?? N) - 1);
  });
});

describe('until(signal)', () => {
  it('stops between two products: the one that has begun is finished, the next is never begun', async () => {
    const objective = await risk({ chunk: 1 });
    const controller = new AbortController();
    const point = fresh(objective).until(controller.signal);
    const begun = point.hessianVector(v);
    await nextTurn();
    controller.abort(new Error('unsubscribed'));
    await expect(point.hessianVector(v.slice())).rejects.toThrow('unsubscribed');
    near((await begun).product, (await fresh(await risk()).hessianVector(v)).product, 2e-6);
    for (const [name, pass] of passes) await expect(pass(point), name).rejects.toThrow('unsubscribed');
    await expect(point.moved(v, 0.1).gradient()).rejects.toThrow('unsubscribed');
    expect(objective.cost).toEqual({ forwards: 0, gradients: 0, products: 1 });
  });
});

describe('is refused:', () => {
  const flat: ArraysOptions = { inputShape: [4], inputs: data.train.inputs, labels: classes(N), classes: 3 };

  it.each<[string, Partial<EmpiricalRiskOptions>, string]>([
    [
      'inputs that the model does not take',
      { data: arrays({ ...flat, inputShape: [2, 2, 13], inputs: normal(1, 52 * N) }) },
      'empiricalRisk: the data set arrays has inputs of shape [2,2,13], the model mlp takes [4]. ' +
        'They must have equally many entries.',
    ],
    [
      'images with their channels first',
      {
        model: cnn({ inputShape: [8, 8, 2], outputs: 3 }),
        data: arrays({ ...flat, inputShape: [2, 8, 8], inputs: normal(1, 128 * N) }),
      },
      'empiricalRisk: the data set arrays has inputs of shape [2,8,8], the model cnn takes [8,8,2]: as many entries, ' +
        'and each would be taken for another. Transpose the data (channels come last: [height, width, channels]), or',
    ],
    [
      'classes that the model does not have',
      { data: arrays({ ...flat, classes: 4 }) },
      'empiricalRisk: the data set arrays has 4 targets an example, the model mlp has 3 outputs. They must agree.',
    ],
    [
      'targets that are no shares with the cross-entropy of shares',
      { data: arrays({ inputShape: [4], inputs: data.train.inputs, targets: normal(8, 3 * N) }) },
      'empiricalRisk: the target of example 0 is [',
    ],
    [
      'test targets that are none',
      {
        data: arrays({
          inputShape: [4],
          inputs: data.train.inputs,
          targets: data.train.targets,
          test: { inputs: [1, 2, 3, 4], targets: [1, 1, 0] },
        }),
      },
      'empiricalRisk: the target of test example 0 is [1, 1, 0], and the loss',
    ],
    ['an empty chunk', { chunk: 0 }, 'empiricalRisk: chunk is 0. It must be an integer of at least 1.'],
    [
      'less than nothing to keep',
      { keptBytes: -1 },
      'empiricalRisk: keptBytes is -1. It must be an integer of at least 0.',
    ],
    ['a part of an example', { chunk: 2.5 }, 'empiricalRisk: chunk is 2.5. It must be an integer of at least 1.'],
  ])('%s', async (_name, options, message) => {
    await expect(risk(options)).rejects.toThrow(message);
  });

  it.each<[string, object, string]>([
    ['data that was not awaited', { data: Promise.resolve(data) }, 'data is a promise. Await it first: data: await …'],
    ['a model that was not awaited', { model: Promise.resolve(model) }, 'model is a promise. Await it first'],
    ['a function for a model', { model: mlp }, 'model is a function. Call it, and hand over what it returns'],
    ["a loss's name", { loss: 'crossEntropy' }, "loss is 'crossEntropy'. It is an object, not its name: import"],
    ['no loss', { loss: undefined }, 'loss is missing. It must be an object: crossEntropy, or one of'],
    [
      'a loss that has another degree than it says',
      { loss: { ...meanSquaredError, degree: 1 } },
      'the loss meanSquaredError says degree: 1, and outputs and targets of twice the size change it from 3.010',
    ],
    [
      'a degree that is no number',
      { loss: { ...meanSquaredError, degree: '2' } },
      "loss.degree is '2'. It must be a finite number.",
    ],
    ['a loss without its function', { loss: { name: 'odd', config: {} } }, 'loss.perExample is missing.'],
    ['a wrong name', { chunks: 3 }, "there is no option 'chunks'. Did you mean chunk?"],
    ['no forward', { model: { ...model, forward: undefined } }, 'model.forward is missing. It must be a function'],
    ['no parameters', { model: { ...model, parameters: [] } }, 'model.parameters is []. There is nothing to train.'],
    [
      'a parameter twice',
      { model: { ...model, parameters: [model.parameters[0], model.parameters[0]] } },
      "model.parameters[1].name is 'dense1/kernel', as one before it is.",
    ],
    [
      'an unknown distribution',
      { model: { ...model, parameters: [{ name: 'w', shape: [2], initializer: { distribution: 'norm', scale: 1 } }] } },
      "model.parameters[0].initializer.distribution is 'norm'. Did you mean 'normal'?",
    ],
    [
      'data of plain arrays',
      { data: { ...data, train: { ...data.train, inputs: [1, 2] } } },
      'data.train.inputs is [1, 2]. It must be a Float32Array; arrays({ … }) makes one.',
    ],
    [
      'a row too few',
      { data: { ...data, train: { ...data.train, inputs: data.train.inputs.subarray(4) } } },
      `data.train.inputs has ${4 * N - 4} entries. ${N} examples of 4 have ${4 * N}.`,
    ],
    [
      'classes that are counted from 1',
      { data: { ...data, train: { ...data.train, labels: Array.from({ length: N }, (_, i) => 1 + (i % 3)) } } },
      'data.train.labels[2] is 3. The class of an example is the place of its largest output, from 0 to 2;',
    ],
    [
      'labels of 64 bits',
      { data: { ...data, train: { ...data.train, labels: new BigInt64Array(N) } } },
      'data.train.labels[0] is 0n. The class',
    ],
  ])('%s in plain JavaScript', async (_name, options, message) => {
    await expect(risk(options)).rejects.toThrow(`empiricalRisk: ${message}`);
  });

  const C = 3;
  const perExample = crossEntropy.perExample;
  it.each<[string, Model['forward'], string]>([
    [
      'one number an example for several outputs',
      (theta, x) => tf.sum(model.forward(theta, x), 1),
      `a tensor of shape [2] for a batch of B = 2 examples. It must return [B, ${C}].`,
    ],
    [
      'a column too few',
      (theta, x) => tf.slice(model.forward(theta, x), [0, 1]),
      'a tensor of shape [2,2] for a batch',
    ],
    ['a mean over the batch', (theta, x) => tf.mean(model.forward(theta, x), 0, true), 'a tensor of shape [1,3] for'],
    ['nothing', () => undefined as unknown as Tensor, 'undefined for a batch of B = 2 examples.'],
    [
      'NaN',
      (theta, x) => tf.log(tf.neg(tf.square(model.forward(theta, x)))),
      'NaN for the first two examples at the initial weights of seed 0.',
    ],
  ])('a forward pass that returns %s', async (_name, forward, message) => {
    const before = tf.memory().numTensors;
    await expect(risk({ model: { ...model, name: 'mine', forward } })).rejects.toThrow(
      `empiricalRisk: forward of the model mine returned ${message}`,
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each<[string, (z: Tensor, y: Tensor) => Tensor, string]>([
    [
      'a mean over the examples',
      (z, y) => tf.mean(perExample(z, y)),
      'a tensor of shape [] for a batch of B = 2 examples. It must return [B], one number an example.',
    ],
    ['a number for each output', (z, y) => tf.mul(z, y), 'a tensor of shape [2,3] for a batch'],
    ['infinity', (z, y) => tf.div(perExample(z, y), 0), 'Infinity for the first two examples'],
  ])('a loss that returns %s', async (_name, wrong, message) => {
    await expect(risk({ loss: { name: 'odd', config: {}, perExample: wrong } })).rejects.toThrow(
      `empiricalRisk: perExample of the loss odd returned ${message}`,
    );
  });

  it('an operation whose second derivative is not verified, by name, when the objective is made', async () => {
    const before = tf.memory().numTensors;
    const summed: Model = {
      ...model,
      name: 'summed',
      forward: (theta, x) => tf.cumprod(model.forward(theta, x) as Tensor2D, 1),
    };
    await expect(risk({ model: summed, chunk: 4 })).rejects.toThrow(
      'empiricalRisk (summed): the operation Cumprod is not verified to second order.',
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it('an operation not verified that only larger chunks take, at the product, not at the gradient', async () => {
    const lurking: Model = {
      ...model,
      name: 'lurking',
      forward: (theta, x) => {
        const z = model.forward(theta, x);
        return x.shape[0]! > 3 ? tf.atan(z) : z;
      },
    };
    const point = fresh(await risk({ model: lurking }));
    expect(await point.gradient()).toHaveLength(M);
    await expect(point.hessianVector(v)).rejects.toThrow('empiricalRisk (lurking): the operation Atan is not verified');
  });

  it('an operation that is not verified in the loss', async () => {
    const perExample = (z: Tensor, y: Tensor) => tf.cumprod(crossEntropy.perExample(z, y));
    await expect(risk({ loss: { name: 'odd', config: {}, perExample } })).rejects.toThrow('the operation Cumprod');
  });

  it('test losses where there are no test examples', async () => {
    const point = fresh(await risk({ data: arrays(flat) }));
    await expect(point.performance('test')).rejects.toThrow(
      'empiricalRisk: the data set arrays has no test examples. Load it with some, or leave the test columns out.',
    );
  });

  it('a vector, weights or a batch that do not fit', async () => {
    const objective = await risk();
    const point = fresh(objective);
    expect(() => objective.at(new Float32Array(M + 1))).toThrow('empiricalRisk: θ has 65 entries. It must have 64.');
    await expect(point.hessianVector(new Float32Array(3))).rejects.toThrow('empiricalRisk: v has 3 entries.');
    await expect(point.weightedGradient(new Float64Array(M))).rejects.toThrow('u has 64 entries. It must have 13.');
    await expect(point.batchGradient(Int32Array.of(0, 13))).rejects.toThrow('the batch names example 13. There are 13');
    await expect(point.batchHessianVector(new Int32Array(), v)).rejects.toThrow('the batch is empty.');
  });
});

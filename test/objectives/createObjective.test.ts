import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { covarianceEigenpairs } from '../../src/estimators/covarianceEigenpairs.ts';
import { generator, signs } from '../../src/linalg/random.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';
import type { Derivatives } from '../../src/objectives/Derivatives.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';
import { quadratic, toy } from '../../src/objectives/quadratic.ts';
import { verifyObjective } from '../../src/objectives/verifyObjective.ts';
import { lssr } from '../../src/theory/lssr.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const flat: Derivatives = {
  name: 'flat',
  paramCount: 2,
  exampleCount: 3,
  coupled: false,
  metadata: {},
  initialWeights: () => new Float32Array(2),
  performance: async () => ({ loss: 1, accuracy: null, exampleLosses: Float64Array.of(1, 1, 1) }),
  lossAndGradient: async () => ({ loss: 1, gradient: new Float32Array(2), exampleLosses: null, accuracy: null }),
  hessianVector: async () => ({ product: new Float32Array(2), projections: new Float64Array(3) }),
  weightedGradient: async () => new Float32Array(2),
};

describe('in plain JavaScript', () => {
  it.each<[string, () => unknown]>([
    ['flat: θ is [0, 1]. It must be a Float32Array; Float32Array.from(…) makes one.', () => toyAt([0, 1])],
    ['flat: θ has 3 entries. It must have 2.', () => toyAt(new Float32Array(3))],
    ['flat: paramCount is 0. It must be an integer', () => createObjective({ ...flat, paramCount: 0 })],
    ['flat: seed is 0.5. It must be an integer below', () => createObjective(flat).initialWeights(0.5)],
    [
      "quadratic: A[0][1] is ''. It must be a number",
      () =>
        quadratic({
          A: [
            [1, ''],
            [0, 1],
          ],
        } as never),
    ],
    ['quadratic: A is 3. It must be an array', () => quadratic({ A: 3 } as never)],
    ["quadratic: there is no option 'B'.", () => quadratic({ A: [[1]], B: [1] } as never)],
    ['quadratic: c is null. It must be a finite number.', () => quadratic({ A: [[1]], c: null } as never)],
    ["toy: alpha is '1'. It must be a finite number.", () => toy('1' as never)],
    ['leastSquares: y[1] is null. It must be a number', () => leastSquares({ X: [[1], [2]], y: [1, null] } as never)],
    ['leastSquares: X is missing. It must be an array', () => leastSquares({} as never)],
    ["lssr: there is no option 'batchsize'. Did you mean batchSize?", () => lssr({ batchsize: 1 } as never)],
    ['gradientDescent: initialWeights[0] is null.', () => descend({ initialWeights: [null, 1] })],
    ["gradientDescent: beta1 is '0.5'. It must be a number from 0 to 1", () => descend({ beta1: '0.5' })],
    [
      "flat: coupled is 'false'. It must be true or false.",
      () => createObjective({ ...flat, coupled: 'false' as never }),
    ],
    ["gradientDescent: replacement is 'no'. It must be true or false.", () => descend({ replacement: 'no' })],
    ["gradientDescent (until): there is no option 'los'. Did you mean loss?", () => descend({ until: { los: 1 } })],
  ])('%s', (message, call) => {
    expect(call).toThrow(message);
  });

  const toyAt = (weights: unknown) => createObjective(flat).at(weights as Float32Array);
  const descend = (options: object) => gradientDescent(toy(), { learningRate: 0.1, steps: 1, ...options } as never);

  it('vectors and batches of another kind are refused', async () => {
    const point = toyAt(new Float32Array(2));
    await expect(point.hessianVector([1, 2] as never)).rejects.toThrow('flat: v is [1, 2]. It must be a Float32Array');
    await expect(point.weightedGradient([1, 2, 3] as never)).rejects.toThrow(
      'flat: u is [1, 2, 3]. It must be a Float6',
    );
    await expect(point.batchGradient([0, 1] as never)).rejects.toThrow('flat: the batch is [0, 1]. It must be a Int32');
    await expect(verifyObjective(toy(), { seeds: 1 } as never)).rejects.toThrow("there is no option 'seeds'");
  });

  it('and so is what the functions return', async () => {
    const short = createObjective({
      ...flat,
      lossAndGradient: async () => ({ loss: 1, gradient: new Float32Array(1), exampleLosses: null, accuracy: null }),
      hessianVector: async () => ({ product: [1, 2] as never, projections: null }),
    }).at(new Float32Array(2));
    await expect(short.gradient()).rejects.toThrow(
      'flat: the gradient that was returned has 1 entries. It must have 2.',
    );
    await expect(short.hessianVector(new Float32Array(2))).rejects.toThrow(
      'flat: the H v that was returned is [1, 2].',
    );
  });

  it('of the single examples too, where they are not coupled', async () => {
    const without = createObjective({
      ...flat,
      performance: async (_, split) => ({
        ...{ loss: 1, accuracy: null },
        exampleLosses: split === 'test' ? new Float64Array(9) : null,
      }),
      lossAndGradient: async () => ({
        ...{ loss: 1, gradient: new Float32Array(2), accuracy: null },
        exampleLosses: new Float64Array(2),
      }),
      hessianVector: async () => ({ product: new Float32Array(2), projections: null }),
    }).at(new Float32Array(2));
    const search = covarianceEigenpairs(without, { who: 'test', count: 1, tolerance: 0.1 }, null);
    await expect(search).rejects.toThrow('hessianVector: the g_iᵀv that was returned is null, and');
    await expect(without.exampleLosses()).rejects.toThrow('flat: the ℓ_i that was returned is null.');
    await expect(without.gradient()).rejects.toThrow('flat: the ℓ_i that was returned has 2 entries. It must have 3.');
    expect((await without.performance('test')).exampleLosses).toHaveLength(9);
    expect(await without.loss()).toBe(1);

    const afterwards = createObjective(flat).at(new Float32Array(2));
    await afterwards.gradient();
    expect(await afterwards.exampleLosses()).toEqual(Float64Array.of(1, 1, 1));
  });
});

it('rows may be typed arrays, of 64-bit integers too', async () => {
  const X = [Float64Array.of(1, 2), BigInt64Array.of(3n, 4n)];
  const [mine, plain] = [
    leastSquares({ X, y: Float32Array.of(1, 2) }),
    leastSquares({
      X: [
        [1, 2],
        [3, 4],
      ],
      y: [1, 2],
    }),
  ];
  const w = Float32Array.of(0.5, -1);
  expect(await mine.at(w).gradient()).toEqual(await plain.at(w).gradient());
});

describe('arrays that are written to again', () => {
  it('a v whose numbers have changed is multiplied anew', async () => {
    const point = toy(1).at(Float32Array.of(1, 1));
    const v = Float32Array.of(1, 0);
    expect((await point.hessianVector(v)).product).toEqual(Float32Array.of(2, 0));
    v.set([0, 1]);
    expect((await point.hessianVector(v)).product).toEqual(Float32Array.of(0, 32));
  });

  it('a v of random signs that is drawn anew in place is another each time, and so are weights that are turned', async () => {
    const m = 16;
    const A = Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_, j) => (i === j ? i - 20 : 0)));
    const objective = quadratic({ A });
    const point = objective.at(new Float32Array(m));
    const v = new Float32Array(m);
    for (let k = 0; k < 100; k++) {
      v.set(signs(generator(k), m));
      expect((await point.hessianVector(v)).product).toEqual(v.map((x, i) => (i - 20) * x));
    }
    const weights = new Float32Array(m).fill(2);
    expect((await objective.at(weights).gradient())[0]).toBe(-40);
    expect((await objective.at(weights.map((w) => -w)).gradient())[0]).toBe(40);
    weights.set(weights.map((w) => -w));
    expect((await objective.at(weights).gradient())[0]).toBe(40);
  });

  it('weights that are updated in place are other weights, and a point stays at those it was made of', async () => {
    const [objective, weights] = [toy(1), Float32Array.of(1, 1)];
    const before = objective.at(weights);
    expect(objective.at(weights)).toBe(before);
    weights.set([3, 0]);
    expect(await objective.at(weights).gradient()).toEqual(Float32Array.of(6, 0));
    expect(await before.gradient()).toEqual(Float32Array.of(2, 32));
  });

  it.each<[string, (objective: Objective) => Promise<unknown>]>([
    ['gradient', (objective) => objective.at(new Float32Array(2)).gradient()],
    ['H v', (objective) => objective.at(new Float32Array(2)).hessianVector(new Float32Array(2))],
    ['Σ u_i g_i', (objective) => objective.at(new Float32Array(2)).weightedGradient(new Float64Array(3))],
  ])('one in which every %s is returned is refused', async (what, ask) => {
    const buffer = new Float32Array(2);
    const next = () => buffer.fill(buffer[0]! + 1);
    const objective = createObjective({
      ...flat,
      lossAndGradient: async () => ({ loss: 1, gradient: next(), exampleLosses: null, accuracy: null }),
      hessianVector: async () => ({ product: next(), projections: new Float64Array(3) }),
      weightedGradient: async () => next(),
    });
    await ask(objective);
    await expect(ask(objective)).rejects.toThrow(`flat: the ${what} that was returned lies in an array that was`);
  });
});

describe('a point', () => {
  /** ½ (4w₁² + w₂²) or the like: gradient A w. */
  const bowl = () =>
    quadratic({
      A: [
        [4, 0],
        [0, 1],
      ],
    });

  it('of an array that is filled anew is another, and the one before stays what it was', async () => {
    const objective = bowl();
    const buffer = Float32Array.of(1, 2);
    const before = objective.at(buffer);
    expect([...(await before.gradient())]).toEqual([4, 2]);
    buffer.set([3, 5]);
    const after = objective.at(buffer);
    expect([...(await after.gradient())]).toEqual([12, 5]);
    expect(await after.loss()).toBe(30.5);
    expect([...(await before.gradient())]).toEqual([4, 2]);
    expect([...before.weights]).toEqual([1, 2]);
  });

  it('that is asked only after its array was filled anew answers for the weights that it was made with', async () => {
    const buffer = Float32Array.of(1, 2);
    const point = bowl().at(buffer);
    const first = point.loss();
    buffer.set([3, 5]);
    expect(await first).toBe(4);
    expect([...(await point.gradient())]).toEqual([4, 2]);
    expect([...(await point.batchGradient(Int32Array.of(0))).gradient]).toEqual([4, 2]);
  });

  it('takes directions, batches and weights of examples as they are at the call', async () => {
    const point = bowl().at(Float32Array.of(1, 2));
    const v = Float32Array.of(1, 0);
    const u = Float64Array.of(1);
    const batch = Int32Array.of(0);
    const asked = [
      point.hessianVector(v).then(({ product }) => product),
      point.batchHessianVector(batch, v),
      point.weightedGradient(u),
      point.batchGradient(batch).then(({ gradient }) => gradient),
    ];
    v.set([0, 3]);
    u[0] = 7;
    batch[0] = 9;
    expect((await Promise.all(asked)).map((vector) => [...vector])).toEqual([
      [4, 0],
      [4, 0],
      [4, 2],
      [4, 2],
    ]);
    expect([...(await point.hessianVector(v)).product]).toEqual([0, 3]);
    expect(await point.hessianVector(v)).toBe(await point.hessianVector(v));
  });

  it('is the same for the same array while nothing in it changes, also one that is not a number', () => {
    const objective = bowl();
    const weights = Float32Array.of(Number.NaN, 2);
    const point = objective.at(weights);
    expect(objective.at(weights)).toBe(point);
    expect(objective.at(weights.slice())).not.toBe(point);
    weights[1] = -0;
    const other = objective.at(weights);
    expect(other).not.toBe(point);
    weights[1] = 0;
    expect(objective.at(weights)).not.toBe(other);
  });
});

import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/core/Dataset.ts';
import type { Objective } from '../../src/core/Objective.ts';
import { arrays } from '../../src/datasets/arrays.ts';
import { digits } from '../../src/datasets/digits.ts';
import type { Loss } from '../../src/engine/Loss.ts';
import type { Model } from '../../src/engine/Model.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import type { Activation } from '../../src/models/layers.ts';
import { mlp } from '../../src/models/mlp.ts';
import { wideResnet } from '../../src/models/wideResnet.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';
import type { Derivatives } from '../../src/objectives/Derivatives.ts';
import { verifyObjective } from '../../src/objectives/verifyObjective.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { everything } from '../helpers/everything.ts';

const LOSSES = [crossEntropy, meanSquaredError];
const perceptron = (activation: Activation, hidden: number[], weightScale = 1.4) =>
  mlp({ inputs: 64, hidden, outputs: 10, activation, weightScale });
const images = (n: number) =>
  arrays({
    inputShape: [8, 8, 2],
    classes: 3,
    inputs: Float32Array.from(normals(generator(5), n * 128)),
    labels: Array.from({ length: n }, (_, i) => i % 3),
  });
const shape = { inputShape: [8, 8, 2], outputs: 3 };

async function verdict(objective: Objective, seed: number) {
  const { passed, checks } = await verifyObjective(objective, { seed });
  return { passed, failed: checks.filter((check) => !check.passed) };
}

describe('a network that is right passes', () => {
  const networks: [string, (n: number) => Promise<Dataset>, Model, Loss, number][] = [];
  for (const loss of LOSSES) {
    for (const activation of ['relu', 'tanh', 'gelu'] as const) {
      for (const n of everything ? [16, 256] : [16]) {
        const model = perceptron(activation, n === 16 ? [32, 32, 32] : [48]);
        networks.push([`mlp with ${activation}`, (train) => digits({ train }), model, loss, n]);
      }
    }
    for (const pooling of ['max', 'average'] as const) {
      const model = cnn({ ...shape, channels: [4, 8], pooling: [pooling, 'max'] });
      networks.push([`cnn with ${pooling} pooling`, async (n) => images(n), model, loss, 32]);
    }
    const residual = wideResnet({ ...shape, depth: 10, width: 1, batchNorm: false });
    networks.push(['residual network', async (n) => images(n), residual, loss, 8]);
  }
  const normalized = wideResnet({ ...shape, depth: 10, width: 1 });
  networks.push(['residual network with batch normalisation', async (n) => images(n), normalized, crossEntropy, 16]);

  it.each(networks.map(([what, data, model, loss, n]) => ({ what, data, model, loss, n, name: loss.name })))(
    '$what, $name, $n examples',
    async ({ data, model, loss, n, what }) => {
      const objective = await empiricalRisk({ model, data: await data(n), loss });
      for (const seed of what.startsWith('mlp') && everything ? [0, 1, 2] : [0]) {
        expect(await verdict(objective, seed), `seed ${seed}`).toEqual({ passed: true, failed: [] });
      }
    },
  );
});

/** An objective that asks another one for its derivatives, and spoils some. */
function spoiled(inner: Objective, spoil: (right: Derivatives) => Partial<Derivatives>): Objective {
  const { paramCount, exampleCount, coupled, metadata } = inner;
  const right: Derivatives = {
    name: 'spoiled',
    paramCount,
    exampleCount,
    coupled,
    metadata,
    initialWeights: (seed) => inner.initialWeights(seed),
    performance: (w) => inner.at(w).performance('train'),
    lossAndGradient: async (w, batch) => {
      const point = inner.at(w);
      if (batch) return point.batchGradient(batch);
      const gradient = await point.gradient();
      return { ...(await point.performance('train')), gradient };
    },
    hessianVector: async (w, v, batch) =>
      batch
        ? { product: await inner.at(w).batchHessianVector(batch, v), projections: null }
        : inner.at(w).hessianVector(v),
    weightedGradient: (w, u) => inner.at(w).weightedGradient(u),
  };
  return createObjective({ ...right, ...spoil(right) });
}

const off = (x: Float32Array) => x.map((y) => 1.01 * y);
const plus = (x: Float32Array, w: Float32Array, scale: number) => {
  const sum = x.slice();
  addScaled(sum, w, scale);
  return sum;
};
/** R = ½ c ‖θ‖² with c large enough to be a hundredth of what matters. */
const DECAY = 0.05;
const square = (w: Float32Array) => (DECAY / 2) * w.reduce((sum, x) => sum + x * x, 0);

/** A gradient 1 % off, everywhere. */
const gradientOff = (right: Derivatives): Partial<Derivatives> => ({
  lossAndGradient: async (w, batch) => {
    const { gradient, ...rest } = await right.lossAndGradient(w, batch);
    return { ...rest, gradient: off(gradient) };
  },
  hessianVector: async (w, v, batch) => {
    const { product, projections } = await right.hessianVector(w, v, batch);
    return { product, projections: projections?.map((p) => 1.01 * p) ?? null };
  },
  weightedGradient: async (w, u) => off(await right.weightedGradient(w, u)),
});

const WRONG: Record<string, (right: Derivatives) => Partial<Derivatives>> = {
  'gradient 1 % off': gradientOff,
  'H v 1 % off': (right) => ({
    hessianVector: async (w, v, batch) => {
      const { product, projections } = await right.hessianVector(w, v, batch);
      return { product: off(product), projections };
    },
  }),
  'gradient and H v 1 % off': (right) => {
    const half = gradientOff(right);
    return {
      ...half,
      hessianVector: async (w, v, batch) => {
        const { product, projections } = await half.hessianVector!(w, v, batch);
        return { product: off(product), projections };
      },
    };
  },
  'a term that the derivatives lack': (right) => ({
    performance: async (w, split) => {
      const { loss, exampleLosses, accuracy } = await right.performance(w, split);
      return { loss: loss + square(w), accuracy, exampleLosses: exampleLosses?.map((l) => l + square(w)) ?? null };
    },
    lossAndGradient: async (w, batch) => {
      const { loss, exampleLosses, ...rest } = await right.lossAndGradient(w, batch);
      return { ...rest, loss: loss + square(w), exampleLosses: exampleLosses?.map((l) => l + square(w)) ?? null };
    },
  }),
  'a term that H v lacks': (right) => ({
    performance: async (w, split) => {
      const { loss, exampleLosses, accuracy } = await right.performance(w, split);
      return { loss: loss + square(w), accuracy, exampleLosses: exampleLosses?.map((l) => l + square(w)) ?? null };
    },
    lossAndGradient: async (w, batch) => {
      const { loss, exampleLosses, gradient, accuracy } = await right.lossAndGradient(w, batch);
      const losses = exampleLosses?.map((l) => l + square(w)) ?? null;
      return { loss: loss + square(w), gradient: plus(gradient, w, DECAY), exampleLosses: losses, accuracy };
    },
    hessianVector: async (w, v, batch) => {
      const { product, projections } = await right.hessianVector(w, v, batch);
      const more = DECAY * w.reduce((sum, x, k) => sum + x * v[k]!, 0);
      return { product, projections: projections?.map((p) => p + more) ?? null };
    },
    weightedGradient: async (w, u) => plus(await right.weightedGradient(w, u), w, DECAY * u.reduce((a, b) => a + b, 0)),
  }),
  noise: (right) => {
    let calls = 0;
    return {
      lossAndGradient: async (w, batch) => {
        const { gradient, ...rest } = await right.lossAndGradient(w, batch);
        const scale = 1 + 1e-3 * normals(generator(calls++), 1)[0]!;
        return { ...rest, gradient: gradient.map((g) => scale * g) };
      },
    };
  },
};

it('a network whose weights lie beside a kink passes, and one whose cross-entropy has become small', async () => {
  const data = await digits({ train: 128 });
  for (const loss of LOSSES) {
    const objective = await empiricalRisk({ model: perceptron('relu', [32, 32]), data, loss });
    for (const seed of [4, 22]) expect(await verdict(objective, seed)).toEqual({ passed: true, failed: [] });
  }
  for (const activation of ['gelu', 'tanh'] as const) {
    const objective = await empiricalRisk({ model: perceptron(activation, [32, 32], 1.2), data, loss: crossEntropy });
    const steps = gradientDescent(objective, { learningRate: 0.2, beta1: 0.9, steps: 15, seed: 2 });
    const { weights } = await lastValueFrom(steps);
    expect((await verifyObjective(objective, { weights })).checks.filter((check) => !check.passed)).toEqual([]);
  }
});

describe('an objective that is wrong does not pass', () => {
  const models = (['relu', 'tanh'] as const).flatMap((activation) =>
    LOSSES.map((loss) => ({ activation, loss, model: perceptron(activation, [16, 16]) })),
  );
  it.each(Object.entries(WRONG))('%s', async (_name, spoil) => {
    for (const { model, loss, activation } of models) {
      const inner = await empiricalRisk({ model, loss, data: await digits({ train: 64 }) });
      for (const seed of everything ? [0, 1] : [0]) {
        const { passed } = await verdict(spoiled(inner, spoil), seed);
        expect(passed, `${activation} ${loss.name} ${seed}`).toBe(false);
      }
    }
  });

  it('where nothing is spoiled it does', async () => {
    const { model, loss } = models[0]!;
    const inner = await empiricalRisk({ model, loss, data: await digits({ train: 64 }) });
    expect(
      await verdict(
        spoiled(inner, () => ({})),
        0,
      ),
    ).toEqual({ passed: true, failed: [] });
  });

  it('coupled examples that are called uncoupled', async () => {
    const [n, m] = [10, 6];
    for (let seed = 0; seed < 12; seed++) {
      const X = Array.from({ length: n }, (_, i) => normals(generator(seed, i), m));
      const weight = Array.from({ length: n }, (_, i) => 1 + 0.1 * ((i * 7 + seed) % n));
      const along = (i: number, v: Float32Array) => X[i]!.reduce((sum, x, k) => sum + x * v[k]!, 0);
      const all = Int32Array.from({ length: n }, (_, i) => i);
      const mean = (of: Int32Array, term: (i: number) => number) => of.reduce((sum, i) => sum + term(i), 0) / of.length;
      const share = (i: number, of: Int32Array) => weight[i]! / mean(of, (j) => weight[j]!);
      const combine = (of: Int32Array, factor: (i: number) => number) =>
        Float32Array.from({ length: m }, (_, k) => mean(of, (i) => factor(i) * X[i]![k]!));
      const losses = (w: Float32Array, of: Int32Array) =>
        Float64Array.from(of, (i) => share(i, of) * Math.cosh(along(i, w)));
      const objective = createObjective({
        name: 'balanced',
        paramCount: m,
        exampleCount: n,
        coupled: false,
        metadata: {},
        initialWeights: (s) => Float32Array.from(normals(generator(s), m)),
        performance: async (w) => ({
          loss: losses(w, all).reduce((a, b) => a + b, 0) / n,
          accuracy: null,
          exampleLosses: losses(w, all),
        }),
        lossAndGradient: async (w, batch) => {
          const of = batch ?? all;
          const exampleLosses = losses(w, of);
          return {
            loss: exampleLosses.reduce((a, b) => a + b, 0) / of.length,
            gradient: combine(of, (i) => share(i, of) * Math.sinh(along(i, w))),
            exampleLosses,
            accuracy: null,
          };
        },
        hessianVector: async (w, v, batch) => {
          const of = batch ?? all;
          return {
            product: combine(of, (i) => share(i, of) * Math.cosh(along(i, w)) * along(i, v)),
            projections: null,
          };
        },
        weightedGradient: async (w, u) => combine(all, (i) => n * u[i]! * share(i, all) * Math.sinh(along(i, w))),
      });
      const { passed, failed } = await verdict(objective, seed);
      expect(passed, `${seed}`).toBe(false);
      expect(failed.map(({ name }) => name)).toEqual(['single examples against the whole']);
    }
  });
});

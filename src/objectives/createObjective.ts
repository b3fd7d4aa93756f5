import { BrinkError, given, requireInteger } from '../core/errors.ts';
import { requireVector } from '../core/given.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Cost, HessianProduct, LossAndGradient, Objective, Performance, Point, Split } from '../core/Objective.ts';

/**
 * The mathematics of an objective, without memory: what one writes to add a kind of objective.
 *
 * A batch of null means all n examples. Every function may be asked at any θ.
 */
export interface Derivatives {
  /** The name in error messages. */
  readonly name: string;
  readonly paramCount: number;
  readonly exampleCount: number;
  readonly coupled: boolean;
  /** Whether `performance` has a test set to measure; default false. */
  readonly hasTest?: boolean;
  readonly metadata: JsonObject;
  initialWeights(seed: number): Float32Array;
  performance(weights: Float32Array, split: Split): Promise<Performance>;
  lossAndGradient(weights: Float32Array, batch: Int32Array | null): Promise<LossAndGradient>;
  hessianVector(weights: Float32Array, v: Float32Array, batch: Int32Array | null): Promise<HessianProduct>;
  weightedGradient(weights: Float32Array, u: Float64Array): Promise<Float32Array>;
  /** ‖g_i‖², [n], where they can be had for about one gradient. */
  exampleNormsSquared?(weights: Float32Array): Promise<Float64Array>;
}

/** Gives an objective its memory, its queue (one product at a time) and its account of the cost. */
export function createObjective(derivatives: Derivatives): Objective {
  const { name, paramCount, exampleCount, coupled, hasTest = false, metadata } = derivatives;
  const cost: Cost = { forwards: 0, gradients: 0, products: 0 };
  requireInteger(name, 'paramCount', paramCount, 1);
  requireInteger(name, 'exampleCount', exampleCount, 1);
  let queue: Promise<unknown> = Promise.resolve();
  let newest: Point | null = null;

  /** Runs `pass` when all passes before it are done. A pass that fails is not counted. */
  function inTurn<T>(kind: keyof Cost, passes: number, pass: () => Promise<T>): Promise<T> {
    const result = queue.then(pass).then((value) => {
      cost[kind] += passes;
      return value;
    });
    // What the last pass brought is not for the queue to hold.
    const done = () => {};
    queue = result.then(done, done);
    return result;
  }

  const requireLength = (what: string, array: Float32Array) => requireVector(name, what, array, paramCount);

  /** Throws where a function that was handed in returned what can't be right. */
  const gradientOf = (what: string, vector: Float32Array) => {
    requireVector(name, `the ${what} that was returned`, vector, paramCount);
    return vector;
  };
  const lossAndGradient = async (weights: Float32Array, batch: Int32Array | null) => {
    const found = await derivatives.lossAndGradient(weights, batch);
    gradientOf('gradient', found.gradient);
    return found;
  };
  const hessianVector = async (weights: Float32Array, v: Float32Array, batch: Int32Array | null) => {
    const found = await derivatives.hessianVector(weights, v, batch);
    gradientOf('H v', found.product);
    return found;
  };

  function requireBatch(batch: Int32Array): void {
    requireVector(name, 'the batch', batch, null, ['Int32Array']);
    if (batch.length === 0) throw new BrinkError(name, 'the batch is empty. A mean needs at least one example.');
    for (const i of batch) {
      if (i < 0 || i >= exampleCount) {
        throw new BrinkError(name, `the batch names example ${i}. There are ${exampleCount}, counted from 0.`);
      }
    }
  }

  function uncoupled(what: string): void {
    if (coupled) {
      throw new BrinkError(
        name,
        `${what} is not defined. The loss of one example depends on the others in its chunk (batch normalisation); ` +
          'use the estimators that sample batches.',
      );
    }
  }

  function createPoint(weights: Float32Array): Point {
    /** By what a key says in text; the few whose objects differ share an entry. */
    const memory = new Map<string, { key: readonly unknown[]; value: Promise<unknown> }[]>();
    const products = new WeakMap<Float32Array, Promise<HessianProduct>>();

    function memo<T>(key: readonly unknown[], compute: () => Promise<T>): Promise<T> {
      const text = textOf(key);
      const found = memory.get(text) ?? [];
      memory.set(text, found);
      const known = found.find((entry) => entry.key.length === key.length && entry.key.every((k, i) => k === key[i]));
      if (known) return known.value as Promise<T>;
      const entry = { key, value: compute() };
      found.push(entry);
      entry.value.catch(() => found.splice(found.indexOf(entry), 1));
      return entry.value;
    }

    const full = () => memo(['lossAndGradient'], () => inTurn('gradients', 1, () => lossAndGradient(weights, null)));

    const known = <T>(key: string): Promise<T> | undefined =>
      memory.get(textOf([key]))?.[0]?.value as Promise<T> | undefined;

    const train = (): Promise<Performance> =>
      known<LossAndGradient>('lossAndGradient') ??
      memo(['performance'], () => inTurn('forwards', 1, () => derivatives.performance(weights, 'train')));

    const point: Point = {
      get objective() {
        return objective;
      },
      weights,
      memo,
      loss: async () => (await train()).loss,
      gradient: async () => (await full()).gradient,
      exampleLosses: async () => {
        uncoupled('the loss of a single example');
        return (await train()).exampleLosses as Float64Array;
      },
      performance: (split) =>
        split === 'train'
          ? train()
          : memo(['performance', 'test'], () => inTurn('forwards', 1, () => derivatives.performance(weights, 'test'))),
      hessianVector: async (v) => {
        requireLength('v', v);
        const product = products.get(v) ?? inTurn('products', 1, () => hessianVector(weights, v, null));
        products.set(v, product);
        product.catch(() => products.delete(v));
        return product;
      },
      exampleNormsSquared: async () => {
        uncoupled('the gradient norm of a single example');
        if (!derivatives.exampleNormsSquared) {
          throw new BrinkError(
            name,
            'the gradient norms of the single examples can not be had exactly: a parameter enters through an operation for which brink has no rule. Estimate tr(S_1) by random signs.',
          );
        }
        return memo(['exampleNormsSquared'], () =>
          inTurn('gradients', 1, () => derivatives.exampleNormsSquared!(weights)),
        );
      },
      weightedGradient: async (u) => {
        uncoupled('a weighted sum of per-example gradients');
        requireVector(name, 'u', u, exampleCount, ['Float64Array']);
        return inTurn('gradients', 1, () => derivatives.weightedGradient(weights, u));
      },
      batchGradient: async (batch) => {
        requireBatch(batch);
        return inTurn('gradients', batch.length / exampleCount, () => lossAndGradient(weights, batch));
      },
      batchHessianVector: async (batch, v) => {
        requireBatch(batch);
        requireLength('v', v);
        const passes = batch.length / exampleCount;
        return (await inTurn('products', passes, () => hessianVector(weights, v, batch))).product;
      },
      moved: (direction, scale) => {
        requireLength('the direction', direction);
        if (typeof scale !== 'number') throw new BrinkError(name, `${given('scale', scale)} It must be a number.`);
        return createPoint(weights.map((w, k) => w + scale * (direction[k] as number)));
      },
      until: (signal) => untilAborted(point, signal),
    };
    return point;
  }

  const objective: Objective = {
    paramCount,
    exampleCount,
    coupled,
    hasTest,
    exampleNorms: !coupled && derivatives.exampleNormsSquared !== undefined,
    metadata,
    cost,
    initialWeights: (seed) => {
      if (!Number.isInteger(seed)) throw new BrinkError(name, `${given('seed', seed)} It must be an integer.`);
      return derivatives.initialWeights(seed);
    },
    at: (weights) => {
      requireLength('θ', weights);
      if (newest?.weights !== weights) newest = createPoint(weights);
      return newest;
    },
  };
  return objective;
}

/** The parts of a key that have a text of their own. */
const textOf = (key: readonly unknown[]) =>
  key.map((part) => (typeof part === 'object' || typeof part === 'function' ? typeof part : String(part))).join('\n');

/**
 * A view of `point` whose calls reject once `signal` is aborted: how an unsubscribed probe stops between two
 * products.
 */
function untilAborted(point: Point, signal: AbortSignal): Point {
  const guarded =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      signal.throwIfAborted();
      return call(...args);
    };
  /**
   * A computation begun by another caller may fail because that caller was aborted: then this one computes it itself.
   */
  async function memo<T>(key: readonly unknown[], compute: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let isOwn = false;
    try {
      return await point.memo(key, () => {
        isOwn = true;
        return compute();
      });
    } catch (error) {
      if (isOwn) throw error;
      return memo(key, compute);
    }
  }
  return {
    objective: point.objective,
    weights: point.weights,
    loss: guarded(point.loss),
    gradient: guarded(point.gradient),
    exampleLosses: guarded(point.exampleLosses),
    performance: guarded(point.performance),
    hessianVector: guarded(point.hessianVector),
    exampleNormsSquared: guarded(point.exampleNormsSquared),
    weightedGradient: guarded(point.weightedGradient),
    batchGradient: guarded(point.batchGradient),
    batchHessianVector: guarded(point.batchHessianVector),
    moved: (direction, scale) => untilAborted(point.moved(direction, scale), signal),
    memo,
    until: (other) => untilAborted(point, AbortSignal.any([signal, other])),
  };
}

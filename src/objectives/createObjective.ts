import type { Account } from '../core/Account.ts';
import { Content } from '../core/Content.ts';
import type { Cost } from '../core/Cost.ts';
import { BrinkError, given, requireInteger } from '../core/errors.ts';
import { requireFlag, requireVector } from '../core/given.ts';
import type { HessianProduct, LossAndGradient, Objective, Performance, Point } from '../core/Objective.ts';
import { checkedPasses } from './checkedPasses.ts';
import type { Derivatives } from './Derivatives.ts';

/** Gives an objective its memory, its queue (one product at a time) and its account of the cost. */
export function createObjective(derivatives: Derivatives): Objective {
  const { name, paramCount, exampleCount, coupled, hasTest = false, metadata } = derivatives;
  const cost: Cost = { forwards: 0, gradients: 0, products: 0 };
  const passes = checkedPasses(derivatives);
  requireInteger(name, 'paramCount', paramCount, 1);
  requireInteger(name, 'exampleCount', exampleCount, 1);
  requireFlag(name, 'coupled', coupled);
  requireFlag(name, 'hasTest', hasTest);
  let queue: Promise<unknown> = Promise.resolve();
  let newest: { readonly given: Float32Array; readonly content: Content; readonly point: Point } | null = null;

  /** Runs `pass` when all passes before it are done. A pass that fails is not counted. */
  function inTurn<T>(account: Account | null, kind: keyof Cost, count: number, pass: () => Promise<T>): Promise<T> {
    const booked = account === null ? pass : () => account.passing(kind, count, pass);
    const result = queue.then(booked).then((value) => {
      cost[kind] += count;
      return value;
    });
    // What the last pass brought is not for the queue to hold.
    const done = () => {};
    queue = result.then(done, done);
    return result;
  }

  const requireLength = (what: string, array: Float32Array) => requireVector(name, what, array, paramCount);

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

  function createPoint(weights: Float32Array, memory = createMemory(), account: Account | null = null): Point {
    const { memo, known, products } = memory;

    const full = () =>
      memo(['lossAndGradient'], () => inTurn(account, 'gradients', 1, () => passes.lossAndGradient(weights, null)));

    const forward = (): Promise<Performance> =>
      memo(['performance'], () => inTurn(account, 'forwards', 1, () => passes.performance(weights, 'train')));
    const train = () => known<LossAndGradient>('lossAndGradient') ?? forward();

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
        // A gradient need not bring them.
        const exampleLosses = (await train()).exampleLosses ?? (await forward()).exampleLosses;
        requireVector(name, 'the ℓ_i that was returned', exampleLosses, exampleCount, ['Float64Array']);
        return exampleLosses!;
      },
      performance: (split) =>
        split === 'train'
          ? train()
          : memo(['performance', 'test'], () =>
              inTurn(account, 'forwards', 1, () => passes.performance(weights, 'test')),
            ),
      hessianVector: async (v) => {
        requireLength('v', v);
        const known = products.get(v);
        // An array whose numbers have changed is another v.
        if (known?.content.isIn(v)) return known.product;
        const own = v.slice();
        const entry = {
          content: new Content(v),
          product: inTurn(account, 'products', 1, () => passes.hessianVector(weights, own, null)),
        };
        products.set(v, entry);
        entry.product.catch(() => {
          if (products.get(v) === entry) products.delete(v);
        });
        return entry.product;
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
          inTurn(account, 'gradients', 1, () => passes.exampleNormsSquared!(weights)),
        );
      },
      weightedGradient: async (u) => {
        uncoupled('a weighted sum of per-example gradients');
        requireVector(name, 'u', u, exampleCount, ['Float64Array']);
        const own = u.slice();
        return inTurn(account, 'gradients', 1, () => passes.weightedGradient(weights, own));
      },
      batchGradient: async (batch) => {
        requireBatch(batch);
        const own = batch.slice();
        return inTurn(account, 'gradients', own.length / exampleCount, () => passes.lossAndGradient(weights, own));
      },
      batchHessianVector: async (batch, v) => {
        requireBatch(batch);
        requireLength('v', v);
        const [own, of] = [v.slice(), batch.slice()];
        const count = of.length / exampleCount;
        return (await inTurn(account, 'products', count, () => passes.hessianVector(weights, own, of))).product;
      },
      moved: (direction, scale) => {
        requireLength('the direction', direction);
        if (typeof scale !== 'number') throw new BrinkError(name, `${given('scale', scale)} It must be a number.`);
        return createPoint(
          weights.map((w, k) => w + scale * (direction[k] as number)),
          createMemory(),
          account,
        );
      },
      until: (signal, payer = account) => untilAborted(createPoint(weights, memory, payer), signal, payer),
    };
    return point;
  }

  const objective: Objective = {
    paramCount,
    ...(derivatives.parameters && { parameters: derivatives.parameters }),
    exampleCount,
    coupled,
    hasTest,
    exampleNorms: !coupled && derivatives.exampleNormsSquared !== undefined,
    metadata,
    cost,
    initialWeights: (seed) => {
      if (!Number.isSafeInteger(seed)) {
        throw new BrinkError(name, `${given('seed', seed)} It must be an integer below 2⁵³ on either side of 0.`);
      }
      return derivatives.initialWeights(seed);
    },
    at: (weights) => {
      requireLength('θ', weights);
      if (newest?.given !== weights || !newest.content.isIn(weights)) {
        // A copy: the caller may go on to other weights in the same array, and this point stays where it is.
        newest = { given: weights, content: new Content(weights), point: createPoint(weights.slice()) };
      }
      return newest.point;
    },
  };
  return objective;
}

/** What a point has computed, whoever asked. */
function createMemory() {
  /** By what a key says in text; the few whose objects differ share an entry. */
  const memory = new Map<string, { key: readonly unknown[]; value: Promise<unknown> }[]>();

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

  const known = <T>(key: string): Promise<T> | undefined =>
    memory.get(textOf([key]))?.[0]?.value as Promise<T> | undefined;

  const products = new WeakMap<
    Float32Array,
    { readonly content: Content; readonly product: Promise<HessianProduct> }
  >();
  return { memo, known, products };
}

/** The parts of a key that have a text of their own. */
const textOf = (key: readonly unknown[]) =>
  key.map((part) => (typeof part === 'object' || typeof part === 'function' ? typeof part : String(part))).join('\n');

/**
 * A view of `point` whose calls reject once `signal` is aborted: how an unsubscribed probe stops between two
 * products.
 */
function untilAborted(point: Point, signal: AbortSignal, account: Account | null): Point {
  const asking = <T>(question: () => Promise<T>) => (account ? account.asking(question) : question());
  const guarded =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      signal.throwIfAborted();
      return asking(() => call(...args));
    };
  /**
   * A computation begun by another caller may fail because that caller was aborted: then this one computes it itself.
   */
  async function memo<T>(key: readonly unknown[], compute: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let isOwn = false;
    try {
      const answer = point.memo(key, () => {
        isOwn = true;
        return compute();
      });
      return await (isOwn ? answer : asking(() => answer));
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
    moved: (direction, scale) => untilAborted(point.moved(direction, scale), signal, account),
    memo,
    until: (other, payer = account) => point.until(AbortSignal.any([signal, other]), payer),
  };
}

import { setImmediate as breath } from 'node:timers/promises';
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { createObjective } from '../core/createObjective.ts';
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { LossAndGradient, Objective, Performance } from '../core/Objective.ts';
import type { Dataset, Examples } from '../datasets/Dataset.ts';
import { defaultCoupledChunk, requireCompany } from './coupledChunks.ts';
import type { Loss } from './Loss.ts';
import { leakFree } from './leakFree.ts';
import { initialWeights, type Model, paramCount, sizeOf } from './Model.ts';
import { openEngine } from './openEngine.ts';
import { dot } from './ops.ts';
import { requireFitting } from './requireFitting.ts';
import { requireVerifiedKernels } from './secondOrder/verifiedKernels.ts';

/** A model, the data that it is trained on, and the loss that is trained. */
export interface EmpiricalRiskOptions {
  readonly model: Model;
  readonly data: Dataset;
  readonly loss: Loss;
  /**
   * Examples on the device at once. Memory grows with it, results change by rounding only; with batch normalisation it is part
   * of the definition of L. Default: as many as a Hessian-vector product fits into about 1 GiB, at most 2048; with batch
   * normalisation all n, or an error where they don't fit.
   */
  readonly chunk?: number;
}

const WHO = 'empiricalRisk';
/** What a Hessian-vector product of one chunk may hold on the device, in bytes, where the chunk is not given. */
const CHUNK_BYTES = 2 ** 30;
const LARGEST_DEFAULT_CHUNK = 2048;

/** One chunk on the device. */
interface Chunk {
  /** The flat vectors that the pass named (θ, v), one tensor a parameter. */
  readonly vectors: readonly Tensor[][];
  readonly inputs: Tensor;
  readonly targets: Tensor;
  /** The chunk's first example, counted within the pass, and how many there are. */
  readonly from: number;
  readonly count: number;
  /** Holds a tensor that is made under differentiation until it has been read. */
  keep(tensor: Tensor): Tensor;
}
/** What one chunk gives back: numbers on the host, in the order in which the pass named its tensors. */
type ChunkResult = Float32Array[];

/**
 * The training loss of a network, L(θ) = (1/n) Σ ℓ(f(x_i; θ), y_i), with exact derivatives to second order.
 *
 * ∇L by one backward pass; H v by double backward, never by differences: with per-example weights u as an input,
 * φ(θ, u) = ⟨∇_θ Σ u_i ℓ_i(θ), v⟩ gives ∂φ/∂θ = n H v and ∂φ/∂u_i = g_iᵀv in one pass (Pearlmutter, 1994, for H v).
 * The data passes through the device in chunks; device arithmetic is float32, sums over chunks are float64, always added
 * in the same order. Nothing stays on the device between two passes.
 *
 * With batch normalisation (a `coupled` model) each chunk is normalised over itself, so L is the mean over a fixed partition of the
 * data into chunks, in the order of the data, and every derivative is of that L: `chunk`, which is in the metadata, belongs to
 * its definition. A batch is normalised over itself, cut into chunks of the same size where it is larger, and so is a test set;
 * its gradient has not ∇L as its mean. What speaks of single examples is refused.
 *
 * Cost: H v with all projections about three gradients.
 *
 * @param options `model`, `data`, `loss`, `chunk` (examples).
 * @throws BrinkError where model and data do not fit together, a chunk is not a positive integer, the engine cannot be
 *   opened, outputs or losses have a wrong shape or are not finite at θ_0 of seed 0, or the network uses an operation whose
 *   second derivative brink has not verified; with batch normalisation where a single example would be alone in its chunk.
 */
export async function empiricalRisk({ model, data, loss, chunk }: EmpiricalRiskOptions): Promise<Objective> {
  const inputSize = size(model.inputShape);
  if (size(data.inputShape) !== inputSize) {
    throw new BrinkError(
      WHO,
      `the data set ${data.name} has inputs of shape [${data.inputShape}], the model ${model.name} takes [${model.inputShape}]. They must have equally many entries.`,
    );
  }
  if (data.outputCount !== model.outputCount) {
    throw new BrinkError(
      WHO,
      `the data set ${data.name} has ${data.outputCount} targets an example, the model ${model.name} has ${model.outputCount} outputs. They must agree.`,
    );
  }
  if (chunk !== undefined) requireInteger(WHO, 'chunk', chunk, 1);

  const engine = await openEngine();
  const n = data.train.count;
  const m = paramCount(model);
  requireFitting(WHO, model, loss, data, () => upload(initialWeights(model, 0)));
  // Also where the chunk is given, as the trial refuses unverified operations at once.
  const fitting = Math.max(1, Math.min(LARGEST_DEFAULT_CHUNK, Math.floor(CHUNK_BYTES / bytesPerExample(model, loss))));
  const chunkSize = Math.min(n, chunk ?? (model.coupled ? defaultCoupledChunk(WHO, model, n, fitting) : fitting));
  if (model.coupled) requireCompany(WHO, model, `a training set of ${n}`, n, chunkSize);

  /** Puts a flat θ on the device, one tensor a parameter. */
  function upload(flat: Float32Array): Tensor[] {
    let offset = 0;
    return model.parameters.map((parameter) => {
      const length = sizeOf(parameter);
      offset += length;
      return tf.tensor(flat.slice(offset - length, offset), [...parameter.shape]);
    });
  }

  /** Adds the parameters' parts to a flat sum. */
  function addTo(sum: Float64Array, parts: readonly Float32Array[]): void {
    let offset = 0;
    for (const part of parts) {
      for (let k = 0; k < part.length; k++) sum[offset + k]! += part[k]!;
      offset += part.length;
    }
  }

  const perExample = (theta: readonly Tensor[], inputs: Tensor, targets: Tensor) => {
    const outputs = model.forward(theta, inputs);
    return { outputs, losses: loss.perExample(outputs, targets) };
  };

  /**
   * Runs `body` on every chunk of the examples named, and hands what it returns, read back, to `use`.
   * `device` are flat vectors that every chunk needs (θ, v).
   */
  async function overChunks(
    examples: Examples,
    batch: Int32Array | null,
    device: readonly Float32Array[],
    body: (chunk: Chunk) => Tensor[],
    use: (result: ChunkResult, from: number, count: number) => void,
  ): Promise<void> {
    const total = batch?.length ?? examples.count;
    if (model.coupled) {
      requireCompany(WHO, model, `a ${batch ? 'batch' : 'test set'} of ${total}`, total, chunkSize);
    }
    const vectors = device.map(upload);
    try {
      for (let from = 0; from < total; from += chunkSize) {
        if (from > 0) await breath();
        const count = Math.min(chunkSize, total - from);
        const rows = (array: Float32Array, width: number) =>
          batch === null
            ? array.slice(from * width, (from + count) * width)
            : gather(array, width, batch.subarray(from, from + count));
        const tensors = leakFree((keep) =>
          body({
            vectors,
            inputs: tf.tensor(rows(examples.inputs, inputSize), [count, ...model.inputShape]),
            targets: tf.tensor(rows(examples.targets, model.outputCount), [count, model.outputCount]),
            from,
            count,
            keep,
          }),
        );
        try {
          use((await Promise.all(tensors.map((t) => t.data()))) as ChunkResult, from, count);
        } finally {
          tf.dispose(tensors);
        }
      }
    } finally {
      tf.dispose(vectors);
    }
  }

  /** Loss and accuracy from what the chunks returned. */
  function statistics(examples: Examples, batch: Int32Array | null) {
    const total = batch?.length ?? examples.count;
    const exampleLosses = new Float64Array(total);
    let correct = 0;
    return {
      add(losses: Float32Array, outputs: Float32Array, from: number): void {
        exampleLosses.set(losses, from);
        if (examples.labels === null) return;
        losses.forEach((_, k) => {
          const example = batch === null ? from + k : batch[from + k]!;
          if (largest(outputs, k * model.outputCount, model.outputCount) === examples.labels![example]) correct++;
        });
      },
      result: (): Performance => ({
        loss: exampleLosses.reduce((a, b) => a + b, 0) / total,
        accuracy: examples.labels === null ? null : correct / total,
        exampleLosses: model.coupled ? null : exampleLosses,
      }),
    };
  }

  return createObjective({
    name: WHO,
    paramCount: m,
    exampleCount: n,
    coupled: model.coupled,
    metadata: {
      objective: WHO,
      model: { name: model.name, ...model.config },
      data: data.metadata,
      loss: { name: loss.name, ...loss.config },
      n,
      m,
      chunk: chunkSize,
      engine: { name: engine.name, device: engine.device, version: engine.version },
    },
    initialWeights: (seed) => initialWeights(model, seed),

    performance: async (weights, split) => {
      const examples = split === 'train' ? data.train : data.test;
      if (examples === null) {
        throw new BrinkError(
          WHO,
          `the data set ${data.name} has no test examples. Load it with some, or leave the test columns out.`,
        );
      }
      const seen = statistics(examples, null);
      await overChunks(
        examples,
        null,
        [weights],
        ({ vectors: [theta], inputs, targets }) => {
          const { losses, outputs } = perExample(theta!, inputs, targets);
          return [losses, outputs];
        },
        ([losses, outputs], from) => seen.add(losses!, outputs!, from),
      );
      return seen.result();
    },

    lossAndGradient: async (weights, batch): Promise<LossAndGradient> => {
      const seen = statistics(data.train, batch);
      const sum = new Float64Array(m);
      await overChunks(
        data.train,
        batch,
        [weights],
        ({ vectors: [theta], inputs, targets, keep }) => {
          const kept: Tensor[] = [];
          const gradient = gradientOf(() => {
            const { losses, outputs } = perExample(theta!, inputs, targets);
            kept.push(keep(losses), keep(outputs));
            return tf.sum(losses);
          }, theta!);
          return [...kept, ...gradient];
        },
        ([losses, outputs, ...gradient], from) => {
          seen.add(losses!, outputs!, from);
          addTo(sum, gradient);
        },
      );
      return { ...seen.result(), gradient: scaled(sum, 1 / (batch?.length ?? n)) };
    },

    hessianVector: async (weights, v, batch) => {
      const total = batch?.length ?? n;
      const sum = new Float64Array(m);
      const projections = model.coupled ? null : new Float64Array(total);
      await overChunks(
        data.train,
        batch,
        [weights, v],
        ({ vectors: [theta, direction], inputs, targets, count }) => {
          const u = tf.ones([count]);
          const phi = () => {
            const gradient = gradientOf(() => tf.sum(tf.mul(u, perExample(theta!, inputs, targets).losses)), theta!);
            requireVerifiedKernels(`${WHO} (${model.name})`);
            return dot(gradient, direction!);
          };
          return gradientOf(phi, model.coupled ? theta! : [...theta!, u]);
        },
        (result, from) => {
          if (projections !== null) projections.set(result.pop()!, from);
          addTo(sum, result);
        },
      );
      return { product: scaled(sum, 1 / total), projections };
    },

    weightedGradient: async (weights, u) => {
      const sum = new Float64Array(m);
      await overChunks(
        data.train,
        null,
        [weights],
        ({ vectors: [theta], inputs, targets, from, count }) => {
          const weight = tf.tensor(Float32Array.from(u.subarray(from, from + count)));
          return gradientOf(() => tf.sum(tf.mul(weight, perExample(theta!, inputs, targets).losses)), theta!);
        },
        (gradient) => addTo(sum, gradient),
      );
      return scaled(sum, 1);
    },
  });
}

/** ∂y/∂x for every x; zeros where y does not depend on it. */
function gradientOf(y: () => Tensor, xs: readonly Tensor[]): Tensor[] {
  const { grads, value } = tf.engine().gradients(y, [...xs], undefined, true);
  value.dispose();
  return xs.map((x, k) => grads[k] ?? tf.zerosLike(x));
}

/** What the tape of a Hessian-vector product holds for one example, from a trial on zeros; refuses unverified kernels at once. */
function bytesPerExample(model: Model, loss: Loss): number {
  return leakFree(() => {
    const theta = model.parameters.map(({ shape }) => tf.zeros([...shape]));
    const parameters = theta.reduce((sum, t) => sum + t.size, 0);
    const before = tf.memory().numBytes;
    let held = 0;
    gradientOf(() => {
      const gradient = gradientOf(
        () =>
          tf.sum(
            loss.perExample(model.forward(theta, tf.zeros([1, ...model.inputShape])), tf.zeros([1, model.outputCount])),
          ),
        theta,
      );
      requireVerifiedKernels(`${WHO} (${model.name})`);
      held = tf.memory().numBytes - before - 4 * parameters;
      return dot(gradient, theta);
    }, theta);
    // The second backward pass holds about as much again as the forward and the first backward pass.
    return Math.max(1, 2 * held);
  });
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function scaled(sum: Float64Array, scale: number): Float32Array {
  return Float32Array.from(sum, (s) => s * scale);
}

/** The rows of `array` that `indices` name, each `width` long. */
function gather(array: Float32Array, width: number, indices: Int32Array): Float32Array {
  const out = new Float32Array(indices.length * width);
  for (const [k, i] of indices.entries()) out.set(array.subarray(i * width, (i + 1) * width), k * width);
  return out;
}

/** The place of the largest of `count` values from `start`, counted from there; the first where several are. */
function largest(values: Float32Array, start: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[start + k]! > values[start + best]!) best = k;
  return best;
}

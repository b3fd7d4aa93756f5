import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Dataset, Examples } from '../../core/Dataset.ts';
import { BrinkError, requireInteger } from '../../core/errors.ts';
import { requireFlag, requireOptions } from '../../core/given.ts';
import type { LossAndGradient, Objective, Performance } from '../../core/Objective.ts';
import { createObjective } from '../../objectives/createObjective.ts';
import { gradientOf, once, recordGradientTape } from '../gradientTape.ts';
import { graphsByDefault, recordedPasses } from '../graphs/recordedPasses.ts';
import type { Loss } from '../Loss.ts';
import { initialWeights, type Model, paramCount } from '../Model.ts';
import { openEngine } from '../openEngine.ts';
import { parameterTensors } from '../parameterTensors.ts';
import { requireDataset, requireLoss, requireModel } from '../requireParts.ts';
import { atLeastTwoPerChunk } from './atLeastTwoPerChunk.ts';
import { bytesPerExample } from './bytesPerExample.ts';
import { type Chunk, type ChunkedPasses, chunkedPasses, type Pass } from './chunkedPasses.ts';
import { defaultCoupledChunk } from './defaultCoupledChunk.ts';
import { exampleLosses } from './exampleLosses.ts';
import { exampleNormsSquared } from './exampleNormsSquared.ts';
import { computeAgain, powerOfTwo } from './floatRange.ts';
import { sumOfParts } from './sumOfParts.ts';
import { shifted, tryBatches } from './tryBatches.ts';
import { tryTwoExamples } from './tryTwoExamples.ts';
import { verifiedGradient } from './verifiedGradient.ts';

/** A model, the data that it is trained on, and the loss that is trained. */
export interface EmpiricalRiskOptions {
  readonly model: Model;
  readonly data: Dataset;
  readonly loss: Loss;
  /**
   * Examples on the device at once. Memory grows with it, results change by rounding only; with batch normalisation it
   * is part of the definition of L. Default: as many as a Hessian-vector product fits into about 1 GiB, at most 2048;
   * with batch normalisation all n, or an error where they don't fit.
   */
  readonly chunk?: number;
  /**
   * What may stay on the device from one Hessian-vector product to the next at the same θ, in bytes: the recorded
   * gradient of the first chunks that fit, whose further products cost a third less. It changes no bit of any result.
   * Default: 1 GiB; 0: nothing.
   */
  readonly keptBytes?: number;
  /**
   * Whether passes are recorded once, and run as one graph since, where the engine can: several times faster on small
   * networks; results change by rounding only. Default: BRINK_GRAPHS, which is on unless it says `off`.
   */
  readonly graphs?: boolean;
}

const WHO = 'empiricalRisk';
/** What a Hessian-vector product of one chunk may hold on the device, in bytes, where the chunk is not given. */
const CHUNK_BYTES = 2 ** 30;
const LARGEST_DEFAULT_CHUNK = 2048;
const KEPT_BYTES = 2 ** 30;
/** What examples may take that stay on a GPU from pass to pass, in bytes. */
const RESIDENT_BYTES = 2 ** 30;
/** How many examples a layer's rule for ‖g_i‖² is checked on, and how close it has to come, relative. */
const CHECKED_EXAMPLES = 3;
const NORM_AGREEMENT = 1e-3;

/**
 * The training loss of a network, L(θ) = (1/n) Σ ℓ(f(x_i; θ), y_i), with exact derivatives to second order.
 *
 * ∇L by one backward pass; H v by double backward, never by differences: with per-example weights u as an input,
 * φ(θ, u) = ⟨∇_θ Σ u_i ℓ_i(θ), v⟩ gives ∂φ/∂θ = n H v and ∂φ/∂u_i = g_iᵀv in one pass (Pearlmutter, 1994, for H v).
 * The data passes through the device in chunks; device arithmetic is float32, sums over chunks are float64, always
 * added in the same order.
 *
 * Where one example's loss depends on the others (batch normalisation, or a loss that divides by a sum over the batch;
 * a trial on three examples finds it, and it need not be said) each chunk is normalised over itself, so L is the mean
 * over a fixed partition of the data into chunks, in the order of the data, and every derivative is of that L: `chunk`,
 * which is in the metadata, belongs to its definition. A batch is normalised over itself, cut into chunks of the same
 * size where it is larger, and so is a test set; its gradient has not ∇L as its mean. What speaks of single examples is
 * refused. A model's `penalty` R(θ) is added to every ℓ_i, and so to L.
 *
 * Cost: H v with all projections about three gradients; two from the second product at one θ on, for the chunks whose
 * recorded gradient fits into `keptBytes`. It goes when θ changes, or nothing is asked for any more.
 *
 * @param options `model`, `data`, `loss`, `chunk` (examples), `keptBytes` (bytes), `graphs`.
 * @throws BrinkError where model and data do not fit together, a chunk is not a positive integer, `keptBytes` is
 *   negative, the engine cannot be opened, outputs or losses have a wrong shape or are not finite at θ_0 of seed 0, or
 *   the network uses an operation whose second derivative brink has not verified; where model or loss returns two
 *   things for the same arguments, is coupled and says that it is not, or returns shares to a loss that takes logits;
 *   with batch normalisation where a single example would be alone in its chunk.
 */
export async function empiricalRisk(options: EmpiricalRiskOptions): Promise<Objective> {
  requireOptions(WHO, options, ['model', 'data', 'loss', 'chunk', 'keptBytes', 'graphs'], '{ model, data, loss }');
  const { model, data, loss, chunk, keptBytes = KEPT_BYTES, graphs = graphsByDefault() } = options;
  requireModel(WHO, model);
  requireDataset(WHO, data);
  requireLoss(WHO, loss);
  const inputSize = size(model.inputShape);
  const shapes =
    `the data set ${data.name} has inputs of shape [${data.inputShape}], the model ${model.name} takes ` +
    `[${model.inputShape}]`;
  if (size(data.inputShape) !== inputSize) {
    throw new BrinkError(WHO, `${shapes}. They must have equally many entries.`);
  }
  if (areRearranged(data.inputShape, model.inputShape)) {
    throw new BrinkError(
      WHO,
      `${shapes}: as many entries, and each would be taken for another. Transpose the data (channels come last: ` +
        '[height, width, channels]), or give the model their shape.',
    );
  }
  if (data.outputCount !== model.outputCount) {
    throw new BrinkError(
      WHO,
      `the data set ${data.name} has ${data.outputCount} targets an example, the model ${model.name} has ` +
        `${model.outputCount} outputs. They must agree.`,
    );
  }
  if (chunk !== undefined) requireInteger(WHO, 'chunk', chunk, 1);
  requireInteger(WHO, 'keptBytes', keptBytes, 0);
  requireFlag(WHO, 'graphs', graphs);

  const engine = await openEngine();
  const sessions = graphs ? engine.graphs : null;
  const who = `${WHO} (${model.name})`;
  const n = data.train.count;
  const m = paramCount(model);
  const theta0 = initialWeights(model, 0);
  const upload = (theta: Float32Array) => parameterTensors(model, theta);
  await tryTwoExamples(WHO, model, loss, data, () => upload(theta0));
  const { coupled } = await tryBatches(WHO, model, loss, data, theta0, upload);
  // Also where the chunk is given, as the trial refuses unverified operations at once.
  const fitting = Math.max(
    1,
    Math.min(LARGEST_DEFAULT_CHUNK, Math.floor(CHUNK_BYTES / bytesPerExample(who, model, loss))),
  );
  const chunkSize = Math.min(n, chunk ?? (coupled ? defaultCoupledChunk(WHO, model, n, fitting) : fitting));
  if (coupled) atLeastTwoPerChunk(WHO, model, `a training set of ${n}`, n, chunkSize);

  const passes = chunkedPasses(model, {
    ...{ chunkSize, keptBytes },
    // Where the device has memory of its own, and passes are no graphs.
    residentBytes: engine.name === 'webgpu' ? RESIDENT_BYTES : 0,
  });
  const overChunks: ChunkedPasses['over'] = async (pass, use) => {
    const total = pass.batch?.length ?? pass.examples.count;
    if (coupled) {
      atLeastTwoPerChunk(WHO, model, `a ${pass.batch ? 'batch' : 'test set'} of ${total}`, total, chunkSize);
    }
    await passes.over(pass, use);
  };
  const perExample = (theta: readonly Tensor[], { inputs, targets }: ReturnType<Chunk['load']>) =>
    exampleLosses(model, loss, theta, inputs, targets);

  /** ℓ_i + R(θ) of the examples named, from outputs and targets times `scale`. */
  async function scaledLosses(weights: Float32Array, examples: Examples, batch: Int32Array | null, scale: number) {
    const losses = new Float64Array(batch?.length ?? examples.count);
    await overChunks(
      {
        ...{ name: `losses of outputs times ${scale}`, examples, batch, vectors: [weights] },
        body: ({ vectors: [theta], load }) => {
          const { inputs, targets } = load();
          const outputs = model.forward(theta!, inputs);
          const own = loss.perExample(tf.mul(outputs, scale), tf.mul(targets, scale));
          return [own, model.penalty?.(theta!) ?? tf.scalar(0)];
        },
      },
      ([own, penalty], from) => {
        own!.forEach((value, k) => {
          losses[from + k] = value / scale ** loss.degree! + penalty![0]!;
        });
      },
    );
    return losses;
  }

  /** Loss and accuracy from what the chunks returned. */
  function statistics(weights: Float32Array, examples: Examples, batch: Int32Array | null) {
    const total = batch?.length ?? examples.count;
    const exampleLosses = new Float64Array(total);
    let correct = 0;
    return {
      add(losses: Float32Array, outputs: Float32Array, from: number): void {
        exampleLosses.set(losses, from);
        if (!examples.labels) return;
        losses.forEach((_, k) => {
          const example = batch === null ? from + k : batch[from + k]!;
          if (largest(outputs, k * model.outputCount, model.outputCount) === examples.labels![example]) correct++;
        });
      },
      result: async (): Promise<Performance> => {
        if (loss.degree !== undefined) {
          await computeAgain(exampleLosses, loss.degree, async (places, scale) => {
            // All of them: where examples are coupled some would have other losses.
            const losses = await scaledLosses(weights, examples, batch, scale);
            return places.map((place) => losses[place]!);
          });
        }
        return {
          loss: exampleLosses.reduce((a, b) => a + b, 0) / total,
          accuracy: examples.labels ? correct / total : null,
          exampleLosses: coupled ? null : exampleLosses,
        };
      },
    };
  }

  async function lossAndGradient(weights: Float32Array, batch: Int32Array | null): Promise<LossAndGradient> {
    const seen = statistics(weights, data.train, batch);
    const sum = sumOfParts(m);
    await overChunks(
      {
        ...{ name: 'loss and gradient', examples: data.train, batch, vectors: [weights] },
        body: ({ vectors: [theta], load, keep }) => {
          const kept: Tensor[] = [];
          const gradient = gradientOf(() => {
            const { losses, outputs } = perExample(theta!, load());
            kept.push(keep(losses), keep(outputs));
            return tf.sum(losses);
          }, theta!);
          return [...kept, ...gradient];
        },
      },
      ([losses, outputs, ...gradient], from) => {
        seen.add(losses!, outputs!, from);
        sum.add(gradient);
      },
    );
    return { ...(await seen.result()), gradient: sum.scaled(1 / (batch?.length ?? n)) };
  }

  /** ‖g_i‖² of the examples named, by the layers' rules; null where a layer has none. */
  async function normsSquared(weights: Float32Array, batch: Int32Array | null): Promise<Float64Array | null> {
    const norms = await scaledNormsSquared(weights, batch, 1);
    if (norms === null) return null;
    await computeAgain(norms, 2, (places, scale) => {
      // Filled up to a power of two: another number of them would be another graph, which is recorded anew.
      const length = 2 ** Math.ceil(Math.log2(places.length));
      const some = Int32Array.from({ length }, (_, k) => {
        const place = places[Math.min(k, places.length - 1)]!;
        return batch?.[place] ?? place;
      });
      return scaledNormsSquared(weights, some, scale).then((found) => found?.map((square) => square / scale ** 2));
    });
    return norms.map((square) => (square < Number.POSITIVE_INFINITY ? square : Number.NaN));
  }

  async function scaledNormsSquared(weights: Float32Array, batch: Int32Array | null, scale: number) {
    const norms = new Float64Array(batch?.length ?? n);
    let known = true;
    await overChunks(
      {
        ...{ name: `norms of gradients times ${scale}`, examples: data.train, batch, vectors: [weights] },
        body: ({ vectors: [theta], count, load }) => {
          const tape = recordGradientTape(() => [tf.sum(perExample(theta!, load()).losses)], theta!);
          try {
            const squares = exampleNormsSquared(tape, theta!, count, scale);
            return squares === null ? [] : [squares];
          } finally {
            tape.dispose();
          }
        },
      },
      ([squares], from) => {
        if (squares === undefined) known = false;
        else norms.set(squares, from);
      },
    );
    return known ? norms : null;
  }

  /**
   * Whether the rules say the same as gradients of single examples do, on the first examples: at θ_0, and near it, as a
   * gradient that is 0 says nothing.
   */
  async function rulesHold(): Promise<boolean> {
    if (coupled) return false;
    const batch = Int32Array.from({ length: Math.min(n, CHECKED_EXAMPLES) }, (_, i) => i);
    for (const theta of [theta0, shifted(model, theta0)]) {
      const norms = await normsSquared(theta, batch);
      if (norms === null) return false;
      const singles: number[] = [];
      for (const i of batch) {
        const { gradient } = await lossAndGradient(theta, Int32Array.of(i));
        singles.push(gradient.reduce((sum, g) => sum + g * g, 0));
      }
      const most = Math.max(...singles);
      if (theta !== theta0 && !Number.isFinite(most)) continue;
      // One that is far smaller than the others may have underflowed within.
      const allowed = (single: number) => NORM_AGREEMENT * (single + 1e-6 * most);
      if (!singles.every((single, i) => Math.abs(norms[i]! - single) <= allowed(single))) return false;
    }
    return true;
  }
  const exact = await rulesHold();
  // Not before it is known that the objective will do.
  if (sessions) passes.recordBy(recordedPasses(who, sessions));
  const isGiven = model.parameters.some(({ initializer }) => initializer.distribution === 'given');

  return createObjective({
    name: WHO,
    paramCount: m,
    parameters: model.parameters,
    exampleCount: n,
    coupled,
    hasTest: data.test != null,
    metadata: {
      objective: WHO,
      ...(isGiven && { initialWeights: 'given by the model, in part or all, whatever the seed' }),
      model: { name: model.name, ...model.config },
      data: data.metadata,
      loss: { name: loss.name, ...loss.config },
      n,
      m,
      chunk: chunkSize,
      // Graphs round otherwise: a recording's bits are those of its own way.
      engine: {
        name: engine.name,
        device: engine.device,
        version: engine.version,
        ...(sessions && { graphs: true }),
      },
    },
    initialWeights: (seed) => initialWeights(model, seed),

    performance: async (weights, split) => {
      const examples = split === 'train' ? data.train : data.test;
      if (!examples) {
        throw new BrinkError(
          WHO,
          `the data set ${data.name} has no test examples. Load it with some, or leave the test columns out.`,
        );
      }
      const seen = statistics(weights, examples, null);
      await overChunks(
        {
          ...{ name: 'losses', examples, batch: null, vectors: [weights] },
          body: ({ vectors: [theta], load }) => {
            const { losses, outputs } = perExample(theta!, load());
            return [losses, outputs];
          },
        },
        ([losses, outputs], from) => seen.add(losses!, outputs!, from),
      );
      return await seen.result();
    },

    lossAndGradient,

    hessianVector: async (weights, v, batch) => {
      const total = batch?.length ?? n;
      const { unit, length } = powerOfTwo(v);
      const sum = sumOfParts(m);
      const projections = coupled ? null : new Float64Array(total);
      /** θ, u ↦ ∇_θ Σ_i u_i ℓ_i at u = 1, whose product with v is φ. */
      const record = ({ vectors: [theta], count, load }: Chunk) => {
        const u = tf.ones([count]);
        return recordGradientTape(
          () => {
            const loss = () => tf.sum(tf.mul(u, perExample(theta!, load()).losses));
            return verifiedGradient(who, loss, theta!);
          },
          coupled ? theta! : [...theta!, u],
        );
      };
      const body = (chunk: Chunk) => once(record(chunk), chunk.vectors[1]!);
      const keptBody: Pass['keptBody'] = (chunk, tapes) => {
        const { held, kept } = tapes.at(weights, chunk.from, () => record(chunk));
        return kept ? held.backward(chunk.vectors[1]!) : once(held, chunk.vectors[1]!);
      };
      await overChunks(
        {
          ...{ name: 'product with the Hessian', examples: data.train, batch, vectors: [weights, unit] },
          ...{ body, ...(batch === null && { keptBody }) },
        },
        (result, from) => {
          if (projections !== null) projections.set(result.pop()!, from);
          sum.add(result);
        },
      );
      return { product: sum.scaled(length / total), projections: projections?.map((p) => length * p) ?? null };
    },

    ...(exact && {
      exampleNormsSquared: async (weights: Float32Array) => {
        const norms = await normsSquared(weights, null);
        if (norms !== null) return norms;
        throw new BrinkError(
          WHO,
          `the model ${model.name} computes a chunk otherwise than its first examples: their gradient norms are not ` +
            `to be had exactly. Estimate by random signs.`,
        );
      },
    }),

    weightedGradient: async (weights, u) => {
      const sum = sumOfParts(m);
      const { unit, length } = powerOfTwo(u);
      await overChunks(
        {
          ...{ name: 'weighted gradient', examples: data.train, batch: null, vectors: [weights] },
          shares: Float32Array.from(unit),
          body: ({ vectors: [theta], load, shares }) => {
            const u = shares();
            return gradientOf(() => tf.sum(tf.mul(u, perExample(theta!, load()).losses)), theta!);
          },
        },
        (gradient) => sum.add(gradient),
      );
      return sum.scaled(length);
    },
  });
}

/** The place of the largest of `count` values from `start`, counted from there; the first where several are. */
function largest(values: Float32Array, start: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[start + k]! > values[start + best]!) best = k;
  return best;
}
function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Whether two shapes have as many axes, those of one entry aside, of other lengths; flattened ones have fewer. */
function areRearranged(a: readonly number[], b: readonly number[]): boolean {
  const [own, other] = [a, b].map((shape) => shape.filter((length) => length > 1));
  return own!.length === other!.length && own!.some((length, axis) => length !== other![axis]);
}

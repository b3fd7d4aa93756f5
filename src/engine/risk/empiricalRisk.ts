import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Dataset, Examples } from '../../core/Dataset.ts';
import { BrinkError, requireInteger } from '../../core/errors.ts';
import { requireFlag, requireOptions } from '../../core/given.ts';
import type { LossAndGradient, Objective, Performance } from '../../core/Objective.ts';
import { sizeOf } from '../../core/Parameters.ts';
import { norm } from '../../linalg/vector.ts';
import { createObjective } from '../../objectives/createObjective.ts';
import { requireVerifiedKernels } from '../derivatives/verifiedKernels.ts';
import { type GradientTape, recordGradientTape } from '../gradientTape.ts';
import type { KeptPart, PassInput, RecordedPass } from '../graphs/RecordedPass.ts';
import { graphsByDefault, type RecordedPasses, recordedPasses } from '../graphs/recordedPasses.ts';
import type { Loss } from '../Loss.ts';
import { leakFree } from '../leakFree.ts';
import { initialWeights, type Model, paramCount } from '../Model.ts';
import { openEngine } from '../openEngine.ts';
import { requireDataset, requireLoss, requireModel } from '../requireParts.ts';
import { atLeastTwoPerChunk } from './atLeastTwoPerChunk.ts';
import { defaultCoupledChunk } from './defaultCoupledChunk.ts';
import { exampleNormsSquared } from './exampleNormsSquared.ts';
import { keptAtTheta } from './keptAtTheta.ts';
import { residentExamples } from './residentExamples.ts';
import { sumOfParts } from './sumOfParts.ts';
import { shifted, tryBatches } from './tryBatches.ts';
import { tryTwoExamples } from './tryTwoExamples.ts';

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
/** How long passes may keep the event loop from turning, in milliseconds: signals and timers wait for it. */
const LONGEST_TURN = 50;
/** Lengths whose products with a gradient, squared, are still far from float32's least and largest numbers. */
const COMFORTABLE = 2 ** 20;
/** The same of their squares, and by how much numbers are scaled where squares leave it. */
const COMFORTABLE_SQUARE = 2 ** 90;
const RESCALE = 2 ** 64;

/** What a pass computes with, beside the examples. */
interface Pass {
  /** Which pass it is: the same name, the same body, whatever the numbers. */
  readonly name: string;
  readonly examples: Examples;
  /** The examples that it takes; null: all, in their order. */
  readonly batch: Int32Array | null;
  /** Flat vectors that every chunk needs: θ first, and v, which can change while θ stays. */
  readonly vectors: readonly Float32Array[];
  /** A number for each example. */
  readonly shares?: Float32Array;
  /** From tensors to tensors alone, all of float32. */
  body(chunk: Chunk): Tensor[];
  /** The same where what is kept at θ serves it, operation by operation. */
  keptBody?(chunk: Chunk): Tensor[];
}
/** One chunk on the device. */
interface Chunk {
  /** The pass's vectors, one tensor a parameter. */
  readonly vectors: readonly (readonly Tensor[])[];
  /** The chunk's first example, counted within the pass, and how many there are. */
  readonly from: number;
  readonly count: number;
  /** Puts the examples on the device. */
  load(): { readonly inputs: Tensor; readonly targets: Tensor };
  /** The chunk's part of the pass's shares. */
  shares(): Tensor;
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
  if (size(data.inputShape) !== inputSize) {
    throw new BrinkError(
      WHO,
      `the data set ${data.name} has inputs of shape [${data.inputShape}], the model ${model.name} takes ` +
        `[${model.inputShape}]. They must have equally many entries.`,
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
  const n = data.train.count;
  const m = paramCount(model);
  const theta0 = initialWeights(model, 0);
  await tryTwoExamples(WHO, model, loss, data, () => upload(theta0));
  const { coupled } = await tryBatches(WHO, model, loss, data, theta0, upload);
  // Also where the chunk is given, as the trial refuses unverified operations at once.
  const fitting = Math.max(1, Math.min(LARGEST_DEFAULT_CHUNK, Math.floor(CHUNK_BYTES / bytesPerExample(model, loss))));
  const chunkSize = Math.min(n, chunk ?? (coupled ? defaultCoupledChunk(WHO, model, n, fitting) : fitting));
  if (coupled) atLeastTwoPerChunk(WHO, model, `a training set of ${n}`, n, chunkSize);

  /** Puts a flat θ on the device, one tensor a parameter. */
  function upload(flat: Float32Array): Tensor[] {
    let offset = 0;
    return model.parameters.map((parameter) => {
      const length = sizeOf(parameter);
      offset += length;
      return tf.tensor(flat.slice(offset - length, offset), [...parameter.shape]);
    });
  }

  const parameterShapes = model.parameters.map(({ shape }) => shape);
  const tapes = keptAtTheta<GradientTape>(keptBytes);
  const parts = keptAtTheta<KeptPart>(keptBytes);
  // Where the device has memory of its own, and passes are no graphs.
  const resident = residentExamples(engine.name === 'webgpu' ? RESIDENT_BYTES : 0);
  // None while it is not known whether the objective will do.
  let recorded: RecordedPasses | null = null;
  let lastTurn = performance.now();

  const perExample = (theta: readonly Tensor[], { inputs, targets }: ReturnType<Chunk['load']>) => {
    const outputs = model.forward(theta, inputs);
    return { outputs, losses: penalized(model, theta, loss.perExample(outputs, targets)) };
  };

  /** Runs a chunk as a graph: where all examples are asked for, from what is kept at θ of the chunks that fit. */
  function runAsGraph(graph: RecordedPass, given: readonly PassInput[], { vectors, batch }: Pass, from: number) {
    const values = given.map((input) => input.values);
    if (batch !== null || vectors.length === 1) return graph.run(values, graph.keptPart(), false);
    const { held, kept } = parts.at(vectors[0]!, from, () => graph.keptPart());
    return graph.run(values, held, kept);
  }

  /** Runs a pass on every chunk of its examples, and hands what its body returns, read back, to `use`. */
  async function overChunks(
    pass: Pass,
    use: (result: ChunkResult, from: number, count: number) => void,
  ): Promise<void> {
    const { examples, batch } = pass;
    const total = batch?.length ?? examples.count;
    if (coupled) {
      atLeastTwoPerChunk(WHO, model, `a ${batch ? 'batch' : 'test set'} of ${total}`, total, chunkSize);
    }
    const passes = recorded;
    /** A chunk's rows of an array, `width` numbers an example. */
    const rows = (array: Float32Array, width: number, from: number, count: number) =>
      batch === null
        ? array.subarray(from * width, (from + count) * width)
        : gather(array, width, batch.subarray(from, from + count));
    const run = async () => {
      let uploaded: Tensor[][] | null = null;
      try {
        for (let from = 0; from < total; from += chunkSize) {
          if (from > 0 || performance.now() - lastTurn > LONGEST_TURN) {
            await nextTurn();
            lastTurn = performance.now();
          }
          const count = Math.min(chunkSize, total - from);
          const inputs = rows(examples.inputs, inputSize, from, count);
          const targets = rows(examples.targets, model.outputCount, from, count);
          const shares = pass.shares?.subarray(from, from + count);
          const given = [
            ...pass.vectors.map((values, k) => ({ values, shapes: parameterShapes, changes: k > 0 && batch === null })),
            { values: inputs, shapes: [[count, ...model.inputShape]] },
            { values: targets, shapes: [[count, model.outputCount]] },
            ...(shares ? [{ values: shares, shapes: [[count]] }] : []),
          ];
          const body = (tensors: readonly (readonly Tensor[])[]) => {
            const vectors = tensors.slice(0, pass.vectors.length);
            const [[x], [y], u] = tensors.slice(vectors.length) as [[Tensor], [Tensor], [Tensor]?];
            const load = () => ({ inputs: x, targets: y });
            return leakFree((keep) => pass.body({ vectors, from, count, load, shares: () => u![0], keep }));
          };
          const graph = passes?.of(pass.name, given, body);
          if (graph) {
            use(runAsGraph(graph, given, pass, from), from, count);
            continue;
          }
          uploaded ??= pass.vectors.map(upload);
          const make = () => ({
            inputs: tf.tensor(inputs.slice(), [count, ...model.inputShape]),
            targets: tf.tensor(targets.slice(), [count, model.outputCount]),
          });
          const chunk = {
            ...{ vectors: uploaded, from, count },
            load: () => (batch === null ? resident.at(examples, from, make) : make()),
            shares: () => tf.tensor(shares!.slice()),
          };
          const tensors = leakFree((keep) => (pass.keptBody ?? pass.body)({ ...chunk, keep }));
          try {
            use((await Promise.all(tensors.map((t) => t.data()))) as ChunkResult, from, count);
          } finally {
            tf.dispose(tensors);
          }
        }
      } finally {
        if (uploaded) tf.dispose(uploaded);
      }
    };
    await resident.during(() => (passes ? parts : tapes).during(run));
  }

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
        if (examples.labels === null) return;
        losses.forEach((_, k) => {
          const example = batch === null ? from + k : batch[from + k]!;
          if (largest(outputs, k * model.outputCount, model.outputCount) === examples.labels![example]) correct++;
        });
      },
      result: async (): Promise<Performance> => {
        if (loss.degree !== undefined) {
          await computeAgain(exampleLosses, async (places, scale) => {
            // All of them: where examples are coupled some would have other losses.
            const losses = await scaledLosses(weights, examples, batch, scale);
            return places.map((place) => losses[place]!);
          });
        }
        return {
          loss: exampleLosses.reduce((a, b) => a + b, 0) / total,
          accuracy: examples.labels === null ? null : correct / total,
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
    await computeAgain(norms, (places, scale) => {
      const some = Int32Array.from(places, (place) => batch?.[place] ?? place);
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
  if (sessions) recorded = recordedPasses(`${WHO} (${model.name})`, sessions);
  const isGiven = model.parameters.some(({ initializer }) => initializer.distribution === 'given');

  return createObjective({
    name: WHO,
    paramCount: m,
    parameters: model.parameters,
    exampleCount: n,
    coupled,
    hasTest: data.test !== null,
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
      if (examples === null) {
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
            return verifiedGradient(`${WHO} (${model.name})`, loss, theta!);
          },
          coupled ? theta! : [...theta!, u],
        );
      };
      const body = (chunk: Chunk) => once(record(chunk), chunk.vectors[1]!);
      const keptBody = (chunk: Chunk) => {
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

/**
 * Replaces squares that leave float32's range before what is squared does.
 *
 * @param again Those at some places, computed from what is squared times `scale`.
 */
async function computeAgain(
  squares: Float64Array,
  again: (places: readonly number[], scale: number) => Promise<ArrayLike<number> | undefined>,
): Promise<void> {
  const scales = Array.from(squares, (square) =>
    square < 1 / COMFORTABLE_SQUARE ? RESCALE : square < COMFORTABLE_SQUARE ? 1 : 1 / RESCALE,
  );
  for (const scale of [RESCALE, 1 / RESCALE]) {
    const places = scales.flatMap((own, place) => (own === scale ? [place] : []));
    if (places.length === 0) continue;
    const found = await again(places, scale);
    places.forEach((place, k) => {
      // Not a number: what cancelled to 0 leaves float32 only now.
      if (found && !Number.isNaN(found[k]!)) squares[place] = found[k]!;
    });
  }
}

/** ∂y/∂x for every x; zeros where y does not depend on it. */
function gradientOf(y: () => Tensor, xs: readonly Tensor[]): Tensor[] {
  return once(
    recordGradientTape(() => [y()], xs),
    [tf.scalar(1)],
  );
}

/** The tape's only backward pass. */
function once(tape: GradientTape, dys: readonly Tensor[]): Tensor[] {
  try {
    return tape.backward(dys);
  } finally {
    tape.dispose();
  }
}

/**
 * ∂y/∂x for every x as operations of the tape that is being recorded, so that it can be differentiated itself.
 *
 * @throws BrinkError where there or on the way back an operation is not verified.
 */
function verifiedGradient(who: string, y: () => Tensor, xs: readonly Tensor[]): Tensor[] {
  const forward = () => {
    const value = y();
    // Before the way back, on which TensorFlow.js has words of its own for an operation without a derivative.
    requireVerifiedKernels(who);
    return value;
  };
  const { grads, value } = tf.engine().gradients(forward, [...xs], undefined, true);
  value.dispose();
  requireVerifiedKernels(who);
  return xs.map((x, k) => grads[k] ?? tf.zerosLike(x));
}

/** ℓ_i + R(θ). */
function penalized(model: Model, theta: readonly Tensor[], losses: Tensor): Tensor {
  const penalty = model.penalty?.(theta);
  return penalty ? tf.add(losses, penalty) : losses;
}

/** What a Hessian-vector product holds for one example more, by trials on zeros; refuses unverified kernels at once. */
function bytesPerExample(model: Model, loss: Loss): number {
  const held = (count: number) =>
    leakFree(() => {
      const theta = model.parameters.map(({ shape }) => tf.zeros([...shape]));
      const tape = recordGradientTape(() => {
        const inputs = tf.zeros([count, ...model.inputShape]);
        const targets = tf.zeros([count, model.outputCount]);
        const sum = () => tf.sum(penalized(model, theta, loss.perExample(model.forward(theta, inputs), targets)));
        return verifiedGradient(`${WHO} (${model.name})`, sum, theta);
      }, theta);
      once(tape, theta);
      return tape.bytes;
    });
  // The second backward pass holds about as much again as the tape.
  return Math.max(1, 2 * (held(2) - held(1)));
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** v = length · unit: where float32 products with v would underflow or overflow length is a power of two, else 1. */
function powerOfTwo<V extends Float32Array | Float64Array>(v: V): { unit: V; length: number } {
  const size = norm(v);
  if (!(size > 0 && size < Number.POSITIVE_INFINITY) || (size > 1 / COMFORTABLE && size < COMFORTABLE)) {
    return { unit: v, length: 1 };
  }
  const length = 2 ** Math.floor(Math.log2(size));
  return { unit: v.map((x) => x / length) as V, length };
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

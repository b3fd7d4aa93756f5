import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Examples } from '../../core/Dataset.ts';
import type { GradientTape } from '../gradientTape.ts';
import type { KeptPart, PassInput, RecordedPass } from '../graphs/RecordedPass.ts';
import type { RecordedPasses } from '../graphs/recordedPasses.ts';
import { leakFree } from '../leakFree.ts';
import type { Model } from '../Model.ts';
import { parameterTensors } from '../parameterTensors.ts';
import { type KeptAtTheta, keptAtTheta } from './keptAtTheta.ts';
import { residentExamples } from './residentExamples.ts';

/** How long passes may keep the event loop from turning, in milliseconds: signals and timers wait for it. */
const LONGEST_TURN = 50;

/** What a pass computes with, beside the examples. */
export interface Pass {
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
  /** The same from tapes that are kept at θ, operation by operation. */
  keptBody?(chunk: Chunk, tapes: KeptAtTheta<GradientTape>): Tensor[];
}
/** One chunk on the device. */
export interface Chunk {
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

/** How examples pass through the device. */
interface ChunkedPassesOptions {
  /** Examples on the device at once. */
  readonly chunkSize: number;
  /** What may be kept at a θ, in bytes. */
  readonly keptBytes: number;
  /** What examples may take that stay on the device from pass to pass, in bytes. */
  readonly residentBytes: number;
}

/** The passes of one objective. */
export interface ChunkedPasses {
  /**
   * Runs a pass on every chunk of its examples, in their order, and hands what its body returns, read back, to `use`.
   */
  over(pass: Pass, use: (result: ChunkResult, from: number, count: number) => void): Promise<void>;
  /** From now on passes run as graphs where they can. */
  recordBy(passes: RecordedPasses): void;
}

/** Passes over examples, chunk by chunk, each as a graph or operation by operation. */
export function chunkedPasses(
  model: Pick<Model, 'parameters' | 'inputShape' | 'outputCount'>,
  { chunkSize, keptBytes, residentBytes }: ChunkedPassesOptions,
): ChunkedPasses {
  const parameterShapes = model.parameters.map(({ shape }) => shape);
  const inputSize = model.inputShape.reduce((a, b) => a * b, 1);
  const tapes = keptAtTheta<GradientTape>(keptBytes);
  const parts = keptAtTheta<KeptPart>(keptBytes);
  const resident = residentExamples(residentBytes);
  let recorded: RecordedPasses | null = null;
  let lastTurn = performance.now();

  /** Runs a chunk as a graph: where all examples are asked for, from what is kept at θ of the chunks that fit. */
  function runAsGraph(graph: RecordedPass, given: readonly PassInput[], { vectors, batch }: Pass, from: number) {
    const values = given.map((input) => input.values);
    if (batch !== null || vectors.length === 1) return graph.run(values, graph.keptPart(), false);
    const { held, kept } = parts.at(vectors[0]!, from, () => graph.keptPart());
    return graph.run(values, held, kept);
  }

  /** Runs a chunk operation by operation. `vectors` are the pass's, on the device. */
  async function runOneByOne(
    { examples, batch, body, keptBody }: Pass,
    vectors: readonly (readonly Tensor[])[],
    { from, count, inputs, targets, shares }: ChunkRows,
  ): Promise<ChunkResult> {
    const make = () => ({
      inputs: tf.tensor(inputs.slice(), [count, ...model.inputShape]),
      targets: tf.tensor(targets.slice(), [count, model.outputCount]),
    });
    const chunk = {
      ...{ vectors, from, count },
      load: () => (batch === null ? resident.at(examples, from, make) : make()),
      shares: () => tf.tensor(shares!.slice()),
    };
    const tensors = leakFree((keep) => (keptBody ? keptBody({ ...chunk, keep }, tapes) : body({ ...chunk, keep })));
    try {
      return (await Promise.all(tensors.map((t) => t.data()))) as ChunkResult;
    } finally {
      tf.dispose(tensors);
    }
  }

  /** The chunk of a pass that begins at `from`. */
  function rowsOf({ examples, batch, shares }: Pass, from: number, count: number): ChunkRows {
    const rows = (array: Float32Array, width: number) =>
      batch === null
        ? array.subarray(from * width, (from + count) * width)
        : gather(array, width, batch.subarray(from, from + count));
    return {
      ...{ from, count, shares: shares?.subarray(from, from + count) },
      inputs: rows(examples.inputs, inputSize),
      targets: rows(examples.targets, model.outputCount),
    };
  }

  /** The chunk's pass as a graph, with what it takes; null where it runs operation by operation. */
  function graphOf(pass: Pass, { from, count, inputs, targets, shares }: ChunkRows) {
    const given = [
      ...pass.vectors.map((values, k) => ({
        ...{ values, shapes: parameterShapes, changes: k > 0 && pass.batch === null },
      })),
      { values: inputs, shapes: [[count, ...model.inputShape]] },
      { values: targets, shapes: [[count, model.outputCount]] },
      ...(shares ? [{ values: shares, shapes: [[count]] }] : []),
    ];
    const graph = recorded?.of(pass.name, given, (tensors) => {
      const vectors = tensors.slice(0, pass.vectors.length);
      const [[x], [y], u] = tensors.slice(vectors.length) as [[Tensor], [Tensor], [Tensor]?];
      const load = () => ({ inputs: x, targets: y });
      return leakFree((keep) => pass.body({ vectors, from, count, load, shares: () => u![0], keep }));
    });
    return graph ? { graph, given } : null;
  }

  async function run(pass: Pass, use: (result: ChunkResult, from: number, count: number) => void): Promise<void> {
    const total = pass.batch?.length ?? pass.examples.count;
    let uploaded: Tensor[][] | null = null;
    try {
      for (let from = 0; from < total; from += chunkSize) {
        if (from > 0 || performance.now() - lastTurn > LONGEST_TURN) {
          await nextTurn();
          lastTurn = performance.now();
        }
        const rows = rowsOf(pass, from, Math.min(chunkSize, total - from));
        const asGraph = graphOf(pass, rows);
        if (asGraph) {
          use(runAsGraph(asGraph.graph, asGraph.given, pass, from), from, rows.count);
          continue;
        }
        uploaded ??= pass.vectors.map((values) => parameterTensors(model, values));
        use(await runOneByOne(pass, uploaded, rows), from, rows.count);
      }
    } finally {
      if (uploaded) tf.dispose(uploaded);
    }
  }

  return {
    over: (pass, use) => resident.during(() => parts.during(() => tapes.during(() => run(pass, use)))),
    recordBy: (passes) => {
      recorded = passes;
    },
  };
}

/** A chunk of a pass on the host. */
interface ChunkRows {
  readonly from: number;
  readonly count: number;
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  readonly shares: Float32Array | undefined;
}

/** The rows of `array` that `indices` name, each `width` long. */
function gather(array: Float32Array, width: number, indices: Int32Array): Float32Array {
  const out = new Float32Array(indices.length * width);
  for (const [k, i] of indices.entries()) out.set(array.subarray(i * width, (i + 1) * width), k * width);
  return out;
}

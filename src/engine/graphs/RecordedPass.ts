import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { KeptResult } from './GraphAddon.ts';
import { type GraphSessions, type LoadableGraph, loadable } from './GraphSessions.ts';
import { graphDef, type Placeholder } from './graphDef.ts';
import { lean } from './lean.ts';
import type { NativeBackend } from './NativeBackend.ts';
import { NotRecordable } from './NotRecordable.ts';
import { type RecordedConstant, type RecordedNode, recordOperations } from './recordOperations.ts';
import { type GraphPart, splitGraph } from './splitGraph.ts';

/**
 * What a pass computes with: numbers on the host, and the tensors of which they are the entries, one after the other.
 */
export interface PassInput {
  readonly values: Float32Array;
  readonly shapes: readonly (readonly number[])[];
  /** Whether it changes while the other inputs stay: what does not depend on it can be kept. */
  readonly changes?: boolean;
}

/** From the tensors of every input to the results: nothing but tensor operations, the same at each call. */
export type PassBody = (inputs: readonly (readonly Tensor[])[]) => readonly Tensor[];

/** What a pass computes from the inputs that stay, once it has been asked for. */
export interface KeptPart {
  readonly bytes: number;
  /** Null: not computed yet. */
  results: readonly KeptResult[] | null;
  dispose(): void;
}

/** How far a graph's result may be from the eager one: a share of its length, and for each entry, what cancels to 0. */
const ROUNDING = 1e-4;
const CANCELLED = 1e-6;

/** A graph with the places, among the pass's inputs, of what it takes first. */
interface RunnableGraph {
  readonly graph: LoadableGraph;
  readonly places: readonly number[];
}

/**
 * A pass that was recorded once, and runs as one graph of TensorFlow since: none of TensorFlow.js's cost for each
 * operation, operations side by side, memory freed as soon as nothing needs it.
 *
 * What does not depend on the inputs that change is a run of its own, whose results can be kept; so the first pass and
 * those that follow compute the same, bit for bit.
 */
export class RecordedPass {
  readonly #sessions: GraphSessions;
  /** What does not depend on the inputs that change, whose results can be kept; null: there is nothing of the kind. */
  readonly #staying: RunnableGraph | null;
  readonly #changing: RunnableGraph;
  /** What the results of the part that stays take, in bytes. */
  readonly #keptBytes: number;
  /** Where each result ends in the one tensor that is read. */
  readonly #ends: readonly number[];

  /**
   * Records a pass on its inputs, and once more on others: graphs that differ hold something that depends on a value,
   * on chance or on what has been called before. Then both are run as graphs, and compared with what was recorded.
   *
   * @throws NotRecordable where it can't be, or the graph gives other numbers than the operations one by one.
   */
  constructor(backend: NativeBackend, sessions: GraphSessions, inputs: readonly PassInput[], body: PassBody) {
    this.#sessions = sessions;

    const others = inputs.map((input) => ({ ...input, values: input.values.map((x) => x / 2).reverse() }));
    const first = record(backend, inputs, body);
    const second = record(backend, others, body);
    const [bytes, again] = [first, second].map((recorded) => graphDef(backend.binding, recorded.graph));
    if (Buffer.compare(bytes!, again!) !== 0) {
      throw new NotRecordable('it does something else at another call, or with other numbers');
    }
    const names = inputs.map((_, k) => `i${k}`);
    const { staying, changing } = splitGraph(
      backend.binding,
      first.graph,
      OUTPUT,
      new Set(names.filter((_, k) => inputs[k]!.changes)),
    );
    const kept = staying ? changing.placeholders.slice(-staying.outputs.length) : [];
    this.#keptBytes = kept.reduce((sum, { shape }) => sum + 4 * tf.util.sizeFromShape([...shape]), 0);
    const runnable = (part: GraphPart): RunnableGraph => ({
      graph: loadable(
        graphDef(backend.binding, part),
        part.placeholders.map(({ name }) => `${name}:0`),
        part.outputs,
        Math.max(
          ...[...part.placeholders.map(({ shape }) => shape), ...part.nodes.flatMap(({ shapes }) => shapes)].map(
            (shape) => tf.util.sizeFromShape([...shape]),
          ),
        ),
      ),
      places: part.placeholders
        .filter((placeholder) => !kept.includes(placeholder))
        .map(({ name }) => names.indexOf(name)),
    });
    this.#staying = staying && runnable(staying);
    this.#changing = runnable(changing);
    let end = 0;
    this.#ends = first.results.map(({ length }) => {
      end += length;
      return end;
    });
    for (const [given, { results }] of [[inputs, first] as const, [others, second] as const]) {
      const values = given.map((input) => input.values);
      const found = this.#try(values);
      results.forEach((eager, k) => {
        requireAgreement(found[k]!, eager);
      });
    }
  }

  #try(values: readonly Float32Array[]): Float32Array[] {
    try {
      return this.run(values, this.keptPart(), false);
    } catch (error) {
      if (error instanceof NotRecordable) throw error;
      const [reason] = (error as Error).message.split('\n');
      throw new NotRecordable(`TensorFlow does not run its graph (${reason})`);
    }
  }

  /** A place for what does not depend on the inputs that change. */
  keptPart(): KeptPart {
    const { addon } = this.#sessions;
    return {
      bytes: this.#keptBytes,
      results: null,
      dispose() {
        for (const result of this.results ?? []) addon.release(result);
        this.results = null;
      },
    };
  }

  /**
   * The results, each a view of one array.
   *
   * @param part Where what does not depend on the inputs that change is found if it was kept.
   * @param keeps Whether it stays there.
   */
  run(values: readonly Float32Array[], part: KeptPart, keeps: boolean): Float32Array[] {
    const { addon } = this.#sessions;
    const [staying, changing] = [this.#staying, this.#changing];
    const feeds = ({ places }: RunnableGraph) => places.map((place) => values[place]!);
    if (staying) part.results ??= addon.run(this.#sessions.of(staying.graph), feeds(staying), true);
    try {
      const given = [...feeds(changing), ...(part.results ?? [])];
      const [all] = addon.run(this.#sessions.of(changing.graph), given, false);
      return this.#ends.map((end, k) => all!.subarray(this.#ends[k - 1] ?? 0, end));
    } finally {
      if (!keeps) part.dispose();
    }
  }
}

/** The one tensor that is read: the results, one after the other. */
const OUTPUT = 'output:0';

interface Recorded {
  readonly graph: {
    readonly placeholders: readonly Placeholder[];
    readonly constants: readonly RecordedConstant[];
    readonly nodes: readonly RecordedNode[];
  };
  readonly results: readonly Float32Array[];
}

/** The pass on these inputs, with a graph that takes every input whole and gives all results as one. */
function record(backend: NativeBackend, inputs: readonly PassInput[], body: PassBody): Recorded {
  const { binding } = backend;
  const { TF_ATTR_INT, TF_ATTR_TYPE, TF_FLOAT, TF_INT32 } = binding;
  const placeholders: Placeholder[] = [];
  const constants: RecordedConstant[] = [];
  const nodes: RecordedNode[] = [];
  const float = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  const integer = (name: string) => ({ name, type: TF_ATTR_TYPE, value: TF_INT32 });
  const constant = (name: string, values: readonly number[], shape: readonly number[] = [values.length]) => {
    const bytes = new Uint8Array(Int32Array.from(values).buffer);
    constants.push({ name, shape, dtype: TF_INT32, bytes });
    return `${name}:0`;
  };
  const reshape = (name: string, from: string, shape: readonly number[]) => {
    const inputs = [from, constant(`${name}s`, shape)];
    nodes.push({ name, operation: 'Reshape', attributes: [float, integer('Tshape')], inputs, shapes: [shape] });
    return `${name}:0`;
  };

  const tensors: Tensor[][] = [];
  const names = new Map<Tensor, string>();
  inputs.forEach(({ values, shapes }, k) => {
    const name = `i${k}`;
    let begin = 0;
    const parts = shapes.map((shape) => {
      const size = tf.util.sizeFromShape([...shape]);
      begin += size;
      return { tensor: tf.tensor(values.slice(begin - size, begin), [...shape]), shape, size, begin: begin - size };
    });
    tensors.push(parts.map(({ tensor }) => tensor));
    placeholders.push({ name, shape: parts.length === 1 ? parts[0]!.shape : [values.length] });
    parts.forEach(({ tensor, shape, size, begin }, p) => {
      if (parts.length === 1) {
        // A run can't give back what it was given, but its likeness.
        nodes.push({
          name: `${name}p`,
          operation: 'Identity',
          attributes: [float],
          inputs: [`${name}:0`],
          shapes: [shape],
        });
        names.set(tensor, `${name}p:0`);
        return;
      }
      const slice = `${name}p${p}`;
      const range = [constant(`${slice}b`, [begin]), constant(`${slice}n`, [size])];
      const attributes = [float, integer('Index')];
      nodes.push({ name: slice, operation: 'Slice', attributes, inputs: [`${name}:0`, ...range], shapes: [[size]] });
      names.set(tensor, reshape(`${slice}r`, `${slice}:0`, shape));
    });
  });
  try {
    const { graph, results } = recordOperations(backend, names, () => body(tensors));
    if (results.length === 0) throw new NotRecordable('it gives nothing');
    const values = results.map((result) => result.dataSync() as Float32Array);
    tf.dispose([...results]);
    constants.push(...graph.constants);
    nodes.push(...graph.nodes);
    const flat = graph.outputs.map((output, k) => reshape(`o${k}`, output, [values[k]!.length]));
    const whole = { name: 'output', shapes: [[values.reduce((sum, { length }) => sum + length, 0)]] };
    if (flat.length === 1) nodes.push({ ...whole, operation: 'Identity', attributes: [float], inputs: flat });
    else {
      const attributes = [{ name: 'N', type: TF_ATTR_INT, value: flat.length }, float, integer('Tidx')];
      nodes.push({ ...whole, operation: 'ConcatV2', attributes, inputs: [...flat, constant('axis', [0], [])] });
    }
    const known = new Map([...placeholders, ...constants].map(({ name, shape }) => [`${name}:0`, shape]));
    return {
      graph: { placeholders, constants, nodes: lean(binding, nodes, (tensor) => known.get(tensor)!) },
      results: values,
    };
  } finally {
    tf.dispose(tensors);
  }
}

/** @throws NotRecordable where two results differ by more than rounding. */
function requireAgreement(found: Float32Array, eager: Float32Array): void {
  let [error, length] = [0, 0];
  eager.forEach((x, k) => {
    const y = found[k]!;
    if (Number.isFinite(x) && Number.isFinite(y)) {
      error = Math.hypot(error, y - x);
      length = Math.hypot(length, x);
    } else if (!Object.is(x, y)) error = Number.POSITIVE_INFINITY;
  });
  if (error > ROUNDING * length + CANCELLED * Math.sqrt(eager.length)) {
    throw new NotRecordable(`as a graph its result differs by ${(error / length).toExponential(1)} of its length`);
  }
}

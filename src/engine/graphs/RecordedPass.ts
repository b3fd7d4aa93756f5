import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { GraphSessions, type LoadableGraph, loadable } from './GraphSessions.ts';
import type { NativeBackend, NativeTensor } from './NativeBackend.ts';
import { NotRecordable } from './NotRecordable.ts';
import { type RecordedConstant, type RecordedNode, recordOperations } from './recordOperations.ts';
import { type Placeholder, savedModel } from './savedModel.ts';

/** What a pass computes with: numbers on the host, and the tensors of which they are the entries, one after the other. */
export interface PassInput {
  readonly values: Float32Array;
  readonly shapes: readonly (readonly number[])[];
  /** Whether it changes while the other inputs stay: what does not depend on it can be kept. */
  readonly changes?: boolean;
}

/** From the tensors of every input to the results: nothing but tensor operations, the same at each call. */
export type PassBody = (inputs: readonly (readonly Tensor[])[]) => readonly Tensor[];

/** What a pass has computed from the inputs that stay, on the device. */
export interface KeptPart {
  readonly ids: readonly number[];
  readonly bytes: number;
  dispose(): void;
}

/** How far a graph's result may be from the eager one: a share of its length, and for each entry, what cancels to 0. */
const ROUNDING = 1e-4;
const CANCELLED = 1e-6;

/** A tensor that is made before, and those who ask for it by name. */
interface Feeds {
  readonly names: string;
  readonly ids: readonly number[];
}

const sessionsOf = new WeakMap<object, GraphSessions>();

/**
 * A pass that was recorded once, and runs as one graph of TensorFlow since: none of TensorFlow.js's cost for each
 * operation, operations side by side, memory freed as soon as nothing needs it.
 *
 * What does not depend on the inputs that change is a run of its own, whose results can be kept; so the first pass and
 * those that follow compute the same, bit for bit.
 */
export class RecordedPass {
  readonly #backend: NativeBackend;
  readonly #sessions: GraphSessions;
  readonly #graph: LoadableGraph;
  /** The names of the inputs, in their order, and which change. */
  readonly #inputs: readonly (Placeholder & { readonly changes: boolean })[];
  /** Where each result ends in the one tensor that is read. */
  readonly #ends: readonly number[];
  /** The tensors that lead from what stays to what changes; none where nothing changes, or nothing stays. */
  readonly #frontier: readonly string[];

  /**
   * Records a pass on its inputs, and once more on others: graphs that differ hold something that depends on a value,
   * on chance or on what has been called before. Then both are run as graphs, and compared with what was recorded.
   *
   * @throws NotRecordable where it can't be, or the graph gives other numbers than the operations one by one.
   */
  constructor(backend: NativeBackend, inputs: readonly PassInput[], body: PassBody) {
    this.#backend = backend;
    const sessions = sessionsOf.get(backend) ?? new GraphSessions(backend.binding);
    sessionsOf.set(backend, sessions);
    this.#sessions = sessions;

    const others = inputs.map((input) => ({ ...input, values: input.values.map((x) => x / 2).reverse() }));
    const first = record(backend, inputs, body);
    const second = record(backend, others, body);
    const [bytes, again] = [first, second].map((recorded) => savedModel(backend.binding, recorded.graph));
    if (Buffer.compare(bytes!, again!) !== 0) {
      throw new NotRecordable('it does something else at another call, or with other numbers');
    }
    this.#graph = loadable(bytes!);
    this.#inputs = first.graph.placeholders.map((placeholder, k) => ({
      ...placeholder,
      changes: inputs[k]!.changes ?? false,
    }));
    let end = 0;
    this.#ends = first.results.map(({ length }) => {
      end += length;
      return end;
    });
    this.#frontier = frontierOf(first.graph.nodes, this.#inputs);
    for (const [given, { results }] of [[inputs, first] as const, [others, second] as const]) {
      const kept = this.prepare(given.map(({ values }) => values));
      const found = this.run(
        given.map(({ values }) => values),
        kept,
      );
      kept.dispose();
      results.forEach((eager, k) => {
        requireAgreement(found[k]!, eager);
      });
    }
  }

  /** What does not depend on the inputs that change. The caller disposes it. */
  prepare(values: readonly Float32Array[]): KeptPart {
    if (this.#frontier.length === 0) return { ids: [], bytes: 0, dispose: () => {} };
    const tensors = this.#run(values, this.#frontier.join(), ({ changes }) => !changes);
    const ids = tensors.map(({ id }) => id);
    const bytes = tensors.reduce((sum, { shape }) => sum + 4 * tf.util.sizeFromShape([...shape]), 0);
    return { ids, bytes, dispose: () => ids.forEach((id) => void this.#backend.binding.deleteTensor(id)) };
  }

  /** The results, each a view of one array. */
  run(values: readonly Float32Array[], { ids }: KeptPart): Float32Array[] {
    const { binding } = this.#backend;
    const feeds = { names: this.#frontier.join(), ids };
    const [{ id }] = this.#run(values, OUTPUT, ({ changes }) => changes || ids.length === 0, feeds) as [NativeTensor];
    const all = binding.tensorDataSync(id);
    binding.deleteTensor(id);
    return this.#ends.map((end, k) => all.subarray(this.#ends[k - 1] ?? 0, end));
  }

  #run(
    values: readonly Float32Array[],
    outputs: string,
    isGiven: (input: { readonly changes: boolean }) => boolean,
    { names, ids }: Feeds = { names: '', ids: [] },
  ): readonly NativeTensor[] {
    const { binding } = this.#backend;
    const session = this.#sessions.of(this.#graph);
    const given = this.#inputs.flatMap((input, k) => (isGiven(input) ? [{ ...input, values: values[k]! }] : []));
    const made = given.map(({ shape, values }) => binding.createTensor(shape, binding.TF_FLOAT, values));
    const inputs = [...given.map(({ name }) => `${name}:0`), ...(names === '' ? [] : [names])].join();
    try {
      return binding.runSavedModel(session, [...made, ...ids], inputs, outputs);
    } finally {
      for (const id of made) binding.deleteTensor(id);
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
    const flat = graph.outputs.map((output, k) => reshape(`o${k}`, output, [-1]));
    const whole = { name: 'output', shapes: [[values.reduce((sum, { length }) => sum + length, 0)]] };
    if (flat.length === 1) nodes.push({ ...whole, operation: 'Identity', attributes: [float], inputs: flat });
    else {
      const attributes = [{ name: 'N', type: TF_ATTR_INT, value: flat.length }, float, integer('Tidx')];
      nodes.push({ ...whole, operation: 'ConcatV2', attributes, inputs: [...flat, constant('axis', [0], [])] });
    }
    return { graph: { placeholders, constants, nodes }, results: values };
  } finally {
    tf.dispose(tensors);
  }
}

/** The tensors that are computed from the inputs that stay alone, and asked for by operations that depend on others. */
function frontierOf(
  nodes: readonly RecordedNode[],
  inputs: readonly { readonly name: string; readonly changes: boolean }[],
): readonly string[] {
  const changing = new Set(inputs.filter(({ changes }) => changes).map(({ name }) => name));
  if (changing.size === 0) return [];
  const stays = new Set(inputs.filter(({ changes }) => !changes).map(({ name }) => name));
  const nodeOf = (tensor: string) => tensor.slice(0, tensor.indexOf(':'));
  const frontier = new Set<string>();
  for (const { name, inputs } of nodes) {
    if (inputs.some((input) => changing.has(nodeOf(input)))) {
      changing.add(name);
      for (const input of inputs) if (stays.has(nodeOf(input))) frontier.add(input);
    } else if (inputs.some((input) => stays.has(nodeOf(input)))) stays.add(name);
  }
  return [...frontier];
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

import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { NativeAttribute, NativeBackend, NativeBinding } from './NativeBackend.ts';
import { NotRecordable } from './NotRecordable.ts';

/** An operation that ran. A tensor is named by the node that makes it and its place among its outputs: `n7:0`. */
export interface RecordedNode {
  readonly name: string;
  readonly operation: string;
  readonly attributes: readonly NativeAttribute[];
  readonly inputs: readonly string[];
  /** Of its outputs. */
  readonly shapes: readonly (readonly number[])[];
  /** Of its outputs; none: all are float32. */
  readonly types?: readonly number[];
}

/** A tensor that came from the host while the body ran. */
export interface RecordedConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly bytes: Uint8Array;
}

/** What a body did, as a graph from its inputs to its outputs. */
export interface RecordedOperations {
  readonly nodes: readonly RecordedNode[];
  readonly constants: readonly RecordedConstant[];
  /** The names of the tensors that it returned. */
  readonly outputs: readonly string[];
}

/** Operations that give something else each time. */
const RANDOM = /Random|Multinomial|Shuffle/;

/**
 * Runs a body, which computes as ever, and records what TensorFlow did for it.
 *
 * A value can reach the graph from the inputs, or from the host. Of the inputs JavaScript knows nothing but their
 * shapes, unless it reads them back, which is noticed; so a constant is one that the body would make of any inputs, or
 * depends on something outside the body.
 *
 * @param inputs The body's tensors with the names that the graph is to have for them.
 * @returns The graph, and what the body returned.
 * @throws NotRecordable after the body has run, where it read a tensor back, took a tensor from elsewhere, or drew
 *   random numbers; an error of the body.
 */
export function recordOperations(
  backend: NativeBackend,
  inputs: ReadonlyMap<Tensor, string>,
  body: () => readonly Tensor[],
): { readonly graph: RecordedOperations; readonly results: readonly Tensor[] } {
  const { binding } = backend;
  const nodes: RecordedNode[] = [];
  const constants: RecordedConstant[] = [];
  const names = new Map<number, string>();
  let refused: string | null = null;
  const nameOf = (id: number): string => {
    const name = names.get(id);
    if (name === undefined) refused ??= 'it uses a tensor that was made elsewhere';
    return name ?? '';
  };
  const tensors = [...inputs.keys()];
  backend.getInputTensorIds(tensors).forEach((id, k) => {
    names.set(id, inputs.get(tensors[k]!)!);
  });

  const recorder: NativeBinding = Object.create(binding, {
    createTensor: {
      value: (shape: readonly number[], dtype: number, data: ArrayLike<number>) => {
        const id = binding.createTensor(shape, dtype, data);
        const name = `c${constants.length}`;
        const bytes = bytesOf(binding, dtype, data);
        if (bytes === null) refused ??= 'it makes a tensor of strings';
        else constants.push({ name, shape: [...shape], dtype, bytes });
        names.set(id, `${name}:0`);
        return id;
      },
    },
    executeOp: {
      value: (operation: string, attributes: NativeAttribute[], ids: number[], outputCount: number) => {
        if (RANDOM.test(operation)) refused ??= `it draws random numbers (${operation})`;
        const outputs = binding.executeOp(operation, attributes, ids, outputCount);
        const name = `n${nodes.length}`;
        nodes.push({
          ...{ name, operation, attributes: attributes.map((attribute) => ({ ...attribute })) },
          ...{ inputs: ids.map(nameOf), shapes: outputs.map(({ shape }) => shape) },
          types: outputs.map(({ dtype }) => dtype),
        });
        outputs.forEach(({ id }, k) => {
          names.set(id, `${name}:${k}`);
        });
        return outputs;
      },
    },
    tensorDataSync: {
      value: (id: number) => {
        refused ??= 'it reads a tensor back';
        return binding.tensorDataSync(id);
      },
    },
  });
  /** What is on the host alone came from there; anything else is a number that was computed. */
  const noteRead = (dataId: object) => {
    if (backend.tensorMap.get(dataId).values == null) refused ??= 'it reads a tensor back';
  };
  const { readSync, read } = backend;
  backend.binding = recorder;
  backend.readSync = (dataId) => {
    noteRead(dataId);
    return readSync.call(backend, dataId);
  };
  backend.read = (dataId) => {
    noteRead(dataId);
    return read.call(backend, dataId);
  };
  try {
    const results = body();
    const outputs = backend.getInputTensorIds(results).map(nameOf);
    if (refused !== null) {
      tf.dispose([...results]);
      throw new NotRecordable(refused);
    }
    return { graph: { nodes, constants, outputs }, results };
  } finally {
    backend.binding = binding;
    // They are the prototype's again.
    Reflect.deleteProperty(backend, 'readSync');
    Reflect.deleteProperty(backend, 'read');
  }
}

function bytesOf({ TF_FLOAT, TF_INT32, TF_INT64, TF_BOOL }: NativeBinding, dtype: number, data: ArrayLike<number>) {
  const arrays = new Map<number, (values: ArrayLike<number>) => ArrayBufferView>([
    [TF_FLOAT, (values) => Float32Array.from(values)],
    [TF_INT32, (values) => Int32Array.from(values)],
    // Two halves, the lower one first.
    [TF_INT64, (values) => Int32Array.from(values)],
    [TF_BOOL, (values) => Uint8Array.from(values)],
  ]);
  const view = arrays.get(dtype)?.(data);
  return view ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : null;
}

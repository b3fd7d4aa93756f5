import { createRequire } from 'node:module';
import type { NativeAttribute, NativeBinding } from './NativeBackend.ts';
import { NotRecordable } from './NotRecordable.ts';
import type { RecordedConstant, RecordedNode } from './recordOperations.ts';

/** An input of a graph. */
export interface Placeholder {
  readonly name: string;
  readonly shape: readonly number[];
  /** None: float32. */
  readonly type?: number;
}

/** A whole graph of TensorFlow. */
export interface Graph {
  readonly placeholders: readonly Placeholder[];
  readonly constants: readonly RecordedConstant[];
  readonly nodes: readonly RecordedNode[];
}

/** The first version of TensorFlow's graphs that has all that is used here. */
const PRODUCER = 1500;
/** A constant with one value throughout is written as one number from so many on. */
const UNIFORM = 16;

// The messages of TensorFlow.js's own package; no types come with them.
// biome-ignore lint/suspicious/noExplicitAny: generated code of protobuf
type Message = any;
let messages: Message;

/** The graph as TensorFlow reads it: the same bytes for the same graph. */
export function graphDef(binding: NativeBinding, { placeholders, constants, nodes }: Graph): Uint8Array {
  messages ??= createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb');
  const graph = make('GraphDef');
  const add = (name: string, operation: string, inputs: readonly string[], attributes: Record<string, Message>) => {
    const node = make('NodeDef', { Name: name, Op: operation, InputList: [...inputs] });
    for (const [key, value] of Object.entries(attributes)) node.getAttrMap().set(key, value);
    graph.addNode(node);
  };
  for (const { name, shape, type = binding.TF_FLOAT } of placeholders) {
    const dtype = make('AttrValue', { Type: type });
    add(name, 'Placeholder', [], { dtype, shape: make('AttrValue', { Shape: shapeOf(shape) }) });
  }
  for (const constant of constants) {
    const dtype = make('AttrValue', { Type: constant.dtype });
    add(constant.name, 'Const', [], { dtype, value: make('AttrValue', { Tensor: tensorOf(binding, constant) }) });
  }
  for (const { name, operation, inputs, attributes } of nodes) {
    add(name, operation, inputs, Object.fromEntries(attributes.map((a) => [a.name, attributeOf(binding, a)])));
  }
  graph.setVersions(make('VersionDef', { Producer: PRODUCER }));
  return graph.serializeBinary();
}

/** A message of this type with these fields. */
function make(type: string, fields: Record<string, unknown> = {}): Message {
  const Type = type.split('.').reduce((scope, name) => scope[name], messages);
  const message = new Type();
  for (const [field, value] of Object.entries(fields)) message[`set${field}`](value);
  return message;
}

function shapeOf(shape: readonly number[]): Message {
  return make('TensorShape', { DimList: shape.map((size) => make('TensorShape.Dim', { Size: size })) });
}

function tensorOf({ TF_FLOAT, TF_INT32 }: NativeBinding, { shape, dtype, bytes }: RecordedConstant): Message {
  const tensor = make('Tensor', { Dtype: dtype, TensorShape: shapeOf(shape) });
  const values =
    dtype === TF_FLOAT
      ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
      : dtype === TF_INT32
        ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
        : null;
  const isUniform = values !== null && values.length >= UNIFORM && values.every((x) => Object.is(x, values[0]));
  if (!isUniform) tensor.setTensorContent(bytes);
  else if (dtype === TF_FLOAT) tensor.setFloatValList([values[0]]);
  else tensor.setIntValList([values[0]]);
  return tensor;
}

function attributeOf(binding: NativeBinding, { name, type, value }: NativeAttribute): Message {
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return make('AttrValue', { Type: value });
    case binding.TF_ATTR_BOOL:
      return make('AttrValue', { B: value });
    case binding.TF_ATTR_FLOAT:
      return make('AttrValue', { F: value });
    case binding.TF_ATTR_STRING:
      return make('AttrValue', { S: new TextEncoder().encode(value as string) });
    case binding.TF_ATTR_SHAPE:
      return make('AttrValue', { Shape: shapeOf(value as number[]) });
    case binding.TF_ATTR_INT:
      return Array.isArray(value)
        ? make('AttrValue', { List: make('AttrValue.ListValue', { IList: value }) })
        : make('AttrValue', { I: value });
    default:
      throw new NotRecordable(`its operations have an attribute ${name} of an unknown kind`);
  }
}

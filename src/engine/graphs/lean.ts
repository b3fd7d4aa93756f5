import type { NativeAttribute, NativeBinding } from './NativeBackend.ts';
import type { RecordedNode } from './recordOperations.ts';

/**
 * The nodes without those that give back what they are given, and with matrix products that suit small matrices.
 *
 * TensorFlow.js casts float32 to float32, and reshapes and spreads to the shape that is there already. Of the two kinds
 * of matrix product that TensorFlow has on a CPU, oneDNN's costs some 20 µs more whatever the size, and takes the place
 * of the other in graphs by the operation's name; `BatchMatMulV3` keeps its own.
 *
 * @param shapeOf The shape of a tensor that no node makes: an input, a constant.
 */
export function lean(
  binding: NativeBinding,
  nodes: readonly RecordedNode[],
  shapeOf: (name: string) => readonly number[],
): RecordedNode[] {
  const shapes = new Map<string, readonly number[]>();
  /** What stands for a tensor that is gone. */
  const instead = new Map<string, string>();
  const kept: RecordedNode[] = [];
  for (const node of nodes) {
    const inputs = node.inputs.map((input) => instead.get(input) ?? input);
    const [first] = inputs;
    const output = `${node.name}:0`;
    const from = first === undefined ? undefined : (shapes.get(first) ?? shapeOf(first));
    if (first !== undefined && isIdle(node, from!)) {
      instead.set(output, first);
      continue;
    }
    node.shapes.forEach((shape, k) => {
      shapes.set(`${node.name}:${k}`, shape);
    });
    kept.push(withOwnProduct(binding, { ...node, inputs }));
  }
  return kept;
}

/** Whether an operation gives back its first input, of this shape. */
function isIdle({ operation, attributes, shapes }: RecordedNode, from: readonly number[]): boolean {
  if (operation === 'Cast') return valueIn(attributes, 'SrcT') === valueIn(attributes, 'DstT');
  if (operation !== 'Reshape' && operation !== 'BroadcastTo') return false;
  const to = shapes[0]!;
  return to.length === from.length && to.every((size, axis) => size === from[axis]);
}

/** A product of two stacks of matrices by the operation that oneDNN leaves alone. */
function withOwnProduct(binding: NativeBinding, node: RecordedNode): RecordedNode {
  const { TF_ATTR_TYPE: type, TF_FLOAT, TF_ATTR_BOOL } = binding;
  const { operation, attributes } = node;
  if (operation !== 'BatchMatMulV2' || valueIn(attributes, 'T') !== TF_FLOAT || binding.isUsingGpuDevice()) return node;
  return {
    ...node,
    operation: 'BatchMatMulV3',
    attributes: [
      ...['Ta', 'Tb', 'Tout'].map((name) => ({ name, type, value: TF_FLOAT })),
      ...['adj_x', 'adj_y'].map((name) => ({ name, type: TF_ATTR_BOOL, value: valueIn(attributes, name) ?? false })),
    ],
  };
}

const valueIn = (attributes: readonly NativeAttribute[], name: string) =>
  attributes.find((attribute) => attribute.name === name)?.value;

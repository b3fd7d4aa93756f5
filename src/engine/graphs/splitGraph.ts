import type { Graph, Placeholder } from './graphDef.ts';
import type { NativeBinding } from './NativeBackend.ts';
import type { RecordedNode } from './recordOperations.ts';

/** One graph to run: what it takes, and the tensors that it is asked for. */
export interface GraphPart extends Graph {
  readonly outputs: readonly string[];
}

/** A graph in two: what the inputs that stay decide, and what the others decide from it. */
export interface SplitGraph {
  /** Null where nothing changes, or nothing that stays is needed. */
  readonly staying: GraphPart | null;
  /** Its last placeholders are what `staying` gives, in its order. */
  readonly changing: GraphPart;
}

/**
 * Cuts a graph where what depends on the inputs that change takes something that does not. Each part is a graph of its
 * own, with nothing in it that its outputs don't need: fed in the middle of one graph, TensorFlow's optimiser may ask
 * for what was cut off.
 *
 * @param output The tensor that is wanted of the whole.
 * @param changes The names of the inputs that change.
 */
export function splitGraph(
  binding: NativeBinding,
  graph: Graph,
  output: string,
  changes: ReadonlySet<string>,
): SplitGraph {
  const whole = needed(graph, [output]);
  const changing = new Set(changes);
  const staying = new Map<string, RecordedNode>();
  const placeholders = new Map<string, Placeholder>();
  const given = new Set(whole.placeholders.map(({ name }) => name));
  const later: RecordedNode[] = [];
  for (const node of whole.nodes) {
    const makers = node.inputs.map(makerOf);
    if (!makers.some((maker) => changing.has(maker))) {
      if (changes.size > 0 && makers.some((maker) => given.has(maker) || staying.has(maker))) {
        staying.set(node.name, node);
        continue;
      }
      later.push(node);
      continue;
    }
    changing.add(node.name);
    const inputs = node.inputs.map((input, k) => {
      const maker = staying.get(makers[k]!);
      if (!maker) return input;
      const place = Number(input.slice(input.indexOf(':') + 1));
      const name = `${maker.name}_${place}`;
      const type = maker.types?.[place];
      placeholders.set(input, { name, shape: maker.shapes[place]!, ...(type !== undefined && { type }) });
      return `${name}:0`;
    });
    later.push({ ...node, inputs });
  }
  if (placeholders.size === 0) return { staying: null, changing: whole };
  const { constants } = whole;
  const rest = needed(
    { placeholders: whole.placeholders, constants, nodes: later },
    [output],
    [...placeholders.values()],
  );
  // Under names of their own: TensorFlow's optimiser may swallow an operation that is asked for (x · sigmoid x).
  const copies = [...placeholders].map(([tensor, { name, shape, type }]) => {
    const attributes = [{ name: 'T', type: binding.TF_ATTR_TYPE, value: type ?? binding.TF_FLOAT }];
    return { name, operation: 'Identity', attributes, inputs: [tensor], shapes: [shape] };
  });
  const copied = copies.map(({ name }) => `${name}:0`);
  return { staying: needed({ ...whole, nodes: [...whole.nodes, ...copies] }, copied), changing: rest };
}

/** What some tensors of a graph need of it; `fed` are placeholders that come last, all of them needed. */
function needed(graph: Graph, outputs: readonly string[], fed: readonly Placeholder[] = []): GraphPart {
  const names = new Set(outputs.map(makerOf));
  for (const { name, inputs } of graph.nodes.toReversed()) {
    if (names.has(name)) for (const input of inputs) names.add(makerOf(input));
  }
  const isNeeded = ({ name }: { readonly name: string }) => names.has(name);
  return {
    placeholders: [...graph.placeholders.filter(isNeeded), ...fed],
    constants: graph.constants.filter(isNeeded),
    nodes: graph.nodes.filter(isNeeded),
    outputs,
  };
}

const makerOf = (tensor: string) => tensor.slice(0, tensor.indexOf(':'));

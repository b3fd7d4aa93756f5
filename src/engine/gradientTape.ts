import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Attributes } from './kernels/Kernel.ts';

/** One operation as TensorFlow.js records it. */
export interface TapeNode {
  readonly kernelName: string;
  readonly inputs: NamedTensorMap;
  readonly outputs: readonly Tensor[];
  /** Strides, axes and the like. */
  readonly attributes: Attributes;
  /** What the operation's derivative needs. */
  readonly saved: readonly Tensor[];
  /** From ∂/∂outputs to ∂/∂input, for each input by its name. */
  readonly gradient?: (dys: readonly (Tensor | null)[]) => Record<string, () => Tensor>;
}

/** The part of TensorFlow.js's engine that records. */
interface Recorder {
  startTape(): void;
  endTape(): void;
  addTapeNode?(...description: unknown[]): void;
  readonly state: { activeTape: TapeNode[] | null };
}

/** y = f(x), recorded. It holds device memory until it is disposed. */
export interface GradientTape {
  /** What it holds, in bytes. */
  readonly bytes: number;
  /**
   * Σ_k dy_kᵀ ∂y_k/∂x for every x: one backward pass, as often as one likes. Zeros where no y depends on an x.
   *
   * @param dys ∂/∂y, one a y. They stay the caller's.
   * @param take Asked before an operation's derivative with respect to an input is computed, with ∂/∂ its output, from
   *   the last operation to the first; of several outputs the first, null where no y depends on it. Where it says true
   *   it has done what is wanted itself: then nothing flows back through this input.
   */
  backward(dys: readonly Tensor[], take?: (node: TapeNode, input: string, dy: Tensor | null) => boolean): Tensor[];
  dispose(): void;
}

/**
 * Records what `f` does with `xs`, so that it can be differentiated for many ∂/∂y with one forward pass.
 *
 * tf.grads runs f anew for each. Nothing that `f` makes needs to outlive it: what derivatives need is kept on the tape.
 * Called where nothing is being recorded.
 */
export function recordGradientTape(f: () => readonly Tensor[], xs: readonly Tensor[]): GradientTape {
  const recorder = tf.engine() as unknown as Recorder;
  recorder.startTape();
  // TensorFlow.js hides the attributes in the derivative.
  const add = recorder.addTapeNode!;
  recorder.addTapeNode = (...description) => {
    add.apply(recorder, description);
    Object.assign(recorder.state.activeTape!.at(-1)!, { attributes: description[5] ?? {} });
  };
  let ys: readonly Tensor[];
  try {
    ys = tf.tidy(() => [...f()]);
  } finally {
    delete recorder.addTapeNode;
    recorder.endTape();
  }
  const all = recorder.state.activeTape!;
  recorder.state.activeTape = null;
  tf.dispose([...ys]);

  const nodes = between(all, xs, ys);
  // Also what operations aside have saved: a mask may travel from them in an attribute.
  const saved = all.flatMap((node) => node.saved);
  const sizes = new Map(saved.map(({ dataId, size }) => [dataId, 4 * size]));

  return {
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    dispose: () => tf.dispose(saved),
    backward: (dys, take) => {
      const gradients = new Map<number, Tensor>();
      // How many entries are the same tensor: a derivative may hand dy on as it is.
      const holders = new Map<Tensor, number>();
      const hold = (tensor: Tensor, change: number) => {
        const count = (holders.get(tensor) ?? 0) + change;
        holders.set(tensor, count);
        if (count === 0) tensor.dispose();
      };
      const accumulate = ({ id }: Tensor, gradient: Tensor) => {
        const sum = gradients.get(id);
        const next = sum === undefined ? gradient : tf.add(sum, gradient);
        gradients.set(id, next);
        hold(next, 1);
        if (sum === undefined) return;
        hold(sum, -1);
        if (!holders.has(gradient)) gradient.dispose();
      };
      for (const dy of dys) hold(dy, 1);
      ys.forEach((y, k) => {
        accumulate(y, dys[k]!);
      });
      for (const { node, inputs } of nodes.toReversed()) {
        const own = node.outputs.map(({ id }) => gradients.get(id) ?? null);
        if (!node.gradient) throw new Error(`${node.kernelName} has no derivative in TensorFlow.js.`);
        const derivatives = node.gradient(own);
        for (const name of inputs) {
          if (take?.(node, name, own[0] ?? null)) continue;
          const derivative = derivatives[name];
          if (!derivative) throw new Error(`${node.kernelName} has no derivative with respect to its input ${name}.`);
          accumulate(node.inputs[name]!, tf.tidy(derivative));
        }
        for (const { id } of node.outputs) {
          const done = gradients.get(id);
          gradients.delete(id);
          if (done) hold(done, -1);
        }
      }
      // What is handed out is the caller's alone: no dy, and nothing twice.
      const taken = new Set(dys);
      return xs.map(({ id, shape }) => {
        const gradient = gradients.get(id) ?? tf.zeros([...shape]);
        const own = taken.has(gradient) ? tf.clone(gradient) : gradient;
        taken.add(own);
        return own;
      });
    },
  };
}

/** The operations through which some y depends on some x, with the names of the inputs that do, in their order. */
function between(tape: readonly TapeNode[], xs: readonly Tensor[], ys: readonly Tensor[]) {
  const fromX = new Set(xs.map(({ id }) => id));
  const forwards = tape.map((node) => {
    const inputs = Object.keys(node.inputs).filter((name) => fromX.has(node.inputs[name]!.id));
    if (inputs.length > 0) for (const { id } of node.outputs) fromX.add(id);
    return { node, inputs };
  });
  const toY = new Set(ys.map(({ id }) => id));
  return forwards
    .toReversed()
    .filter(({ node, inputs }) => {
      const leads = inputs.length > 0 && node.outputs.some(({ id }) => toY.has(id));
      if (leads) for (const name of inputs) toY.add(node.inputs[name]!.id);
      return leads;
    })
    .toReversed();
}

/** ∂y/∂x for every x; zeros where y does not depend on it. */
export function gradientOf(y: () => Tensor, xs: readonly Tensor[]): Tensor[] {
  return once(
    recordGradientTape(() => [y()], xs),
    [tf.scalar(1)],
  );
}

/** The tape's only backward pass. */
export function once(tape: GradientTape, dys: readonly Tensor[]): Tensor[] {
  try {
    return tape.backward(dys);
  } finally {
    tape.dispose();
  }
}

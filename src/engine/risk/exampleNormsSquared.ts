import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { GradientTape, TapeNode } from '../gradientTape.ts';
import { convolutionInfo } from '../kernels/convolutionInfo.ts';
import type { Attributes } from '../kernels/Kernel.ts';
import { windowPixels } from '../kernels/windowPixels.ts';

/** ‖∂ℓ_i/∂w‖² [B] for the parameter w that enters as `input`, from δ = ∂Σℓ/∂output [B, …]; null where unknown. */
type Rule = (node: TapeNode, input: string, delta: Tensor) => Tensor | null;

/**
 * The operations through which a parameter may enter. In all of them the first axis of the output counts the examples.
 *
 * x W: ∂ℓ_i/∂W = x_i δ_iᵀ, whose norm is ‖x_i‖ ‖δ_i‖. A convolution sums x δᵀ over the places of an image, for each
 * entry of the filter with x shifted by it. What is added or multiplied sums over the places to which it was broadcast.
 */
const RULES: Readonly<Record<string, Rule>> = {
  BatchMatMul: ({ saved: [x], attributes }, input, delta) => {
    if (input !== 'b' || delta.rank !== 2 || attributes.transposeA || attributes.transposeB) return null;
    // Not ‖x‖² ‖δ‖²: of a small and a large number one square leaves float32, and the gradient does not.
    return squaredNorm(tf.mul(x!, rowNorms(delta)));
  },
  Conv2D: ({ saved: [x, filter], attributes }, input, delta) =>
    input === 'filter' ? filterNorm(x!, filter!.shape, delta, attributes) : null,
  BiasAdd: (node, input, delta) => (input === 'b' ? broadcastNorm(node.inputs.b!.shape, delta) : null),
  Add: (node, input, delta) => broadcastNorm(node.inputs[input]!.shape, delta),
  Multiply: ({ inputs, saved: [a, b] }, input, delta) =>
    broadcastNorm(inputs[input]!.shape, tf.mul(delta, input === 'a' ? b! : a!)),
};

/** About the least number that every engine has. */
const LEAST = 2 ** -125;

/**
 * ‖g_i‖² = Σ_k ‖∂ℓ_i/∂θ_k‖² for every example of a chunk, [B], by one backward pass.
 *
 * @param tape θ ↦ Σ_i ℓ_i.
 * @param theta The tape's parameters.
 * @param count B.
 * @param scale A factor of every gradient, whose square is one of the result.
 * @returns null where a parameter enters through several operations, or through one without a rule.
 */
export function exampleNormsSquared(
  tape: GradientTape,
  theta: readonly Tensor[],
  count: number,
  scale = 1,
): Tensor | null {
  const parameters = new Set(theta.map(({ id }) => id));
  const entered = new Set<number>();
  let known = true;
  let sum: Tensor = tf.zeros([count]);
  tape.backward([tf.scalar(scale)], (node, input, delta) => {
    const { id } = node.inputs[input]!;
    if (!parameters.has(id)) return false;
    const own = delta?.shape[0] === count ? (RULES[node.kernelName]?.(node, input, delta) ?? null) : null;
    if (own === null || entered.has(id)) known = false;
    else sum = tf.add(sum, own);
    entered.add(id);
    return true;
  });
  return known ? sum : null;
}

/** The squared norm of every example, [B, …] → [B]. */
function squaredNorm(x: Tensor): Tensor {
  return tf.sum(tf.reshape(tf.square(x), [x.shape[0]!, -1]), 1);
}

/** The norm of every row, [B, C] → [B, 1], from squares of shares of the row's largest entry. */
function rowNorms(x: Tensor): Tensor {
  const largest = tf.maximum(tf.max(tf.abs(x), 1, true), LEAST);
  return tf.mul(largest, tf.sqrt(tf.sum(tf.square(tf.div(x, largest)), 1, true)));
}

/** For a parameter that was broadcast over the examples and, maybe, places; null where examples are an axis of it. */
function broadcastNorm(shape: readonly number[], delta: Tensor): Tensor | null {
  const before = delta.rank - shape.length;
  // An axis of length one counts too where one example, or one place, makes nothing of it.
  const axes = delta.shape.map((_, axis) => axis).filter((axis) => axis < before || shape[axis - before] === 1);
  if (!axes.includes(0)) return null;
  const places = axes.filter((axis) => axis > 0);
  return squaredNorm(places.length > 0 ? tf.sum(delta, places) : delta);
}

/** Σ_rs ‖x_rsᵀ δ‖_F² over the filter's entries, which meet x_rs [places, in] of x; δ [places, out]. */
function filterNorm(x: Tensor, filterShape: readonly number[], delta: Tensor, attributes: Attributes): Tensor {
  const info = convolutionInfo(x.shape, filterShape, attributes);
  const { batchSize, inChannels, dilationHeight, dilationWidth } = info;
  const [, outHeight, outWidth, outChannels] = delta.shape as [number, number, number, number];
  const places = outHeight * outWidth;
  const d = tf.reshape(delta, [batchSize, places, outChannels]);
  const met = windowPixels(x, info);
  let sum: Tensor = tf.zeros([batchSize]);
  for (let r = 0; r < info.filterHeight; r++) {
    for (let s = 0; s < info.filterWidth; s++) {
      const next = tf.tidy(() => {
        const pixels = tf.reshape(met(r * dilationHeight, s * dilationWidth), [batchSize, places, inChannels]);
        return tf.add(sum, squaredNorm(tf.matMul(pixels, d, true, false)));
      });
      sum.dispose();
      sum = next;
    }
  }
  return sum;
}

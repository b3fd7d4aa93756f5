import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { einsumEquation } from '../einsumEquation.ts';
import type { Attributes, Inputs } from '../Kernel.ts';

/** A tensor whose axes have letters. */
interface Labelled {
  readonly labels: string;
  readonly tensor: Tensor;
}

/**
 * Σ over the axes that the output does not name of the product of all inputs, from the left to the right, by products
 * of matrices.
 *
 * TensorFlow.js's own is there on some backends, for two tensors.
 */
export function einsum(inputs: Inputs, { equation }: Attributes): Tensor {
  const tensors = Object.values(inputs);
  const { inputs: terms, output } = einsumEquation(
    equation,
    tensors.map(({ shape }) => shape),
  );
  return tf.tidy(() => {
    const all = terms.map((labels, k) => ({ labels, tensor: tensors[k]! }));
    const product = all.reduce((left, right, k) => multiply(left, right, terms.slice(k + 1).join('') + output));
    return ordered(summedTo(product, output), output).clone();
  });
}

const common = (a: string, b: string) => [...a].filter((label) => b.includes(label)).join('');
const without = (a: string, b: string) => [...a].filter((label) => !b.includes(label)).join('');

/** Without the axes that nothing needs. */
function summedTo({ labels, tensor }: Labelled, needed: string): Labelled {
  const axes = [...without(labels, needed)].map((label) => labels.indexOf(label));
  return axes.length === 0 ? { labels, tensor } : { labels: common(labels, needed), tensor: tf.sum(tensor, axes) };
}

/** With the axes in this order. */
function ordered({ labels, tensor }: Labelled, order: string): Tensor {
  if (order === labels) return tensor;
  return tf.transpose(
    tensor,
    [...order].map((label) => labels.indexOf(label)),
  );
}

/** The product of two, summed over the axes that both have and nothing behind them needs. */
function multiply(first: Labelled, second: Labelled, needed: string): Labelled {
  const a = summedTo(first, second.labels + needed);
  const b = summedTo(second, first.labels + needed);
  const both = common(a.labels, b.labels);
  const [batch, inner] = [common(both, needed), without(both, needed)];
  const [rows, columns] = [without(a.labels, both), without(b.labels, both)];
  const lengths = (letters: string, { labels, tensor }: Labelled) =>
    [...letters].map((label) => tensor.shape[labels.indexOf(label)]!);
  const ones = (letters: string) => [...letters].map(() => 1);
  const labels = batch + rows + columns;
  const [of, rowLengths, columnLengths] = [lengths(batch, a), lengths(rows, a), lengths(columns, b)];

  if (inner === '' || (rows === '' && columns === '')) {
    const left = tf.reshape(ordered(a, batch + inner + rows), [
      ...of,
      ...lengths(inner, a),
      ...rowLengths,
      ...ones(columns),
    ]);
    const right = tf.reshape(ordered(b, batch + inner + columns), [
      ...of,
      ...lengths(inner, b),
      ...ones(rows),
      ...columnLengths,
    ]);
    return summedTo({ labels: batch + inner + rows + columns, tensor: tf.mul(left, right) }, labels);
  }
  const size = tf.util.sizeFromShape;
  const leading = batch === '' ? [] : [size(of)];
  const summed = size(lengths(inner, a));
  const product = tf.matMul(
    tf.reshape(ordered(a, batch + rows + inner), [...leading, size(rowLengths), summed]),
    tf.reshape(ordered(b, batch + inner + columns), [...leading, summed, size(columnLengths)]),
  );
  return { labels, tensor: tf.reshape(product, [...of, ...rowLengths, ...columnLengths]) };
}

import type { Tensor4D, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { convolutionInfo } from './convolutionInfo.ts';
import { hostBuffers } from './hostBuffers.ts';
import type { Attributes } from './register.ts';

/** One of a stride's phases along an axis: the entries of x that meet the same entries of the filter. */
interface Phase {
  /** The first such entry of x, and how many there are, a stride apart. */
  readonly first: number;
  readonly count: number;
  /** The first such entry of the filter, and how many there are, a stride apart. */
  readonly tap: number;
  readonly taps: number;
  /** Zeros before and after dy, so that a convolution of stride 1 with the turned taps gives the phase; negative: entries too many. */
  readonly before: number;
  readonly after: number;
}

/**
 * The input gradient of a convolution on WebAssembly, by convolutions of dy with the turned filter.
 *
 * A stride s leaves s phases along an axis, each a dense convolution with the taps that it meets, so nothing is multiplied
 * with the zeros between the entries of dy.
 */
export function wasmInputGradient(dy: Tensor4D, filter: Tensor4D, attributes: Attributes, backend: object): TensorInfo {
  const info = convolutionInfo(attributes.inputShape, filter.shape, attributes);
  const { strideHeight, strideWidth, padInfo } = info;
  const vertical = phases(info.inHeight, info.filterHeight, strideHeight, padInfo.top, info.outHeight);
  const horizontal = phases(info.inWidth, info.filterWidth, strideWidth, padInfo.left, info.outWidth);
  if (strideHeight === 1 && strideWidth === 1 && vertical.length === 1 && horizontal.length === 1) {
    return convolvePhase(dy, filter, vertical[0]!, horizontal[0]!, 1, 1, backend);
  }

  const { make, read } = hostBuffers('wasm', backend);
  const output = make(info.inShape);
  for (const rows of vertical) {
    for (const columns of horizontal) {
      const part = convolvePhase(dy, filter, rows, columns, strideHeight, strideWidth, backend);
      const [from, to] = [read(part), read(output)];
      let at = 0;
      for (let n = 0; n < info.batchSize; n++) {
        for (let i = 0; i < rows.count; i++) {
          const row = (n * info.inHeight + rows.first + i * strideHeight) * info.inWidth + columns.first;
          for (let j = 0; j < columns.count; j++) {
            const start = (row + j * strideWidth) * info.inChannels;
            for (let c = 0; c < info.inChannels; c++) to[start + c] = from[at++]!;
          }
        }
      }
      part.dispose();
    }
  }
  return output;
}

/** The phases along one axis in which dy reaches x at all. */
function phases(length: number, filter: number, stride: number, before: number, outputs: number): Phase[] {
  return Array.from({ length: Math.min(stride, filter) }, (_, tap): Phase => {
    const taps = Math.ceil((filter - tap) / stride);
    // x's entry (q · stride + tap − before) meets dy's entries q − taps + 1 … q.
    const least = Math.max(0, Math.ceil((before - tap) / stride));
    const greatest = Math.floor((length - 1 + before - tap) / stride);
    return {
      first: least * stride + tap - before,
      count: greatest - least + 1,
      tap,
      taps,
      before: taps - 1 - least,
      after: greatest - (outputs - 1),
    };
  }).filter(({ count, before }) => count > 0 && -before < outputs);
}

/** dy convolved with the taps of one phase, turned. */
function convolvePhase(
  dy: Tensor4D,
  filter: Tensor4D,
  rows: Phase,
  columns: Phase,
  strideHeight: number,
  strideWidth: number,
  backend: object,
): Tensor4D {
  const { make, read } = hostBuffers('wasm', backend);
  const [, width, inputs, outputs] = filter.shape;
  const turned = make([rows.taps, columns.taps, outputs, inputs]);
  const [from, to] = [read(filter), read(turned)];
  for (let t = 0; t < rows.taps; t++) {
    for (let u = 0; u < columns.taps; u++) {
      const start = ((rows.tap + t * strideHeight) * width + columns.tap + u * strideWidth) * inputs * outputs;
      const end = ((rows.taps - 1 - t) * columns.taps + columns.taps - 1 - u) * inputs * outputs;
      for (let c = 0; c < inputs; c++) {
        for (let k = 0; k < outputs; k++) to[end + k * inputs + c] = from[start + c * outputs + k]!;
      }
    }
  }
  const excess = [-rows.before, -rows.after, -columns.before, -columns.after].map((n) => Math.max(0, n));
  const [top, bottom, left, right] = excess as [number, number, number, number];
  return tf.tidy(() => {
    const reached =
      top + bottom + left + right === 0
        ? dy
        : tf.slice(
            dy,
            [0, top, left, 0],
            [dy.shape[0], dy.shape[1] - top - bottom, dy.shape[2] - left - right, outputs],
          );
    return tf.conv2d(reached, tf.engine().makeTensorFromTensorInfo(turned) as Tensor4D, 1, [
      [0, 0],
      [rows.before + top, rows.after + bottom],
      [columns.before + left, columns.after + right],
      [0, 0],
    ]);
  });
}

import type { TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';
import { type AxisGroup, axisGroups } from './axisGroups.ts';
import { entrywise } from './entrywise.ts';
import type { WebGpuBackend } from './WebGpuBackend.ts';

/** Numbers that one thread adds, in eight sums: the rounding of a sum grows with the longest chain of additions. */
const BLOCK = 64;

/** Adds along an axis of [outer, length, inner], `blocks` sums of every blocks-th number: [outer, blocks, inner]. */
const CODE = `
  let inner = index % uniforms.inner;
  let block = (index / uniforms.inner) % uniforms.blocks;
  let outer = index / (uniforms.inner * uniforms.blocks);
  var sums : array<f32, 8>;
  for (var k = 0; k < 8; k++) { sums[k] = 0.0; }
  var k = 0;
  for (var at = block; at < uniforms.total; at += uniforms.blocks) {
    sums[k] += f32(x[(outer * uniforms.total + at) * uniforms.inner + inner]);
    k = (k + 1) % 8;
  }
  let sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  return sum / f32(uniforms.divisor);`;

/** The sum, or the mean, over the middle axis of [outer, length, inner]: [outer, inner], of x where length is 1. */
function sumOver(backend: object, x: TensorInfo, { outer, length, inner }: AxisGroup, mean: boolean): TensorInfo {
  let result = x;
  for (let total = length, blocks = 1; total !== 1; total = blocks) {
    blocks = Math.max(1, Math.ceil(total / BLOCK));
    const numbers = { inner, total, blocks, divisor: mean && blocks === 1 ? length : 1 };
    const inputs = { x: result };
    const next = entrywise(backend, { name: 'sum', inputs, shape: [outer, blocks, inner], numbers, code: CODE });
    if (result !== x) (backend as WebGpuBackend).disposeData(result.dataId);
    result = next;
  }
  return result;
}

/** Adds up parts that lie one after the other, and gives their memory back. */
export function sumOfParts(backend: object, parts: TensorInfo, count: number): TensorInfo {
  const inner = tf.util.sizeFromShape(parts.shape) / count;
  const sum = sumOver(backend, parts, { outer: 1, length: count, inner }, false);
  if (sum !== parts) (backend as WebGpuBackend).disposeData(parts.dataId);
  return sum;
}

/**
 * Sum, or mean, over some axes, in blocks of blocks, without bringing the axes together before.
 *
 * TensorFlow.js gives all of a sum to the threads of one workgroup, whose chains of additions grow with its length: of
 * 1e6 numbers they cost two digits.
 */
export function sumAlong(mean: boolean): Kernel {
  return ({ x }, attributes, backend, stock) => {
    if (x!.dtype !== 'float32') return stock({ x: x! }, attributes, backend);
    const { shape } = x!;
    const axes = tf.util.parseAxisParam(attributes.axis, shape);
    let result: TensorInfo = x!;
    for (const group of axisGroups(shape, axes)) {
      const next = sumOver(backend, result, group, mean);
      if (next !== result && result !== x) (backend as WebGpuBackend).disposeData(result.dataId);
      result = next;
    }
    if (result === x) (backend as WebGpuBackend).incRef(x.dataId);
    const length = (axis: number) => (axes.includes(axis) ? 1 : shape[axis]!);
    const kept = shape.map((_, axis) => axis).filter((axis) => attributes.keepDims || !axes.includes(axis));
    return { ...result, shape: kept.map(length) };
  };
}

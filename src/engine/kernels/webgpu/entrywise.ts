import type { DataType, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Program, WebGpuBackend } from './WebGpuBackend.ts';

const WORKGROUP = 64;

/** An operation of which every entry of the output is computed by itself. */
export interface Entrywise {
  /** Names the code: the same name, the same code. */
  readonly name: string;
  /**
   * Tensors by the names that the code has for them: arrays, one entry after the other. `f32(x[k])` is the number also
   * where one of float32 shares the memory of integers, as after a cast.
   */
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly shape: readonly number[];
  readonly dtype?: DataType;
  /** Integers that the code has as `uniforms.name`. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** WGSL: functions that the code calls. */
  readonly functions?: string;
  /** WGSL: from `index`, the entry's place, to the number that it returns. */
  readonly code: string;
}

/** Runs such an operation, a thread an entry. Sizes are no part of the code, so that one program serves all shapes. */
export function entrywise(
  backend: object,
  { name, inputs, shape, dtype = 'float32', numbers = {}, functions = '', code }: Entrywise,
): TensorInfo {
  const size = tf.util.sizeFromShape([...shape]);
  const program: Program = {
    variableNames: Object.keys(inputs),
    outputShape: [size],
    dispatchLayout: { x: [0] },
    dispatch: [Math.ceil(size / WORKGROUP), 1, 1],
    workgroupSize: [WORKGROUP, 1, 1],
    uniforms: Object.keys(numbers)
      .map((key) => `${key} : i32, `)
      .join(''),
    size: true,
    shaderKey: `brink_${name}`,
    getUserCode: () => `
      ${functions}
      fn entry(index : i32) -> f32 {
        ${code}
      }
      fn main(index : i32) {
        if (index < uniforms.size) { setOutputAtIndex(index, entry(index)); }
      }`,
  };
  const output = (backend as WebGpuBackend).runWebGPUProgram(
    program,
    Object.values(inputs).map(flat),
    dtype,
    Object.values(numbers).map((value) => ({ type: 'int32', data: [value] })),
  );
  return { ...output, shape: [...shape] };
}

/** The same numbers, one after the other. */
export function flat({ dataId, shape, dtype }: TensorInfo): TensorInfo {
  return { dataId, dtype, shape: [tf.util.sizeFromShape(shape)] };
}

import type { TensorInfo } from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';
import { entrywise } from './entrywise.ts';
import type { WebGpuBackend } from './WebGpuBackend.ts';

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Repeats x along each axis, from the last to the first; TensorFlow.js does on the host what has more than four. */
export const tile: Kernel = ({ x }, { reps }: { reps?: number[] }, backend, stock) => {
  if (x!.dtype !== 'float32') return stock({ x: x! }, { reps }, backend);
  const { shape } = x!;
  const repeats = reps!;
  let result: TensorInfo = x!;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (repeats[axis] === 1) continue;
    const [outer, inner] = [size(shape.slice(0, axis)), size(shape.slice(axis)) * size(repeats.slice(axis + 1))];
    const next = entrywise(backend, {
      name: 'tile',
      inputs: { x: result },
      shape: [outer, repeats[axis]!, inner],
      numbers: { inner, repeats: repeats[axis]! },
      code: `
        let inner = index % uniforms.inner;
        let outer = index / (uniforms.inner * uniforms.repeats);
        return f32(x[outer * uniforms.inner + inner]);`,
    });
    if (result !== x) (backend as WebGpuBackend).disposeData(result.dataId);
    result = next;
  }
  if (result === x) (backend as WebGpuBackend).incRef(x.dataId);
  return { ...result, shape: shape.map((length, axis) => length * repeats[axis]!) };
};

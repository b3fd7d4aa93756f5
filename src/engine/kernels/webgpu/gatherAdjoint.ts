import type { Kernel } from '../Kernel.ts';
import { entrywise } from './entrywise.ts';

/** The adjoint of gather: each place adds what was taken from it, in the order of the indices. */
export const gatherAdjoint: Kernel = ({ dy }, { indices, axis, shape }, backend) => {
  const inner = shape.slice(axis + 1).reduce((product: number, length: number) => product * length, 1);
  return entrywise(backend, {
    name: 'gatherAdjoint',
    inputs: { dy: dy!, indices },
    shape,
    numbers: { inner, places: shape[axis], taken: indices.size },
    code: `
      let inner = index % uniforms.inner;
      let place = (index / uniforms.inner) % uniforms.places;
      let outer = index / (uniforms.inner * uniforms.places);
      var sum = 0.0;
      for (var k = 0; k < uniforms.taken; k++) {
        if (i32(indices[k]) == place) { sum += f32(dy[(outer * uniforms.taken + k) * uniforms.inner + inner]); }
      }
      return sum;`,
  });
};

import * as tf from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';
import { reluMask as portable } from '../portable/reluMask.ts';
import { heapOf } from './heap.ts';

/** dy where y > 0, else 0, four at a time; the portable way where their number is no multiple of four. */
export const reluMask: Kernel = (inputs, attributes, backend) => {
  const { shape } = inputs.dy!;
  const size = tf.util.sizeFromShape(shape);
  if (shape.length === 0 || size % 4 !== 0) return portable(inputs, attributes);
  const heap = heapOf(backend);
  const output = heap.make(shape);
  const [mask, values, place] = [attributes.y, inputs.dy!, output].map(heap.placeOf) as [number, number, number];
  heap.run([{ kind: 'positivePart', mask, values, output: place, size }]);
  return output;
};

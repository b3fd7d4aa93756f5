import { BrinkError } from '../core/errors.ts';
import type { PyTorchLayout } from '../core/Parameters.ts';

/** The numbers of one parameter as PyTorch has them. */
export function toPyTorch(layout: PyTorchLayout, own: Float32Array): Float32Array {
  const places = placesOf(layout, own.length);
  return Float32Array.from(own, (_, k) => own[places[k]!]!);
}

/** The numbers of one parameter of PyTorch's as they lie in θ. */
export function fromPyTorch(layout: PyTorchLayout, theirs: ArrayLike<number>): Float32Array {
  const own = new Float32Array(theirs.length);
  placesOf(layout, theirs.length).forEach((place, k) => {
    own[place] = theirs[k]!;
  });
  return own;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/**
 * Where in θ's part each of PyTorch's entries lies, row-major. @throws BrinkError where a model says of it nonsense.
 */
function placesOf({ name, shape, apart, axes }: PyTorchLayout, count: number): Int32Array {
  const isOrder = `${axes.toSorted((a, b) => a - b)}` === `${[...apart.keys()]}`;
  if (!isOrder || sizeOf(apart) !== count || sizeOf(shape) !== count) {
    throw new BrinkError(
      'pytorch',
      `${name} is [${shape}] there, apart [${apart}] with the axes [${axes}], and has ${count} entries. The axes must ` +
        'be an order of those of apart, and both shapes have as many entries.',
    );
  }
  const strides = apart.map((_, axis) => apart.slice(axis + 1).reduce((a, b) => a * b, 1));
  const places = new Int32Array(apart.reduce((a, b) => a * b, 1));
  const at = axes.map(() => 0);
  for (let k = 0, place = 0; k < places.length; k++) {
    places[k] = place;
    for (let j = axes.length - 1; j >= 0; j--) {
      const axis = axes[j]!;
      place += strides[axis]!;
      if (++at[j]! < apart[axis]!) break;
      place -= strides[axis]! * apart[axis]!;
      at[j] = 0;
    }
  }
  return places;
}

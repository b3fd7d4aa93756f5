import type { PyTorchLayout } from '../core/Parameters.ts';

/** The numbers of one parameter as PyTorch has them. */
export function toPyTorch(layout: PyTorchLayout, own: Float32Array): Float32Array {
  const places = placesOf(layout);
  return Float32Array.from(own, (_, k) => own[places[k]!]!);
}

/** The numbers of one parameter of PyTorch's as they lie in θ. */
export function fromPyTorch(layout: PyTorchLayout, theirs: ArrayLike<number>): Float32Array {
  const own = new Float32Array(theirs.length);
  placesOf(layout).forEach((place, k) => {
    own[place] = theirs[k]!;
  });
  return own;
}

/** Where in θ's part each of PyTorch's entries lies, row-major. */
function placesOf({ apart, axes }: PyTorchLayout): Int32Array {
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

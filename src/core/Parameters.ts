/**
 * Where PyTorch has the same numbers: the parameter with some of its axes taken apart, in another order of axes.
 *
 * A dense layer's kernel [in, out] is apart as [in, out] with the axes [1, 0]; behind a flattened image it is apart as
 * [height, width, channels, out] with [3, 2, 0, 1], as PyTorch's channels come first.
 */
export interface PyTorchLayout {
  /** Its name in the `state_dict` of the `nn.Sequential` of the same layers: '0.weight'. */
  readonly name: string;
  /** Its shape there. */
  readonly shape: readonly number[];
  /** The shape of the numbers as they lie in θ, row-major. */
  readonly apart: readonly number[];
  /** Which axis of `apart` is the first, the second, … in PyTorch. */
  readonly axes: readonly number[];
}

/** A part of θ: what it is called, and its shape. */
export interface ParameterShape {
  /** Unique within the model: 'dense1/kernel'. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Where PyTorch has it; default: nothing is known of that. */
  readonly pytorch?: PyTorchLayout;
}

/** Entries of one parameter. */
export function sizeOf({ shape }: ParameterShape): number {
  return shape.reduce((size, length) => size * length, 1);
}

import type { Tensor } from '@tensorflow/tfjs';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { type ParameterShape, sizeOf } from '../core/Parameters.ts';
import { generator, normals, uniforms } from '../linalg/random.ts';

/**
 * How θ_0 is drawn: 'normal' with standard deviation `scale`, 'uniform' on [−scale, scale), 'constant' equal to
 * `scale`, or 'given': these `values`, whatever the seed.
 */
export type Initializer =
  | { readonly distribution: 'normal' | 'uniform' | 'constant'; readonly scale: number }
  | { readonly distribution: 'given'; readonly values: Float32Array };

/** One tensor of the weights. */
export interface Parameter extends ParameterShape {
  readonly initializer: Initializer;
}

/**
 * A network as data and one function: parameter shapes, and the forward pass f(θ, x) in TensorFlow.js operations.
 *
 * An object literal does: `forward` must be a pure function of its arguments (no dropout, nothing kept between two
 * calls), of operations that brink has verified to second order; any other is refused by name. Classes want logits,
 * without a softmax behind them. `verifyObjective` checks what comes of it.
 */
export interface Model {
  /** 'mlp', 'cnn6', … */
  readonly name: string;
  /** The arguments that rebuild it. */
  readonly config: JsonObject;
  /** Shape of one example: [64], or [32, 32, 3] (height, width, channels). */
  readonly inputShape: readonly number[];
  /** Outputs an example. */
  readonly outputCount: number;
  /** In the order of the flat θ, each row-major. */
  readonly parameters: readonly Parameter[];
  /**
   * Whether one example's outputs depend on the others in the tensor that `forward` gets (batch normalisation): then L
   * belongs to the chunks into which the data is cut, and nothing is asked of single examples. It need not be said:
   * `empiricalRisk` finds it, and refuses a model that says false and is coupled.
   */
  readonly coupled?: boolean;
  /** f(θ, x): inputs [B, …inputShape] → outputs [B, outputCount]. */
  forward(parameters: readonly Tensor[], inputs: Tensor): Tensor;
  /** R(θ), a scalar that is added to every ℓ_i, and so to L: weight decay. Default, and null: none. */
  penalty?(parameters: readonly Tensor[]): Tensor | null;
}

/** m: the length of the model's flat θ. */
export function paramCount(model: Pick<Model, 'parameters'>): number {
  return model.parameters.reduce((count, parameter) => count + sizeOf(parameter), 0);
}

/**
 * θ_0, flat [m]: each parameter drawn from a stream of its own, generator(seed, its index), and rounded to float32.
 *
 * The same seed gives the same bits on every engine; parameters don't shift when another one changes its shape.
 *
 * @param model The model whose initializers are drawn.
 * @param seed Any integer.
 * @throws BrinkError where a parameter is given a wrong number of values.
 */
export function initialWeights(model: Model, seed: number): Float32Array {
  const weights = new Float32Array(paramCount(model));
  let offset = 0;
  model.parameters.forEach((parameter, index) => {
    const size = sizeOf(parameter);
    const values = draw(parameter.initializer, size, seed, index);
    if (values.length !== size) {
      throw new BrinkError(
        model.name,
        `the parameter ${parameter.name} of shape [${parameter.shape}] is given ${values.length} initial values. ` +
          `It needs ${size}.`,
      );
    }
    weights.set(values, offset);
    offset += size;
  });
  return weights;
}

function draw(initializer: Initializer, size: number, seed: number, index: number): ArrayLike<number> {
  switch (initializer.distribution) {
    case 'normal':
      return normals(generator(seed, index), size).map((z) => initializer.scale * z);
    case 'uniform':
      return uniforms(generator(seed, index), size, initializer.scale);
    case 'constant':
      return new Float64Array(size).fill(initializer.scale);
    case 'given':
      return initializer.values;
  }
}

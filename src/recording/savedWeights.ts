import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { float32, requireFlag, requireOptions, requireText } from '../core/given.ts';
import { type Model, paramCount, sizeOf } from '../engine/Model.ts';
import { readSafetensors, writeSafetensors } from '../files/safetensors.ts';
import { sayingWhy } from '../files/sayingWhy.ts';

/** What the parameters of a model are called, and their shapes. */
type Shapes = Pick<Model, 'name' | 'parameters'>;

/** How weights are saved. */
export interface SaveWeightsOptions {
  /** Replace a file that is there; default false. */
  readonly overwrite?: boolean;
  /** What else the file should say: strings by name, as the format has them. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes θ as a safetensors file, each parameter of the model under its name and with its shape, in float32.
 *
 * What it does not hold: the momentum and the place in the order of the data, which a recording has (`record`, `resume`,
 * `fork`). Kernels of dense layers are [inputs, outputs] and of convolutions [height, width, inputs, outputs]; PyTorch
 * has them transposed. Cost: 4 bytes a parameter; the file stands whole or not at all.
 *
 * ```ts
 * import { type Model, saveWeights, type Step } from 'brink';
 *
 * const keep = (model: Model, step: Step) => saveWeights(`output/step-${step.index}.safetensors`, model, step.weights);
 * ```
 *
 * @param path The file.
 * @param model Whose parameters θ is made of.
 * @param weights θ, flat [m], as `step.weights` has it.
 * @param options `overwrite`, `metadata`.
 * @throws BrinkError where the file is there already, or θ has not the model's length m.
 */
export function saveWeights(
  path: string,
  model: Shapes,
  weights: ArrayLike<number>,
  options: SaveWeightsOptions = {},
): void {
  const who = 'saveWeights';
  requireOptions(who, options, ['overwrite', 'metadata'], '{ overwrite: true }');
  const { overwrite = false, metadata = {} } = options;
  requireFlag(who, 'overwrite', overwrite);
  requireOptions(`${who} (metadata)`, metadata, null, "{ note: 'last step' }");
  for (const [name, text] of Object.entries(metadata)) requireText(who, `metadata.${name}`, text);
  const all = float32(who, 'weights', weights);
  const count = paramCount(model);
  if (weights.length !== count) {
    throw new BrinkError(who, `there are ${weights.length} weights, and ${model.name} has ${count} parameters.`);
  }
  if (!overwrite && existsSync(path)) {
    throw new BrinkError(who, `${resolve(path)} is there already. Name another file, or pass overwrite: true.`);
  }
  let end = 0;
  const tensors = model.parameters.map((parameter) => {
    const start = end;
    end += sizeOf(parameter);
    return { name: parameter.name, shape: parameter.shape, values: all.subarray(start, end) };
  });
  sayingWhy(who, `${resolve(path)} can't be written`, 'Name a place that can.', () =>
    writeSafetensors(path, { tensors, metadata: { model: model.name, ...metadata } }),
  );
}

/**
 * θ, flat [m], from a safetensors file that holds each parameter of the model under its name and with its shape, in
 * float32 or float64 (rounded).
 *
 * For `gradientDescent(objective, { initialWeights })` or `objective.at(weights)`. Cost: one pass over the file.
 *
 * ```ts
 * import { loadWeights, type Model } from 'brink';
 *
 * const read = (model: Model) => loadWeights('output/last.safetensors', model);
 * ```
 *
 * @param path The file.
 * @param model Whose parameters θ is made of.
 * @throws BrinkError where the file is damaged, lacks a parameter, holds another, or has one in another shape; each
 *   time with the names.
 */
export function loadWeights(path: string, model: Shapes): Float32Array {
  const who = 'loadWeights';
  if (!existsSync(path)) throw new BrinkError(who, `there is no file ${resolve(path)}.`);
  const { tensors } = readSafetensors(who, path, ['F32', 'F64']);
  const found = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const weights = new Float32Array(paramCount(model));
  let start = 0;
  for (const parameter of model.parameters) {
    const { name, shape } = parameter;
    const tensor = found.get(name);
    if (tensor === undefined) {
      const held = [...found.keys()].join(', ');
      throw new BrinkError(who, `${path} has no ${name}, which is a parameter of ${model.name}. It has ${held}.`);
    }
    if (`${tensor.shape}` !== `${shape}`) {
      throw new BrinkError(who, `${path} has ${name} as [${tensor.shape}]. In ${model.name} its shape is [${shape}].`);
    }
    weights.set(tensor.values as Float32Array | Float64Array, start);
    start += sizeOf(parameter);
    found.delete(name);
  }
  if (found.size > 0) {
    const more = [...found.keys()].join(', ');
    throw new BrinkError(who, `${path} also has ${more}, which ${model.name} has not. It is of another model.`);
  }
  return weights;
}

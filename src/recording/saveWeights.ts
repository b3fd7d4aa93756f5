import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { float32, requireChoice, requireFlag, requireOptions, requireText } from '../core/given.ts';
import { sizeOf } from '../core/Parameters.ts';
import { type Model, paramCount } from '../engine/Model.ts';
import { writeSafetensors } from '../files/safetensors.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { toPyTorch } from './pytorchLayout.ts';

/** How weights are saved. */
export interface SaveWeightsOptions {
  /** Replace a file that is there; default false. */
  readonly overwrite?: boolean;
  /** What else the file should say: strings by name, as the format has them. */
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Whose names and orders of axes: 'brink' (default), or 'pytorch', which is the `state_dict` of the `nn.Sequential`
   * of the same layers.
   */
  readonly layout?: WeightsLayout;
}

/** Whose names and orders of axes a file of weights has. */
export type WeightsLayout = 'brink' | 'pytorch';

/**
 * Writes θ as a safetensors file, each parameter of the model under its name and with its shape, in float32.
 *
 * What it does not hold: the momentum and the place in the order of the data, which a recording has (`record`,
 * `resume`, `fork`). Kernels of dense layers are [inputs, outputs] and of convolutions [height, width, inputs,
 * outputs]; with `layout: 'pytorch'` they are [outputs, inputs] and [outputs, inputs, height, width], behind a
 * flattened image in the order of PyTorch's channels, and are named '0.weight', '0.bias', …, for
 * `net.load_state_dict(load_file(path))` where `net` is the `nn.Sequential` of the same layers (batch normalisation
 * with `track_running_stats=False`: brink normalises by the batch itself). Cost: 4 bytes a parameter; the file stands
 * whole or not at all.
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
 * @param options `overwrite` (false), `metadata` ({}), `layout` ('brink').
 * @throws BrinkError where the file is there already, θ has not the model's length m, two parameters have one name, or
 *   `layout` is 'pytorch' and the model is of layers of which brink doesn't know PyTorch's.
 */
export function saveWeights(
  path: string,
  model: Pick<Model, 'name' | 'parameters'>,
  weights: ArrayLike<number>,
  options: SaveWeightsOptions = {},
): void {
  const who = 'saveWeights';
  requireOptions(who, options, ['overwrite', 'metadata', 'layout'], '{ overwrite: true }');
  const { overwrite = false, metadata = {}, layout = 'brink' } = options;
  requireChoice(who, 'layout', layout, ['brink', 'pytorch']);
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
    const { name, shape, pytorch } = parameter;
    const values = all.subarray(start, end);
    if (layout === 'brink') return { name, shape, values };
    if (pytorch === undefined) {
      throw new BrinkError(
        who,
        `layout is 'pytorch', and where PyTorch has ${name} of ${model.name} is not known. Save it with layout: ` +
          "'brink', or say so in the model: parameters: [{ …, pytorch: { name, shape, apart, axes } }].",
      );
    }
    return { name: pytorch.name, shape: pytorch.shape, values: toPyTorch(pytorch, values) };
  });
  const names = tensors.map(({ name }) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined) {
    throw new BrinkError(
      who,
      `two parameters of ${model.name} are ${twice} in layout '${layout}'. One would be lost; name them apart.`,
    );
  }
  sayingWhy(who, `${resolve(path)} can't be written`, 'Name a place that can.', () =>
    writeSafetensors(path, { tensors, metadata: { model: model.name, ...metadata } }),
  );
}

import { existsSync, readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { BrinkError, given, requireInteger } from '../core/errors.ts';
import { float32, requireList, requireOptions, requireText } from '../core/given.ts';
import type { Objective } from '../core/Objective.ts';
import { type ParameterShape, sizeOf } from '../core/Parameters.ts';
import { type Model, paramCount } from '../engine/Model.ts';
import { readWeights } from '../engine/readWeights.ts';
import { parseNpy } from '../files/npy.ts';
import { readSafetensors, readTensorTypes, type TensorType } from '../files/safetensors.ts';
import { readZip } from '../files/zip.ts';
import { openRecording } from './openRecording.ts';
import { fromPyTorch } from './pytorchLayout.ts';

/** What θ is made of: that of a model, or of the model that an objective has. */
export type WeightsShape = Pick<Model, 'name' | 'parameters'> | Objective;

/** A network of tf.layers, as far as its weights go. */
export interface TrainableWeights {
  readonly trainableWeights: readonly {
    readonly name: string;
    readonly shape: readonly (number | null)[];
    read(): { dataSync(): ArrayLike<number> };
  }[];
}

/** Which weights of a source are meant. */
export interface LoadWeightsOptions {
  /**
   * What the source calls the model's parameters, in their order; default: as brink does, or as PyTorch does in the
   * `nn.Sequential` of the same layers, if need be behind a prefix that all have ('module.', 'net.').
   */
  readonly names?: readonly string[];
  /** Of a recording: which of its steps. */
  readonly step?: number;
}

const WHO = 'loadWeights';
const ENDINGS = ['.safetensors', '.npz', '.arrows'];
/** I64 is what batch normalisation counts its batches in. */
const TYPES = ['F32', 'F64', 'F16', 'BF16', 'I64'] as const;
/** What PyTorch's batch normalisation keeps beside its parameters; brink normalises by the batch. */
const STATISTICS = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/** An array of the source, which is read when it is asked for. */
interface Found {
  readonly shape: readonly number[];
  values(): ArrayLike<number>;
}

/**
 * θ, flat [m], from a file of weights (safetensors, npz), a step of a recording, or a network of tf.layers.
 *
 * For `gradientDescent(objective, { initialWeights })` or `objective.at(weights)`. Files hold each parameter under
 * brink's name and in its shape, or as PyTorch's `state_dict` does: then kernels are transposed, and the running
 * statistics of batch normalisation are left out, which is no part of θ. Where the names are others, `names` says them
 * in the order of the model's parameters; the shapes must be PyTorch's then, if they are not brink's alone. Numbers are
 * rounded to float32; float16 and bfloat16 lose nothing there. That all names and shapes fit does not prove that the
 * two networks compute the same: compare a loss. Cost: one pass over the file.
 *
 * ```ts
 * import { loadWeights, type Model } from 'brink';
 *
 * const read = (model: Model) => loadWeights('theta.safetensors', model, { names: ['fc1.weight', 'fc1.bias'] });
 * const last = (model: Model) => loadWeights('output/run/recording.arrows', model, { step: 400 });
 * ```
 *
 * @param source The file, or the network.
 * @param model Whose parameters θ is made of; an objective of `empiricalRisk` does too.
 * @param options `names`, `step` (of a recording).
 * @throws BrinkError where the file is damaged, lacks a parameter, holds another, or has one in another shape or with a
 *   number that is not finite in float32; each time with the names.
 */
export function loadWeights(
  source: string | TrainableWeights,
  model: WeightsShape,
  options: LoadWeightsOptions = {},
): Float32Array {
  requireOptions(WHO, options, ['names', 'step'], '{ step: 400 }');
  const parts = partsOf(model);
  const { step } = options;
  if (typeof source !== 'string') {
    if (!Array.isArray((source as Partial<TrainableWeights> | null)?.trainableWeights)) {
      throw new BrinkError(WHO, `${given('the source', source)} It must be a path, or a network of tf.layers.`);
    }
    return ofLayers(source, parts);
  }
  if (!existsSync(source)) throw new BrinkError(WHO, `there is no file ${resolve(source)}.`);
  const ending = extname(source).toLowerCase();
  if (ending === '.arrows') return ofRecording(source, parts, step);
  if (step !== undefined) throw new BrinkError(WHO, `step is ${step}, and ${source} is no recording. Leave it out.`);
  const names = options.names === undefined ? null : namesIn(options.names, parts);
  return ofTensors(source, ending === '.npz' ? npz(source) : safetensors(source), parts, names);
}

/**
 * As what a safetensors file holds its weights: `['BF16']`, or several types; none of another kind of file.
 *
 * @throws BrinkError where it is damaged, or holds a type that is not read.
 */
export function weightTypes(path: string): readonly TensorType[] {
  if (['.npz', '.arrows'].includes(extname(path).toLowerCase())) return [];
  const held = readTensorTypes(WHO, path, TYPES).filter(({ name }) => !STATISTICS.test(name));
  return [...new Set(held.map(({ type }) => type))].sort();
}

/** What θ is made of, and whose it is in words. */
interface Parts {
  readonly name: string;
  readonly parameters: readonly ParameterShape[];
}

/** @throws BrinkError where an objective doesn't say. */
function partsOf(model: WeightsShape): Parts {
  if ('name' in model) return model;
  if (model.parameters) {
    const { name } = Object(model.metadata.model) as { readonly name?: unknown };
    return { name: typeof name === 'string' ? name : 'the model', parameters: model.parameters };
  }
  return { name: 'the objective', parameters: [{ name: 'theta', shape: [model.paramCount] }] };
}

function namesIn(given: unknown, { name, parameters }: Parts): readonly string[] {
  requireList(WHO, 'names', given);
  const names = Array.from(given, (text, k) => {
    requireText(WHO, `names[${k}]`, text);
    return text;
  });
  if (names.length === parameters.length) return names;
  throw new BrinkError(
    WHO,
    `names has ${names.length} entries, and ${name} has ${parameters.length} parameters. Name one for each of ` +
      `${parameters.map(({ name, shape }) => `${name} [${shape}]`).join(', ')}.`,
  );
}

function ofTensors(
  path: string,
  all: ReadonlyMap<string, Found>,
  { name: owner, parameters }: Parts,
  names: readonly string[] | null,
): Float32Array {
  const held = [...all.keys()].filter((name) => !STATISTICS.test(name));
  const own = parameters.map(({ name }) => name);
  const pytorch = parameters.map((parameter) => parameter.pytorch?.name);
  const isOwn = own.every((name) => all.has(name));
  const prefix = prefixOf(held, pytorch);
  const isPyTorch = names !== null || (!isOwn && prefix !== null);
  // Of one array, whatever it is called, θ can be nothing else.
  const single = parameters.length === 1 && held.length === 1 && !isOwn && prefix === null ? held : null;
  const wanted = names ?? single ?? (isPyTorch ? pytorch.map((name) => prefix! + name) : own);

  const weights = new Float32Array(parameters.reduce((m, parameter) => m + sizeOf(parameter), 0));
  let start = 0;
  parameters.forEach((parameter, k) => {
    const tensor = all.get(wanted[k]!);
    if (tensor === undefined) {
      throw new BrinkError(
        WHO,
        `${path} has no ${wanted[k]}, which is a parameter of ${owner}. It has ${held.join(', ')}. Say by names ` +
          `which of them are ${own.join(', ')}, in this order.`,
      );
    }
    const layout = isPyTorch ? parameter.pytorch : undefined;
    const shape = layout?.shape ?? parameter.shape;
    if (`${tensor.shape}` !== `${shape}`) {
      const whose = layout ? `, in PyTorch's order` : '';
      throw new BrinkError(
        WHO,
        `${path} has ${wanted[k]} as [${tensor.shape}]. In ${owner} its shape is [${shape}]${whose}.`,
      );
    }
    const values = float32(WHO, wanted[k]!, tensor.values(), (at) => `${path}: ${wanted[k]}, entry ${at}`);
    weights.set(layout ? fromPyTorch(layout, values) : values, start);
    start += sizeOf(parameter);
  });
  const rest = held.filter((name) => !wanted.includes(name));
  if (rest.length > 0) {
    throw new BrinkError(WHO, `${path} also has ${rest.join(', ')}, which ${owner} has not. It is of another model.`);
  }
  return weights;
}

/** What stands before PyTorch's name of each parameter; null: these are not its names. */
function prefixOf(held: readonly string[], pytorch: readonly (string | undefined)[]): string | null {
  const [first] = pytorch;
  if (first === undefined) return null;
  const candidates = held.filter((name) => name.endsWith(first)).map((name) => name.slice(0, -first.length));
  const isPrefix = (prefix: string) => pytorch.every((name) => name !== undefined && held.includes(prefix + name));
  return candidates.find((prefix) => (prefix === '' || prefix.endsWith('.')) && isPrefix(prefix)) ?? null;
}

function safetensors(path: string): Map<string, Found> {
  if (!ENDINGS.includes(extname(path).toLowerCase()) && extname(path) !== '') {
    throw new BrinkError(WHO, `${path} is none of ${ENDINGS.join(', ')}. Save weights as one of them.`);
  }
  const { tensors } = readSafetensors(WHO, path, TYPES);
  return new Map(
    tensors.map(({ name, shape, values }) => [name, { shape, values: () => values as ArrayLike<number> }]),
  );
}

function npz(path: string): Map<string, Found> {
  return new Map(
    readZip(WHO, path, readFileSync(path)).map(({ name, bytes }) => {
      const { shape, values } = parseNpy(WHO, `${name} in ${path}`, bytes());
      return [name.replace(/\.npy$/, ''), { shape, values: () => values as ArrayLike<number> }];
    }),
  );
}

function ofRecording(path: string, { name, parameters }: Parts, step: number | undefined): Float32Array {
  if (step === undefined) {
    throw new BrinkError(WHO, `${path} is a recording, and step is not given. Say which of its steps: { step: 0 }.`);
  }
  requireInteger(WHO, 'step', step, 0);
  const recording = openRecording(WHO, path);
  try {
    const { indices, shape } = recording;
    const count = paramCount({ parameters: parameters as Model['parameters'] });
    if (shape.paramCount !== count) {
      throw new BrinkError(
        WHO,
        `${path} is of ${shape.paramCount} parameters, and ${name} has ${count}. It is of another model.`,
      );
    }
    const k = indices.indexOf(step);
    if (k < 0) {
      const holds = indices.length === 0 ? 'no whole step' : `steps ${indices[0]} to ${indices.at(-1)}`;
      throw new BrinkError(WHO, `${path} holds ${holds}, and not step ${step}. Choose another.`);
    }
    return recording.read(k).weights;
  } finally {
    recording.close();
  }
}

function ofLayers({ trainableWeights }: TrainableWeights, { name, parameters }: Parts): Float32Array {
  // A layer that is in the network and in one within it is listed twice.
  const theirs = [...new Set(trainableWeights)];
  const listed = (all: readonly { readonly name: string; readonly shape: readonly unknown[] }[]) =>
    all.map(({ name, shape }) => `${name} [${shape}]`).join(', ');
  const fit =
    parameters.length === theirs.length && parameters.every(({ shape }, k) => `${shape}` === `${theirs[k]!.shape}`);
  if (!fit) {
    throw new BrinkError(
      WHO,
      `the network has ${listed(theirs)}, and ${name} has ${listed(parameters)}. The shapes must be the same, in the ` +
        'same order.',
    );
  }
  const weights = new Float32Array(paramCount({ parameters: parameters as Model['parameters'] }));
  let start = 0;
  for (const weight of theirs) {
    const values = readWeights(WHO, 'the network', weight.read());
    weights.set(float32(WHO, weight.name, values), start);
    start += values.length;
  }
  return weights;
}

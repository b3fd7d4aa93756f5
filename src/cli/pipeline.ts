import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { z } from 'zod';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { empiricalRisk } from '../engine/empiricalRisk.ts';
import { type Branch, type RunSummary, run } from '../operators/run.ts';
import { throttleSteps } from '../operators/throttleSteps.ts';
import { catalogue } from '../probes/catalogue.ts';
import { toParquet } from '../tables/toParquet.ts';
import { type GradientDescentOptions, gradientDescent } from '../training/gradientDescent.ts';
import { CommandLineError } from './CommandLineError.ts';
import { dataChoices, lossChoices, modelChoices } from './ingredients.ts';
import { type Choices, optionsOf, parseNamed, parseStrictly } from './parseNamed.ts';
import { requireName } from './requireName.ts';

const WHO = 'run';

const named = z.looseObject({ name: z.string() });
const number = z.number().exactOptional();

/** A pipeline as a file or a command line has it: whatever is named brings its options along. */
const specification = z.strictObject({
  data: named.default({ name: 'digits' }),
  /** Default: `mlp` for plain vectors, `cnn` for images. */
  model: named.exactOptional(),
  /** Default: crossEntropy for classes, meanSquaredError for regression. */
  loss: z.string().exactOptional(),
  chunk: number,
  learningRate: z.number(),
  steps: z.number(),
  batchSize: number,
  replacement: z.boolean().exactOptional(),
  beta1: number,
  beta2: number,
  seed: number,
  /** How often a probe measures that does not say so itself. */
  every: z.int().min(1).default(1),
  /** Each with its options, and `every` among them. */
  probes: z
    .array(named)
    .min(1)
    .default([{ name: 'trainingLoss' }, { name: 'topEigenvalues' }, { name: 'interactionAwareSharpness' }]),
  directory: z.string().default('output/run'),
});

export type Specification = z.infer<typeof specification>;

/** Turns what the command line has as text, `name:option=value`, into what a file has. */
export function readNames(spec: Readonly<Record<string, unknown>>): object {
  const read = (what: string, value: unknown, choices: Choices) =>
    typeof value === 'string' ? parseNamed(WHO, what, value, choices) : value;
  const { data, model, probes } = spec;
  return {
    ...spec,
    ...(data !== undefined && { data: read('data set', data, dataChoices) }),
    ...(model !== undefined && { model: read('model', model, modelChoices) }),
    ...(Array.isArray(probes) && { probes: probes.map((probe) => read('probe', probe, catalogue)) }),
  };
}

/** Checks what can be checked before data is read. @throws CommandLineError for whatever is unknown or of a wrong type. */
export function parseSpecification(value: unknown): Specification {
  const spec = parseStrictly(WHO, 'the pipeline', value, specification);
  optionsOf(WHO, 'data set', spec.data, dataChoices);
  if (spec.model) optionsOf(WHO, 'model', spec.model, modelChoices);
  if (spec.loss !== undefined) requireName(WHO, 'loss', spec.loss, Object.keys(lossChoices));
  const names = spec.probes.map(({ name }) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice) throw new CommandLineError(WHO, `the probe ${twice} is named twice. Both would write one table.`);
  for (const { every = spec.every, ...probe } of spec.probes) {
    optionsOf(WHO, 'probe', probe, catalogue);
    if (!Number.isInteger(every) || Number(every) < 1) {
      throw new CommandLineError(WHO, `probe ${probe.name}: every is ${every}. It must be an integer of at least 1.`);
    }
  }
  return spec;
}

/**
 * Puts a pipeline together and runs it: each probe in a branch of its own, with a Parquet table.
 *
 * @throws CommandLineError where an option is out of its range, BrinkError where data can't be read, the engine doesn't open
 *   or the folder holds a run that is not to be replaced.
 */
export async function runPipeline(spec: Specification, { force }: { readonly force: boolean }): Promise<RunSummary> {
  const directory = resolve(spec.directory);
  if (!force && existsSync(join(directory, 'run.json'))) {
    throw new BrinkError(WHO, `${directory} already holds a run. Its results would be lost; name another, or --force.`);
  }
  const data = await dataChoices[spec.data.name]!.open(optionsOf(WHO, 'data set', spec.data, dataChoices));
  const chosen = spec.model ?? { name: data.inputShape.length === 3 ? 'cnn' : 'mlp' };
  const modelOptions = optionsOf(WHO, 'model', chosen, modelChoices);
  const model = asWritten(() => modelChoices[chosen.name]!.open(modelOptions, data));
  const loss = lossChoices[spec.loss ?? (data.classes ? 'crossEntropy' : 'meanSquaredError')]!;
  const objective = await empiricalRisk({ model, data, loss, ...(spec.chunk !== undefined && { chunk: spec.chunk }) });

  const { data: _data, model: _model, loss: _loss, chunk: _chunk, probes, every, directory: _, ...training } = spec;
  const steps = asWritten(() => gradientDescent(objective, training satisfies GradientDescentOptions));
  const branches = asWritten(() =>
    probes.map(({ name, every: own = every, ...options }): [string, Branch] => {
      const { open, table } = catalogue[name]!;
      const probe = open(objective, options);
      // Which table a probe has is known where it is declared; here only that its rows fit.
      const sink = toParquet(table) as MonoTypeOperatorFunction<object>;
      return [name, (s) => s.pipe(throttleSteps(Number(own)), probe, sink)];
    }),
  );
  return run(steps, Object.fromEntries(branches), {
    directory,
    overwrite: force,
    metadata: { pipeline: spec as unknown as JsonObject },
  });
}

/** What brink refuses while a pipeline is put together is the fault of the line that asked for it. */
function asWritten<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof BrinkError)) throw error;
    throw new CommandLineError(error.who, error.message.slice(`${error.who}: `.length), { cause: error });
  }
}

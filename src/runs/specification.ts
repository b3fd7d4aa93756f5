import { z } from 'zod';
import { datasets } from '../catalogue/datasets.ts';
import { losses } from '../catalogue/losses.ts';
import { models } from '../catalogue/models.ts';
import { probes as allProbes } from '../catalogue/probes.ts';
import type { JsonObject } from '../core/Json.ts';
import { empiricalRisk } from '../engine/risk/empiricalRisk.ts';
import { record } from '../recording/record.ts';
import { type GradientDescentOptions, gradientDescent } from '../training/gradientDescent.ts';
import { asWritten } from './asWritten.ts';
import type { Branch } from './branches.ts';
import { type Choices, type Named, optionsOf, parseNamed, parseStrictly } from './parseNamed.ts';
import { checkProbes, probeBranches } from './probeBranches.ts';
import { requireName } from './requireName.ts';
import { requireNoRun } from './requireNoRun.ts';
import { type RunSummary, run } from './run.ts';

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
  /** Whether the steps are recorded too, for `brink replay`. */
  record: z.boolean().default(false),
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
    ...(data !== undefined && { data: read('data set', data, datasets) }),
    ...(model !== undefined && { model: read('model', model, models) }),
    ...(Array.isArray(probes) && { probes: probes.map((probe) => read('probe', probe, allProbes)) }),
  };
}

/**
 * Checks what can be checked before data is read. @throws CommandLineError for whatever is unknown or of a wrong
 * type.
 */
export function parseSpecification(value: unknown): Specification {
  const spec = parseStrictly(WHO, 'the pipeline', value, specification);
  optionsOf(WHO, 'data set', spec.data, datasets);
  if (spec.model) optionsOf(WHO, 'model', spec.model, models);
  if (spec.loss !== undefined) requireName(WHO, 'loss', spec.loss, Object.keys(losses));
  checkProbes(WHO, spec.probes, spec.every);
  return spec;
}

/**
 * Puts a pipeline together and runs it: each probe in a branch of its own, with a Parquet table.
 *
 * @throws CommandLineError where an option is out of its range, BrinkError where data can't be read, the engine
 *   doesn't open or the folder holds a run that is not to be replaced.
 */
export async function runPipeline(spec: Specification, { force }: { readonly force: boolean }): Promise<RunSummary> {
  const directory = requireNoRun(WHO, spec.directory, force);
  const data = await datasets[spec.data.name]!.open(optionsOf(WHO, 'data set', spec.data, datasets));
  const chosen = spec.model ?? { name: data.inputShape.length === 3 ? 'cnn' : 'mlp' };
  const modelOptions = optionsOf(WHO, 'model', chosen, models);
  const model = await asWritten(() => models[chosen.name]!.open(modelOptions, data));
  const loss = await losses[spec.loss ?? (data.classes ? 'crossEntropy' : 'meanSquaredError')]!();
  const objective = await empiricalRisk({ model, data, loss, ...(spec.chunk !== undefined && { chunk: spec.chunk }) });

  const {
    data: _data,
    model: _model,
    loss: _loss,
    chunk: _chunk,
    probes,
    every,
    record: isRecorded,
    directory: _,
    ...training
  } = spec;
  const steps = asWritten(() => gradientDescent(objective, training satisfies GradientDescentOptions));
  const branches = asWritten(() =>
    probeBranches(
      probes.map((probe) => asTraining(probe, training.replacement)),
      every,
    ),
  );
  const recording: Record<string, Branch> = isRecorded ? { recording: (s) => s.pipe(record()) } : {};
  const metadata = { pipeline: spec as unknown as JsonObject };
  return asWritten(
    () => run(steps, { ...branches, ...recording }, { directory, overwrite: force, signals: 'stop', metadata }),
    Object.keys(allProbes),
  );
}

/** A probe draws batches as training does, where nothing else is said. */
function asTraining(probe: Named, replacement: boolean | undefined): Named {
  const draws = replacement !== undefined && 'replacement' in allProbes[probe.name]!.declaration.options;
  return draws ? { replacement, ...probe } : probe;
}

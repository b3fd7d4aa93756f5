import { z } from 'zod';
import { datasets } from '../catalogue/datasets.ts';
import { losses } from '../catalogue/losses.ts';
import { models } from '../catalogue/models.ts';
import { probes as allProbes } from '../catalogue/probes.ts';
import { requireInteger } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { type GradientDescentOptions, requireSettings } from '../training/settings.ts';
import { asWritten } from './asWritten.ts';
import { type Choices, optionsOf, optionsSchemaOf, parseNamed, parseStrictly } from './parseNamed.ts';
import { checkProbes } from './probeBranches.ts';
import { requireName } from './requireName.ts';
import { SINKS } from './tableSinks.ts';

const WHO = 'run';

const named = z.looseObject({ name: z.string() });
const number = (description: string) => z.number().exactOptional().describe(description);

/** How the learning rate goes, as gradientDescent takes it. */
const rate = { rate: z.number(), warmup: number('Steps over which the rate rises; default: 0.') };
const schedule = z.discriminatedUnion('schedule', [
  z.strictObject({ schedule: z.literal('constant'), ...rate }),
  z.strictObject({ schedule: z.literal('steps'), ...rate, at: z.array(z.number()), factor: number('Default: 0.1.') }),
  z.strictObject({
    schedule: z.literal('cosine'),
    ...rate,
    end: number('Default: 0.'),
    over: number('Default: steps.'),
  }),
]);

/** A pipeline as a file or a command line has it: whatever is named brings its options along. */
const specification = z.strictObject({
  data: named.default({ name: 'digits' }).describe('What to train on.'),
  model: named.exactOptional().describe('What to train; default: mlp, for images cnn.'),
  loss: z.string().exactOptional().describe('Default: crossEntropy, without classes meanSquaredError.'),
  chunk: number('Examples on the device at once; default: as many as fit.'),
  learningRate: z.union([z.number(), schedule]).describe('η of gradient descent, or how it goes.'),
  steps: number('T, how many updates; this or epochs.'),
  epochs: number('Passes over the data, instead of steps.'),
  batchSize: number('Examples in a batch; default: all.'),
  replacement: z.boolean().exactOptional().describe('Whether batches are drawn with replacement; default: false.'),
  shuffle: z.enum(['independent', 'epoch']).exactOptional().describe('How batches are chosen; default: independent.'),
  weightDecay: number('Decoupled weight decay; default: 0.'),
  beta1: number('β₁ of momentum; default: 0.'),
  beta2: number('β₂ of momentum; default: 0.'),
  seed: number('Of the weights and the batches; default: 0.'),
  initialWeights: z
    .string()
    .exactOptional()
    .describe('θ_0 from a file: safetensors or npz, or a recording with initialStep; default: drawn by the seed.'),
  initialStep: z.int().min(0).exactOptional().describe('Which step of the recording that initialWeights names.'),
  every: z.int().min(1).default(1).describe('How often a probe measures that does not say so itself.'),
  probes: z
    .array(named)
    .min(1)
    .default([{ name: 'trainingLoss' }, { name: 'topEigenvalues' }, { name: 'interactionAwareSharpness' }])
    .describe('What to measure, each with its options.'),
  sinks: z
    .array(z.enum(SINKS))
    .min(1)
    .exactOptional()
    .describe('Where the tables go; default: parquet. Those beside it lie in folders of their own, as csv/loss.csv.'),
  record: z.boolean().default(false).describe('Whether the steps are recorded too, for `brink replay`.'),
  directory: z.string().default('output/run').describe('The folder of the run.'),
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

/** How a pipeline trains: what of it `gradientDescent` takes, but for the weights that a file holds. */
export function trainingOf(spec: Specification): GradientDescentOptions {
  const { data: _data, model: _model, loss: _loss, chunk: _chunk, initialWeights: _weights, ...rest } = spec;
  const { initialStep: _step, probes: _probes, every: _every, sinks: _sinks, record: _record, ...more } = rest;
  const { directory: _directory, ...training } = more;
  return training;
}

/**
 * Checks what can be checked before data is read. @throws CommandLineError for whatever is unknown, of a wrong type, or
 * out of its range.
 */
export function parseSpecification(value: unknown): Specification {
  const spec = parseStrictly(WHO, 'the pipeline', value, specification);
  optionsOf(WHO, 'data set', spec.data, datasets);
  if (spec.model) optionsOf(WHO, 'model', spec.model, models);
  if (spec.loss !== undefined) requireName(WHO, 'loss', spec.loss, Object.keys(losses));
  checkProbes(WHO, spec.probes, spec.every);
  if (spec.chunk !== undefined) asWritten(() => requireInteger('empiricalRisk', 'chunk', spec.chunk, 1));
  asWritten(() => requireSettings(trainingOf(spec)));
  return spec;
}

/** The JSON schema of a pipeline's file: what it may say, and of whatever is named which options it takes. */
export function pipelineSchema(): JsonObject {
  const { $schema, properties, ...rest } = z.toJSONSchema(specification, { io: 'input' }) as JsonObject & {
    readonly properties: Readonly<Record<string, JsonObject>>;
  };
  /** One of them with its options, as an object or as the command line has it; in place of the property's own type. */
  const oneOf = (what: string, choices: Choices, more: JsonObject = {}): JsonObject => ({
    anyOf: [
      { type: 'string', pattern: `^(${Object.keys(choices).join('|')})(:|$)`, description: `${what}:option=value:…` },
      ...Object.entries(choices).map(([name, choice]) => {
        const { properties, required } = optionsSchemaOf(choice);
        return {
          type: 'object',
          ...('declaration' in choice && { description: choice.declaration.asks }),
          properties: { name: { const: name }, ...more, ...(properties as JsonObject) },
          required: ['name', ...((required as readonly string[] | undefined) ?? [])],
          additionalProperties: false,
        };
      }),
    ],
  });
  /** What a property says beside its type. */
  const about = (name: string): JsonObject =>
    Object.fromEntries(Object.entries(properties[name]!).filter(([key]) => ['description', 'default'].includes(key)));
  const every = { type: 'integer', minimum: 1, description: 'How often it measures; default: as the pipeline says.' };
  return {
    $schema: $schema!,
    title: 'A pipeline for `brink run`',
    ...rest,
    properties: {
      ...properties,
      data: { ...about('data'), ...oneOf('data set', datasets) },
      model: { ...about('model'), ...oneOf('model', models) },
      loss: { ...about('loss'), enum: Object.keys(losses) },
      probes: { ...properties.probes!, items: oneOf('probe', allProbes, { every }) },
    },
  };
}

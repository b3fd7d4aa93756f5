import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { datasets } from '../../src/catalogue/datasets.ts';
import { losses } from '../../src/catalogue/losses.ts';
import { models } from '../../src/catalogue/models.ts';
import { probes } from '../../src/catalogue/probes.ts';
import { parseSpecification, pipelineSchema, readNames } from '../../src/runs/specification.ts';
import { brink } from './brinkProcess.ts';

const root = join(import.meta.dirname, '../..');
const least = { learningRate: 0.1, steps: 3 };
const schema = z.fromJSONSchema(pipelineSchema() as Parameters<typeof z.fromJSONSchema>[0]);
const fits = (file: unknown) => schema.safeParse(file).success;
const passes = (file: object) => {
  try {
    return parseSpecification(readNames(file as Record<string, unknown>)) !== undefined;
  } catch {
    return false;
  }
};

/** The names that a property of the schema, or its items, may have. */
function namesOf({ anyOf }: { anyOf: { properties?: { name: { const: string } } }[] }): string[] {
  return anyOf.flatMap(({ properties }) => (properties ? [properties.name.const] : []));
}

/** Every pipeline that a text has as JSON. */
const examplesIn = (text: string): unknown[] =>
  [...text.matchAll(/^( *)\{ "(?:.|\n)*?\}$/gm)].flatMap(([json]) =>
    json.includes('"learningRate"') ? [JSON.parse(json)] : [],
  );

describe('brink run --schema', { timeout: 60_000 }, () => {
  it('prints the JSON schema of the file, and runs nothing', async () => {
    const { code, stdout, stderr } = await brink(['run', 'nowhere.json', '--schema']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(pipelineSchema())));
    expect(JSON.parse(stdout).$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  });

  it('has every probe, model, data set and loss, each probe with all its options', () => {
    // biome-ignore lint/suspicious/noExplicitAny: a schema is looked into
    const { properties } = pipelineSchema() as any;
    expect(namesOf(properties.probes.items)).toEqual(Object.keys(probes));
    expect(namesOf(properties.model)).toEqual(Object.keys(models));
    expect(namesOf(properties.data)).toEqual(Object.keys(datasets));
    expect(properties.loss.enum).toEqual(Object.keys(losses));
    for (const { properties: options } of properties.probes.items.anyOf.slice(1)) {
      const { declaration } = probes[options.name.const]!;
      const inFiles = Object.entries(declaration.options).filter(([, { schema }]) => schema !== null);
      expect(Object.keys(options)).toEqual(['name', 'every', ...inFiles.map(([name]) => name)]);
      for (const [name, { description }] of inFiles) expect(options[name].description).toBe(description);
    }
  });

  it('takes the example of the help, of the documentation, and what a run says of its pipeline', async () => {
    const { stdout } = await brink(['run', '--help']);
    const pages = ['README.md', 'docs/commandLine.md'].map((page) => readFileSync(join(root, page), 'utf8'));
    expect(examplesIn(stdout)).toHaveLength(1);
    for (const example of [stdout, ...pages].flatMap(examplesIn)) {
      expect(schema.safeParse(example)).toMatchObject({ success: true });
      const spec = parseSpecification(readNames(example as Record<string, unknown>));
      expect(fits(JSON.parse(JSON.stringify(spec)))).toBe(true);
    }
  });

  it.each<[string, object]>([
    ['the least', least],
    ['names as the command line has them', { ...least, data: 'digits:train=24', probes: ['edge', 'trainingLoss'] }],
    ['names as objects', { ...least, data: { name: 'digits', train: 24 }, model: { name: 'mlp', hidden: [3] } }],
    ['a probe with its own pause', { ...least, every: 2, probes: [{ name: 'edge', every: 3 }] }],
    ['a list of numbers', { ...least, probes: [{ name: 'lossSlice', alphas: [0, 0.5] }] }],
    ['data whose files lie elsewhere', { ...least, data: { name: 'cifar10', folder: 'data' } }],
    ["a file of one's own", { ...least, data: { name: 'table', path: 'a.csv', label: 'y', inputs: ['1', 'b'] } }],
    ["a file of one's own as the command line has it", { ...least, data: 'file:a.npz:train=20:classes=1,2' }],
    ['every other property', { ...least, chunk: 8, batchSize: 4, replacement: true, beta1: 0.5, beta2: 0.5, seed: 3 }],
  ])('and the command take %s', (_, file) => expect([fits(file), passes(file)]).toEqual([true, true]));

  it.each<[string, object]>([
    ['nothing', {}],
    ['an unknown property', { ...least, learningrate: 0.1 }],
    ['a word for a number', { ...least, steps: 'many' }],
    ['an unknown probe', { ...least, probes: [{ name: 'topEigenvalue' }] }],
    ['an unknown probe as the command line has it', { ...least, probes: ['topEigenvalue'] }],
    ['no probe', { ...least, probes: [] }],
    ['an unknown option of a probe', { ...least, probes: [{ name: 'topEigenvalues', cuont: 3 }] }],
    ['an option of a wrong type', { ...least, probes: [{ name: 'topEigenvalues', count: 'many' }] }],
    ['an option out of its range', { ...least, probes: [{ name: 'topEigenvalues', count: 0 }] }],
    ['a missing option', { ...least, probes: [{ name: 'theoremOne' }] }],
    ['a pause that is none', { ...least, probes: [{ name: 'edge', every: 0 }] }],
    ['an unknown model', { ...least, model: { name: 'resnet' } }],
    ['data without its folder', { ...least, data: { name: 'cifar10' } }],
    ['a file without its path', { ...least, data: { name: 'table', label: 'y' } }],
    ['an unknown loss', { ...least, loss: 'mse' }],
  ])('and the command refuse %s', (_, file) => expect([fits(file), passes(file)]).toEqual([false, false]));
});

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { probes } from '../../src/catalogue/probes.ts';
import { type Option, optionsSchema, useOptions } from '../../src/core/Option.ts';
import * as brink from '../../src/index.ts';
import * as listed from '../../src/probes/index.ts';
import { askedOptions, everyProbe } from '../helpers/everyProbe.ts';
import { regression } from '../helpers/regression.ts';

const NOT_A_PROBE = ['probe', 'index'];
const files = readdirSync(new URL('../../src/probes', import.meta.url))
  .map((file) => file.replace('.ts', ''))
  .filter((name) => !NOT_A_PROBE.includes(name));

/** The words that options of some probe take. */
const WORDS = everyProbe.flatMap(([, { declaration }]) =>
  Object.values(declaration.options).flatMap(({ schema }) => (schema?.enum as readonly string[] | undefined) ?? []),
);

/** JSON of many kinds, some of it in the range of some option. */
const VALUES = [
  ...[-1, 0, 1, 2, 3, 4, 0.5, 1.5, 1e300, 2 ** 53, true, false, null, '', '3', 'none', ...new Set(WORDS)],
  ...[[], [1], [0], [-1], [0.5], [1, 2], [2, 2], [1, '2'], [null], ['examples'], {}, { '0': 1 }],
];

describe('the catalogue of probes', () => {
  it('holds one probe of each file, and each is exported', () => {
    const missing = files.filter((name) => !Object.hasOwn(listed, name));
    expect(missing, 'each needs a line in src/probes/index.ts').toEqual([]);
    expect(Object.keys(probes).sort()).toEqual(files.sort());
    expect(Object.keys(listed).sort()).toEqual(files.sort());
    const exported = Object.entries(brink).filter(([, value]) => typeof value === 'function' && 'declaration' in value);
    expect(exported.map(([name]) => name).sort()).toEqual(files.sort());
  });

  it.each(files)('knows %s by the name of its file alone', (name) => {
    const probe = probes[name];
    if (!probe) throw new Error(`${name} is missing in src/probes/index.ts`);
    expect([probe.name, probe.declaration.name]).toEqual([name, name]);
    expect((brink as Record<string, unknown>)[name]).toBe(probe);
    expect((listed as Record<string, unknown>)[name]).toBe(probe);
  });

  it('gives every table a name of its own, also where letters are of one case', () => {
    const names = everyProbe.map(([, { table }]) => table.name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.each(everyProbe)('the declaration of %s', (name, probe) => {
  const { declaration, table } = probe;
  const options = Object.entries(declaration.options);
  const needed = Object.fromEntries(
    Object.entries(askedOptions(probe)).filter(([option]) => declaration.options[option]!.needed),
  );

  it('says what it asks and what it costs', () => {
    expect(declaration.asks).toMatch(/^[A-Z].*\?/);
    expect(declaration.cost).toMatch(/\.$/);
  });

  it('has a table whose columns are told apart without regard to case, each in a sentence', () => {
    expect((declaration as unknown as { table: unknown }).table).toBe(table);
    const names = Object.keys(table.columns);
    expect(new Set(names.map((column) => column.toLowerCase())).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining([...table.key]));
    expect(table.description).toMatch(/^[A-Z].*\.$/);
    for (const [column, { description, unit }] of Object.entries(table.columns)) {
      expect(description, column).toMatch(/\.$/);
      expect(unit, column).not.toBe('');
    }
  });

  it.each(options)('has a sentence, a range and a default or a need for %s', (_, option) => {
    expect(option.description).toMatch(/\.$/);
    expect(option.range).not.toBe('');
    expect(option.defaultText === '').toBe(option.needed);
  });

  it.each(options)(
    'takes of %s what its schema takes, and uses the default that help and schema name',
    (option, of) => {
      expect(Object.keys(declaration.options)).not.toContain('on');
      const ask = (value: unknown) => () => of.check(name, option, value);
      if (of.schema === null) {
        expect(ask(() => {})).not.toThrow();
        for (const value of VALUES) expect(ask(value)).toThrow(`${name}: ${option} is `);
        return;
      }
      const schema = z.fromJSONSchema(of.schema as Parameters<typeof z.fromJSONSchema>[0]);
      const taken = VALUES.filter((value) => schema.safeParse(value).success);
      expect(taken.length).toBeGreaterThan(0);
      for (const value of VALUES) {
        if (taken.includes(value)) expect(ask(value)()).toEqual(value);
        else expect(ask(value), JSON.stringify(value)).toThrow(`${name}: ${option}`);
      }
      expectDefault(option, of);
    },
  );

  function expectDefault(option: string, { schema, defaultText, needed: isNeeded, check }: Option<unknown>): void {
    if (isNeeded) {
      expect(schema).not.toHaveProperty('default');
      return;
    }
    const used = useOptions(name, declaration.options, needed, regression())[option];
    if (used !== null) expect(check(name, option, used)).toEqual(used);
    if (!('default' in schema!)) return;
    expect(used).toEqual(schema.default);
    expect(defaultText).toBe(JSON.stringify(schema.default).replaceAll('"', "'").replaceAll(',', ', '));
  }

  it('has a schema of all that a file can hold', () => {
    const schema = optionsSchema(declaration.options);
    const storable = options.filter(([, option]) => option.schema !== null);
    expect(schema).toEqual({
      type: 'object',
      properties: Object.fromEntries(storable.map(([option, { schema }]) => [option, schema])),
      required: Object.keys(needed),
      additionalProperties: false,
    });
    const parsed = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    expect(parsed.safeParse(askedOptions(probe)).success).toBe(true);
    expect(parsed.safeParse({ ...needed, cuont: 3 }).success).toBe(false);
    for (const missing of Object.keys(needed)) {
      expect(parsed.safeParse({ ...needed, [missing]: undefined }).success).toBe(false);
    }
  });

  it('is called with what it needs, and refuses what it has not or lacks', () => {
    expect(probe(needed)).toBeTypeOf('function');
    expect(() => probe({ ...needed, cuont: 3 })).toThrow(`${name}: there is no option 'cuont'.`);
    for (const [option] of options) {
      const misspelt = `${option}z`;
      expect(() => probe({ ...needed, [misspelt]: 1 })).toThrow(
        `${name}: there is no option '${misspelt}'. Did you mean ${option}? There are `,
      );
    }
    for (const missing of Object.keys(needed)) {
      expect(() => probe({ ...needed, [missing]: undefined })).toThrow(`${name}: ${missing} is missing.`);
    }
  });

  it.each([
    ['the objective alone', regression(), `${name}: the options are an objective.`],
    ['a list', [1], `${name}: the options are [1].`],
    ['null', null, `${name}: the options are null.`],
    ['a name', 'count', `${name}: the options are 'count'.`],
    ['an `on` that is a name', { ...needed, on: 'L' }, `${name}: on is L. It must be an objective`],
    ['an `on` that is null', { ...needed, on: null }, `${name}: on is null. It must be an objective`],
    ['an `on` that is a list', { ...needed, on: [1] }, `${name}: on is 1. It must be an objective`],
  ])('refuses %s for options', (_, wrong, message) => {
    expect(() => probe(wrong as never)).toThrow(message);
  });
});

it('ranges are left to the probe', () => {
  expect(() => probes.topEigenvalues!({ count: 0 })).toThrow('topEigenvalues: count is 0');
});

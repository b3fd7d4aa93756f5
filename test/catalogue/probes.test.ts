import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/catalogue/probes.ts';
import * as brink from '../../src/index.ts';
import { regression } from '../helpers/regression.ts';

const exported = Object.entries(brink).filter(([, value]) => typeof value === 'function' && 'table' in value);
const entries = Object.entries(catalogue).map(([name, entry]) => ({ name, ...entry }));

/** What some can't do without. */
const NEEDED: Record<string, object> = {
  batchSharpness: { batchSizes: [2] },
  expectedLossChange: { batchSizes: [2] },
  lossPlane: { coordinates: [0, 1] },
  resultantLength: { batchSizes: [2] },
  scalingRule: { batchSizes: [2] },
  theoremOne: { batchSizes: [2] },
};

describe('the catalogue', () => {
  it('holds every probe that the library exports, and no other', () => {
    expect(exported.map(([name]) => name).sort()).toEqual(Object.keys(catalogue).sort());
    for (const [name, probe] of exported) expect(catalogue[name]!.table).toBe((probe as { table?: unknown }).table);
  });

  it.each(entries)('has the cost of $name as its own documentation says it', ({ name, cost }) => {
    const source = readFileSync(new URL(`../../src/probes/${name}.ts`, import.meta.url), 'utf8');
    // The last: helpers of the same file come before the probe.
    const said = [...source.matchAll(/\n \* Cost: ([\s\S]*?)\n \*\n/g)].at(-1)![1]!;
    expect(cost).toBe(said.replaceAll('\n * ', ' '));
  });

  it.each(entries)('opens $name with what it needs, and refuses an option that it has not', ({ name, open }) => {
    const needed = NEEDED[name] ?? {};
    expect(open(regression(), needed)).toBeTypeOf('function');
    expect(() => open(regression(), { ...needed, cuont: 3 })).toThrow('cuont');
    if (name in NEEDED) expect(() => open(regression(), {})).toThrow(Object.keys(needed)[0]);
  });

  it('leaves ranges to the probe', () => {
    expect(() => catalogue.topEigenvalues!.open(regression(), { count: 0 })).toThrow('topEigenvalues: count is 0');
  });
});

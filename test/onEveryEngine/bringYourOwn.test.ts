import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import * as brink from '../../src/index.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it('shows how to bring a model, a loss and a network of tf.layers, in code that runs and verifies', async () => {
    const section = readme.slice(readme.indexOf('## Bring your own'));
    const code = stripTypeScriptTypes(section.match(/```ts\n([\s\S]*?)```/)![1]!);
    const { constructor: AsyncFunction } = Object.getPrototypeOf(async () => {});
    const shown: brink.Verification[] = [];
    const scope = { ...brink, tf, console: { log: (found: brink.Verification) => shown.push(found) } };
    const run = AsyncFunction(...Object.keys(scope), `${code}\nreturn { objective, other };`);
    const { objective, other } = await run(...Object.values(scope));
    expect(objective.paramCount).toBe(2 * 64 * 16 + 16 * 10);
    expect(shown).toEqual([expect.objectContaining({ passed: true })]);
    expect((await brink.verifyObjective(other)).passed).toBe(true);
  });
});

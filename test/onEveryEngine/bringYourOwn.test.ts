import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import * as brink from '../../src/index.ts';

const page = readFileSync(new URL('../../docs/bring.md', import.meta.url), 'utf8');
const snippets = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);

/** Runs a snippet as the body of a function that has what it imports; what it printed, and its objective. */
async function execute(snippet: string): Promise<{ objective: brink.Objective; shown: unknown[] }> {
  const code = stripTypeScriptTypes(snippet.replaceAll(/^import .*;$/gm, ''));
  const { constructor: AsyncFunction } = Object.getPrototypeOf(async () => {});
  const shown: unknown[] = [];
  const scope = { ...brink, tf, lastValueFrom, console: { log: (...values: unknown[]) => shown.push(...values) } };
  const run = AsyncFunction(...Object.keys(scope), `${code}\nreturn objective;`);
  return { objective: await run(...Object.values(scope)), shown };
}

describe('the page on data, models and losses of your own', () => {
  it('shows how to bring a model, a loss and a network of tf.layers, in code that runs and verifies', async () => {
    expect(snippets).toHaveLength(3);
    const own = await execute(snippets[0]!);
    expect(own.objective.paramCount).toBe(2 * 64 * 16 + 16 * 10);
    expect(own.shown).toEqual([true]);
    // The second reads a file of its own, and runs with the other pages.
    const layers = await execute(snippets[2]!);
    expect(layers.shown).toEqual([expect.any(Number)]);
    for (const { objective } of [own, layers]) expect((await brink.verifyObjective(objective)).passed).toBe(true);
  });
});

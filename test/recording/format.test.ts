import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { StepData } from '../../src/core/StepData.ts';
import { replay } from '../../src/recording/replay.ts';
import { collect, held } from './plain.ts';

const folder = join(import.meta.dirname, '../../fixtures/recording');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.arrows'))
  .map((file) => file.replace('.arrows', ''));

/** Vectors as plain lists. */
const lists = (steps: readonly StepData[]) =>
  JSON.parse(
    JSON.stringify(steps, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value)),
  );

it.each(names)('the recording %s reads as it did when it was written', async (name) => {
  const path = join(folder, `${name}.arrows`);
  const expected = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  const { header, tornBytes } = held(path);
  const { source, selection } = header;
  expect({ source, selection, tornBytes, steps: lists(await collect(replay(path))) }).toEqual(expected);
});

it('there are recordings to read', () => expect(names).toEqual(['checked', 'nesterov', 'torn']));

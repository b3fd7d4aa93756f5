import { from, lastValueFrom, map, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { toy } from '../../src/objectives/quadratic.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { stepAt } from '../helpers/stepAt.ts';

const passed = (indices: number[], every: number, offset?: number) =>
  lastValueFrom(
    from(indices.map((index) => stepAt(new Float32Array(1), { index }))).pipe(
      throttleSteps(every, offset),
      map((step) => step.index),
      toArray(),
    ),
  );

describe('throttleSteps', () => {
  it("goes by the step's own index, wherever the stream begins", async () => {
    expect(await passed([0, 1, 2, 3, 4, 5, 6, 7], 3)).toEqual([0, 3, 6]);
    expect(await passed([4, 5, 6, 7], 3)).toEqual([6]);
    expect(await passed([0, 2, 9, 12], 3)).toEqual([0, 9, 12]);
    expect(await passed([0, 1, 2, 3], 1)).toEqual([0, 1, 2, 3]);
  });

  it('takes an offset modulo its period', async () => {
    expect(await passed([0, 1, 2, 3, 4, 5, 6, 7], 3, 1)).toEqual([1, 4, 7]);
    expect(await passed([0, 1, 2, 3, 4, 5, 6, 7], 3, 7)).toEqual([1, 4, 7]);
  });

  it('refuses rows, of which it would pass none: it stands in front of a probe', async () => {
    const rows = of(stepAt(Float32Array.of(1, 1), {}, { objective: toy() })).pipe(trainingLoss());
    await expect(lastValueFrom(rows.pipe(throttleSteps(2) as never))).rejects.toThrow(
      'throttleSteps: a value of type object came where a step was expected.',
    );
  });

  it('refuses a period and an offset that are no such integers', () => {
    for (const every of [0, -1, 1.5, Number.NaN]) expect(() => throttleSteps(every)).toThrow(`every is ${every}`);
    for (const offset of [-1, 0.5]) expect(() => throttleSteps(2, offset)).toThrow(`offset is ${offset}`);
  });
});

import { setImmediate } from 'node:timers/promises';
import {
  BehaviorSubject,
  bufferCount,
  filter,
  lastValueFrom,
  type Observable,
  of,
  Subject,
  take,
  throttleTime,
  toArray,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { toy } from '../../src/objectives/quadratic.ts';
import { measure, measureAlong } from '../../src/operators/measure.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';
import { watchPasses } from '../helpers/watchPasses.ts';

describe('measure', () => {
  it('measures one step after the other, in order, however long each takes', async () => {
    const source = new Subject<Step>();
    const on = regression();
    let running = 0;
    const rows = lastValueFrom(
      source.pipe(
        measure(
          async (_, { index }) => {
            running++;
            for (let k = 0; k < 5 - index; k++) await setImmediate();
            expect(running).toBe(1);
            running--;
            return [{ index }, { index: -index }];
          },
          { on },
        ),
        toArray(),
      ),
    );
    for (const index of [1, 2, 3]) source.next(stepAt(new Float32Array(5), { index }));
    source.complete();
    expect((await rows).map((row) => row.index)).toEqual([1, -1, 2, -2, 3, -3]);
  });

  it('measures the steps that came before their source failed', async () => {
    const source = new Subject<Step>();
    const seen: unknown[] = [];
    const ended = Promise.withResolvers<unknown>();
    source
      .pipe(measure(async (_, { index }) => ({ index }), { on: regression() }))
      .subscribe({ next: ({ index }) => seen.push(index), error: ended.resolve });
    for (const index of [1, 2, 3]) source.next(stepAt(new Float32Array(5), { index }));
    source.error(new Error('diverged'));
    expect([await ended.promise, ...seen]).toEqual([new Error('diverged'), 1, 2, 3]);
  });

  it('names the step when the weights belong to another objective', async () => {
    const source = new BehaviorSubject(stepAt(new Float32Array(3), { index: 8 }));
    await expect(lastValueFrom(source.pipe(trainingLoss({ on: regression() })))).rejects.toThrow(
      'trainingLoss: step 8 could not be measured. leastSquares: θ has 3 entries. It must have 5.',
    );
  });

  it('leaves a probe its result when another that computes it for both is unsubscribed', async () => {
    let passes = 0;
    const first = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const objective = watchPasses(regression(), async () => {
      passes++;
      first.resolve();
      await gate.promise;
    });
    const source = new Subject<Step>();
    const leaving = source.pipe(topEigenvalues({ on: objective })).subscribe();
    const staying = [1, 2].map(() => lastValueFrom(source.pipe(topEigenvalues({ on: objective }))));
    source.next(stepAt(regression().initialWeights(0)));
    source.complete();
    await first.promise;
    leaving.unsubscribe();
    gate.resolve();
    const [row, same] = await Promise.all(staying);
    expect(row).toEqual(same);
    const alone = regression();
    expect(row).toEqual(
      await lastValueFrom(gradientDescent(alone, { learningRate: 0.1, steps: 0 }).pipe(topEigenvalues())),
    );
    expect(passes).toBe(1 + row!.products);
  });

  it("takes steps as RxJS's own operators leave them", async () => {
    const objective = regression();
    const steps = gradientDescent(objective, { learningRate: 0.01, steps: 9 });
    const measured = async (source: Observable<Step>) =>
      (await lastValueFrom(source.pipe(trainingLoss(), toArray()))).map((row) => row.step);
    expect(await measured(steps.pipe(filter((step) => step.index % 4 === 1)))).toEqual([1, 5, 9]);
    expect(await measured(steps.pipe(take(2)))).toEqual([0, 1]);
    expect(await measured(steps.pipe(throttleTime(60_000)))).toEqual([0]);
    const pairs = await lastValueFrom(steps.pipe(trainingLoss(), bufferCount(5), toArray()));
    expect(pairs.map((rows) => rows.map((row) => row.step))).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6, 7, 8, 9],
    ]);
  });
});

it.each([undefined, 5, null])('a measurement that returns %s is told so', async (nothing) => {
  const steps = of(stepAt(Float32Array.of(1, 1), { index: 2 }, { objective: toy() }));
  await expect(lastValueFrom(steps.pipe(measure(async () => nothing as never)))).rejects.toThrow(
    `measure: the measurement at step 2 returned ${nothing}. It must return a row`,
  );
});

it('refuses an option that there is not: an objective in place of { on: objective } would measure that of the steps', () => {
  const options = toy() as object;
  for (const made of [() => measure(async () => [], options), () => measureAlong(() => async () => [], options)]) {
    expect(made).toThrow(/^measure: there is no option '.*'\. There are on\./);
  }
});

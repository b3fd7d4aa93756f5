import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat, filter, from, lastValueFrom, map, type Observable, tap, throwError, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { alongside } from '../../src/operators/alongside.ts';
import { fanOut } from '../../src/operators/fanOut.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { interactionAwareSharpness, topEigenvalues, trainingLoss } from '../../src/probes/index.ts';
import { run } from '../../src/runs/run.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { watchPasses } from '../helpers/watchPasses.ts';

it('pairs each step with itself, whatever each probe takes and however many rows it has', async () => {
  const slow = watchPasses(regression(), () => new Promise((resolve) => setTimeout(resolve, 1)));
  const joined = await lastValueFrom(
    gradientDescent(regression(), { learningRate: 0.05, steps: 8 }).pipe(
      alongside({
        loss: trainingLoss(),
        eigenvalues: topEigenvalues({ on: slow }),
        sharpness: interactionAwareSharpness({ batchSizes: [1, 4, 12] }),
      }),
      toArray(),
    ),
  );
  expect(joined.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  for (const { step, rows } of joined) {
    expect(rows.loss.map((row) => row.step)).toEqual([step]);
    expect(rows.eigenvalues.map((row) => row.step)).toEqual([step]);
    expect(rows.sharpness.map((row) => [row.step, row.batch_size])).toEqual([
      [step, 1],
      [step, 4],
      [step, 12],
    ]);
  }
});

it('has the steps that came before their source failed, whichever probe takes longer', async () => {
  const slow = watchPasses(regression(), () => new Promise((resolve) => setTimeout(resolve, 1)));
  const steps = await lastValueFrom(gradientDescent(regression(), { learningRate: 0.05, steps: 2 }).pipe(toArray()));
  const failing = concat(
    from(steps),
    throwError(() => new Error('diverged')),
  );
  const probes = { loss: trainingLoss({ on: slow }), again: trainingLoss() };
  for (const [values, count] of [
    [failing.pipe(alongside(probes)), 3],
    [failing.pipe(fanOut(probes)), 6],
  ] as const) {
    const seen: object[] = [];
    const ended = lastValueFrom((values as Observable<object>).pipe(tap((value) => void seen.push(value))));
    await expect(ended).rejects.toThrow('diverged');
    expect(seen).toHaveLength(count);
  }
});

it('leaves out steps at which one did not measure, and holds training back as the probes do', async () => {
  let newest = -1;
  const steps = gradientDescent(regression(), { learningRate: 0.05, steps: 10 }).pipe(
    tap(({ index }) => {
      newest = index;
    }),
  );
  const joined = await lastValueFrom(
    steps.pipe(
      alongside({ often: trainingLoss(), seldom: (s) => s.pipe(throttleSteps(4), topEigenvalues()) }),
      tap(({ step }) => expect(step).toBe(newest)),
      map(({ step, rows }) => [step, rows.often.length, rows.seldom.length]),
      toArray(),
    ),
  );
  expect(joined).toEqual([
    [0, 1, 1],
    [4, 1, 1],
    [8, 1, 1],
  ]);
});

it.each<
  [
    string,
    (of: (steps: Observable<Step>) => Observable<{ step: number }>) => (s: Observable<Step>) => Observable<unknown>,
  ]
>([
  ['alongside', (of) => alongside({ of, loss: trainingLoss() })],
  ['fanOut', (of) => fanOut({ of })],
])(
  '%s keeps its probes in their branch of a run: options are checked first, and files lie in its folder',
  async (_, made) => {
    const directory = mkdtempSync(join(tmpdir(), 'brink-alongside-'));
    try {
      const options = { directory, overwrite: true, progress: false };
      const steps = gradientDescent(regression(), { learningRate: 0.05, steps: 2 });
      const many = run(steps, { many: made(topEigenvalues({ count: 6 })) }, options);
      await expect(many).rejects.toThrow('topEigenvalues: count is 6');
      expect(readdirSync(directory)).toEqual([]);
      const none = (s: Observable<Step>) =>
        s.pipe(
          filter(() => false),
          topEigenvalues(),
          toParquet({ path: 'none.parquet' }),
        );
      await run(steps, { none: made(none) }, options);
      expect(readdirSync(directory)).toContain('none.parquet');
    } finally {
      rmSync(directory, { recursive: true });
      rmSync('none.parquet', { force: true });
    }
  },
);

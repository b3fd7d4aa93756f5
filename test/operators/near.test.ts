import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  delay,
  EMPTY,
  from,
  lastValueFrom,
  type MonoTypeOperatorFunction,
  map,
  NEVER,
  Observable,
  of,
  take,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { openStep, type Step } from '../../src/core/Step.ts';
import { measure } from '../../src/operators/measure.ts';
import { near } from '../../src/operators/near.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { untilPassed } from '../../src/operators/untilPassed.ts';
import { interactionAwareSharpness, topEigenvalues, trainingLoss } from '../../src/probes/index.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';

interface Row {
  readonly step: number;
  readonly batchLoss: number;
}

/** A gauge whose row says the step's batch loss, after a while. */
const slowly = (asked: number[] = []) =>
  measure(async (_, { index, batchLoss }): Promise<Row> => {
    asked.push(index);
    for (let k = 0; k < 3; k++) await setImmediate();
    return { step: index, batchLoss };
  });
const isHigh = ({ batchLoss }: Row) => batchLoss > 0.5;

/** Steps with these batch losses, from a source that waits for those behind. */
async function* sourceOf(losses: readonly number[], onMove: (index: number) => void = () => {}): AsyncGenerator<Step> {
  const objective = regression();
  for (const [index, batchLoss] of losses.entries()) {
    const { step, settled } = openStep({ index, weights: objective.initialWeights(index), batchLoss }, { objective });
    yield step;
    await settled();
    onMove(index);
  }
}

const objectiveOf = () => ({ objective: regression() });

const indices = (steps: Observable<Step>) =>
  lastValueFrom(
    steps.pipe(
      map(({ index }) => index),
      toArray(),
    ),
  );

const LOSSES = [0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0];

describe('near', () => {
  it('passes the steps of which a row meets the condition, and otherwise each k-th', async () => {
    expect(await indices(from(sourceOf(LOSSES)).pipe(near(slowly(), isHigh)))).toEqual([2, 4, 5, 11]);
    const both = near(slowly(), isHigh, { otherwise: 5 });
    expect(await indices(from(sourceOf(LOSSES)).pipe(both))).toEqual([0, 2, 4, 5, 10, 11]);
  });

  it('passes the same steps where the source does not wait', async () => {
    const steps = LOSSES.map((batchLoss, index) => stepAt(new Float32Array(5), { index, batchLoss }, objectiveOf()));
    expect(await indices(from(steps).pipe(near(slowly(), isHigh)))).toEqual([2, 4, 5, 11]);
  });

  it('keeps the last answer where the gauge does not measure', async () => {
    const seldom = (s: Observable<Step>) => s.pipe(throttleSteps(2), slowly());
    expect(await indices(from(sourceOf(LOSSES)).pipe(near(seldom, isHigh)))).toEqual([2, 3, 4, 5]);
  });

  it('takes one row of several as enough', async () => {
    const several = measure(async (_, { index, batchLoss }) =>
      [0, batchLoss, 0].map((x) => ({ step: index, batchLoss: x })),
    );
    expect(await indices(from(sourceOf(LOSSES)).pipe(near(several, isHigh)))).toEqual([2, 4, 5, 11]);
  });

  it('goes on with the last answer where the gauge ends early', async () => {
    const three = (s: Observable<Step>) => s.pipe(slowly(), take(3));
    expect(await indices(from(sourceOf(LOSSES)).pipe(near(three, isHigh)))).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ]);
  });

  it('lets a dear probe measure near the edge, with the numbers that it has everywhere, and nothing twice', async () => {
    const [all, some] = [regression(), regression()];
    const settings = { learningRate: 0.25, steps: 12, batchSize: 4, seed: 3 };
    const sharpness = interactionAwareSharpness();
    const everywhere = await lastValueFrom(gradientDescent(all, settings).pipe(sharpness, toArray()));
    const bound = everywhere.map(({ ias }) => ias).sort((a, b) => a - b)[6]!;
    const there = await lastValueFrom(
      gradientDescent(some, settings).pipe(
        near(sharpness, ({ ias }) => ias > bound),
        sharpness,
        toArray(),
      ),
    );
    expect(there).toEqual(everywhere.filter(({ ias }) => ias > bound));
    expect(there.length).toBeGreaterThan(0);
    expect(some.cost).toEqual(all.cost);
  });

  it('refuses an option that there is not, or that is no number of steps', () => {
    expect(() => near(slowly(), isHigh, { otherwise: 0 })).toThrow('near: otherwise is 0.');
    expect(() => near(slowly(), isHigh, { every: 5 } as object)).toThrow('near: ');
  });
});

describe('untilPassed', () => {
  it('passes all steps up to the first that meets the condition, and so many more', async () => {
    for (const [more, last] of [
      [undefined, 2],
      [0, 2],
      [3, 5],
      [50, 12],
    ] as const) {
      const until = untilPassed(slowly(), isHigh, more === undefined ? {} : { more });
      expect(await indices(from(sourceOf(LOSSES)).pipe(until))).toEqual(LOSSES.map((_, k) => k).slice(0, last + 1));
    }
  });

  it('counts by the index of steps, and asks the gauge no more once it has passed', async () => {
    const asked: number[] = [];
    const until = untilPassed(slowly(asked), isHigh, { more: 5 });
    // Step 4 passes the mark, and 9 is the last: none has that index.
    expect(await indices(from(sourceOf(LOSSES)).pipe(throttleSteps(4), until))).toEqual([0, 4, 8]);
    expect(asked).toEqual([0, 4]);
  });

  it('passes all steps where nothing passes the mark', async () => {
    expect(await indices(from(sourceOf([0, 0, 0])).pipe(untilPassed(slowly(), isHigh)))).toEqual([0, 1, 2]);
  });

  it('lets go of the source', async () => {
    const objective = regression();
    const steps = gradientDescent(objective, { learningRate: 0.05, steps: 10_000 });
    const until = untilPassed(trainingLoss(), ({ step }) => step === 3, { more: 2 });
    expect(await indices(steps.pipe(until))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(objective.cost.gradients).toBeLessThan(8);
  });

  it('begins anew with each subscription', async () => {
    const steps = gradientDescent(regression(), { learningRate: 0.05, steps: 10 });
    const passed = steps.pipe(untilPassed(trainingLoss(), ({ step }) => step === 3));
    expect(await indices(passed)).toEqual(await indices(passed));
  });

  it('refuses an option that there is not, or that is no number of steps', () => {
    expect(() => untilPassed(slowly(), isHigh, { more: -1 })).toThrow('untilPassed: more is -1.');
    expect(() => untilPassed(slowly(), isHigh, { mroe: 5 } as object)).toThrow("no option 'mroe'");
  });
});

describe.each<[string, (gauge: (s: Observable<Step>) => Observable<Row>) => MonoTypeOperatorFunction<Step>]>([
  ['near', (gauge) => near(gauge, () => true)],
  ['untilPassed', (gauge) => untilPassed(gauge, isHigh, { more: 1 })],
])('%s', (name, operator) => {
  it('says nothing of nothing, and ends with its source', async () => {
    expect(await indices(EMPTY.pipe(operator(slowly())))).toEqual([]);
    let isEnded = false;
    const waiting = NEVER.pipe(operator(slowly())).subscribe({ complete: () => (isEnded = true) });
    await setImmediate();
    expect(isEnded).toBe(false);
    waiting.unsubscribe();
  });

  it('passes an error of the source on, and one of the gauge', async () => {
    const fault = new Error('a fault');
    await expect(indices(throwError(() => fault).pipe(operator(slowly())))).rejects.toBe(fault);
    const failing = (s: Observable<Step>) =>
      s.pipe(
        slowly(),
        tap(({ step }) => {
          if (step === 1) throw fault;
        }),
      );
    const passed: number[] = [];
    const steps = from(sourceOf(LOSSES)).pipe(
      operator(failing),
      tap(({ index }) => passed.push(index)),
    );
    await expect(indices(steps)).rejects.toBe(fault);
    expect(passed).toEqual([0]);
  });

  it('lets a condition that throws end the stream', async () => {
    const fault = new Error('a condition');
    const condition = () => {
      throw fault;
    };
    const throwing = name === 'near' ? near(slowly(), condition) : untilPassed(slowly(), condition);
    await expect(indices(from(sourceOf(LOSSES)).pipe(throwing))).rejects.toBe(fault);
  });

  it('holds the source until the gauge has measured, and those behind', async () => {
    const log: string[] = [];
    const behind = measure(async (_, { index }) => {
      for (let k = 0; k < 3; k++) await setImmediate();
      log.push(`measured ${index}`);
      return { step: index };
    });
    const steps = from(sourceOf([0, 0, 0], (index) => log.push(`moved on from ${index}`)));
    await lastValueFrom(steps.pipe(operator(slowly()), behind));
    const turns = [0, 1, 2].flatMap((k) => [`measured ${k}`, `moved on from ${k}`]);
    expect(log).toEqual(turns);
  });

  it('lets go of the source at once when it is unsubscribed', async () => {
    const never = (s: Observable<Step>) => s.pipe(measure(() => new Promise<Row>(() => {})));
    const { step, settled } = openStep({ index: 0, weights: new Float32Array(5) }, objectiveOf());
    const subscription = of(step).pipe(operator(never)).subscribe();
    let isSettled = false;
    const settling = settled().then(() => {
      isSettled = true;
    });
    await setImmediate();
    expect(isSettled).toBe(false);
    subscription.unsubscribe();
    await settling;
    expect(isSettled).toBe(true);
  });

  it('ends after what the gauge still has to do', async () => {
    const log: string[] = [];
    const gauge = (s: Observable<Step>) =>
      new Observable<Row>((subscriber) =>
        s.pipe(slowly()).subscribe({
          next: (row) => subscriber.next(row),
          complete: () => {
            setTimeout(() => {
              log.push('file whole');
              subscriber.complete();
            }, 5);
          },
        }),
      );
    await lastValueFrom(from(sourceOf([0, 0])).pipe(operator(gauge)));
    expect(log).toEqual(['file whole']);
  });

  it('refuses what is no step', async () => {
    await expect(indices(of({} as Step).pipe(operator(slowly())))).rejects.toThrow(`${name}: a value of type object`);
  });

  it('is told of by no warning, and tells of an operator in front that delays steps', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    try {
      const steps = from(sourceOf([0, 0, 0]));
      await lastValueFrom(steps.pipe(operator(slowly()), slowly()));
      await setImmediate();
      expect(warnings).toEqual([]);
      await lastValueFrom(from(sourceOf([0, 0, 0])).pipe(delay(5), operator(slowly()), slowly()));
      await setImmediate();
      expect(warnings).toHaveLength(1);
    } finally {
      process.off('warning', note);
    }
  });
});

it('the gauge belongs to the branch: an option that does not go with the objective is found at the first step', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'brink-near-'));
  try {
    const steps = gradientDescent(regression(), { learningRate: 0.05, steps: 4 });
    const many = near(topEigenvalues({ count: 6 }), () => true);
    const options = { directory, overwrite: true, progress: false };
    await expect(run(steps, { loss: (s) => s.pipe(many, trainingLoss(), toParquet()) }, options)).rejects.toThrow(
      'topEigenvalues: count is 6',
    );
    const kept = near(
      (s) => s.pipe(topEigenvalues(), toParquet({ path: 'gauge.parquet' })),
      ({ step }) => step === 2,
    );
    const { state } = await run(steps, { loss: (s) => s.pipe(kept, trainingLoss(), toParquet()) }, options);
    expect(state).toBe('finished');
    const stepsOf = async (file: string) => (await readTable(join(directory, file))).rows.map(({ step }) => step);
    expect(await stepsOf('gauge.parquet')).toEqual([0, 1, 2, 3, 4]);
    expect(await stepsOf('loss.parquet')).toEqual([2]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('has no answer of a row before the probes began afresh, so that a run that goes on from there passes the same steps', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'brink-near-'));
  try {
    const branch = (s: Observable<Step>) =>
      s.pipe(
        near(
          (g) => g.pipe(throttleSteps(3), trainingLoss()),
          () => true,
        ),
        trainingLoss(),
        toParquet(),
      );
    const steps = gradientDescent(regression(), { learningRate: 0.05, steps: 8 });
    const passed = async (restartEvery?: number) => {
      const options = { directory, overwrite: true, progress: false, ...(restartEvery && { restartEvery }) };
      return (await (await run(steps, { branch }, options)).rows('branch')).map(({ step }) => step);
    };
    expect(await passed()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await passed(4)).toEqual([0, 1, 2, 3, 6, 7]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

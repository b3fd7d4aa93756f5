import { setImmediate } from 'node:timers/promises';
import { EMPTY, from, lastValueFrom, NEVER, type OperatorFunction, Subject, tap, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { openStep, type Step, type StepData } from '../../src/core/Step.ts';
import type { Column, Table } from '../../src/core/Table.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { watchPasses } from '../helpers/watchPasses.ts';

type AnyRow = Readonly<Record<string, unknown>>;

/** The laws that every probe obeys, whatever it measures. Each probe is enrolled by one line in contract.test.ts. */
export function probeContract(
  { name, table }: { readonly name: string; readonly table: Table },
  makeProbe: (objective: Objective) => OperatorFunction<Step, object>,
  makeObjective: () => Objective = regression,
): void {
  const probe = (objective = makeObjective()) => makeProbe(objective) as OperatorFunction<Step, AnyRow>;
  const fullBatch = (objective: Objective) => gradientDescent(objective, { learningRate: 0.05, steps: 4 });
  const batches = (objective: Objective) =>
    gradientDescent(objective, { learningRate: 0.05, steps: 4, batchSize: 1, beta1: 0.3, beta2: 0.3 });

  describe(`${name} keeps the contract of probes`, () => {
    it('stays silent while its source does', async () => {
      const seen: unknown[] = [];
      const subscription = NEVER.pipe(probe()).subscribe({ next: (row) => seen.push(row) });
      await setImmediate();
      expect(seen).toEqual([]);
      expect(subscription.closed).toBe(false);
      subscription.unsubscribe();
    });

    it('completes without a row when no step comes', async () => {
      expect(await lastValueFrom(EMPTY.pipe(probe(), toArray()))).toEqual([]);
    });

    it("passes its source's error on as it is", async () => {
      const error = new Error('the source broke');
      await expect(lastValueFrom(throwError(() => error).pipe(probe()))).rejects.toBe(error);
    });

    it.each([
      ['all examples', fullBatch],
      ['batches with momentum', batches],
    ])('has rows as its table declares them, each with a key of its own, on %s', async (_, source) => {
      const objective = makeObjective();
      const rows = await lastValueFrom(source(objective).pipe(probe(objective), toArray()));
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expectConforming(table, row);
      const keys = rows.map((row) => JSON.stringify(table.key.map((key) => row[key])));
      expect(new Set(keys).size).toBe(rows.length);
    });

    it('has the rows of a step out before its source moves on', async () => {
      const objective = watchPasses(makeObjective(), () => setImmediate());
      let newest = -1;
      let rows = 0;
      await lastValueFrom(
        fullBatch(makeObjective()).pipe(
          tap((step) => {
            newest = step.index;
          }),
          probe(objective),
          tap((row) => {
            rows++;
            expect(row.step).toBe(newest);
          }),
        ),
      );
      expect(rows).toBeGreaterThan(0);
    });

    it.each([
      ['all examples', fullBatch],
      ['batches with momentum', batches],
    ])('measures on replayed steps what it measured live, on %s', async (_, source) => {
      const objective = makeObjective();
      const recorded: StepData[] = [];
      const live = await lastValueFrom(
        source(objective).pipe(
          tap(({ waitUntil, ...data }) => recorded.push(structuredClone(data))),
          probe(objective),
          toArray(),
        ),
      );
      const replayed = from(recorded.map((data) => openStep(data).step)).pipe(probe(), toArray());
      expect(await lastValueFrom(replayed)).toEqual(live);
    });

    it('can be subscribed to again, and forgets what it saw', async () => {
      const objective = makeObjective();
      const rows = fullBatch(objective).pipe(probe(objective), toArray());
      expect(await lastValueFrom(rows)).toEqual(await lastValueFrom(rows));
    });

    it('stops after the pass at hand when it is unsubscribed, and lets go of its source', async () => {
      const gate = Promise.withResolvers<void>();
      const first = Promise.withResolvers<void>();
      let passes = 0;
      const objective = watchPasses(makeObjective(), async () => {
        passes++;
        first.resolve();
        await gate.promise;
      });
      const [a, b] = await openSteps(fullBatch(makeObjective()));
      const source = new Subject<Step>();
      const rows: unknown[] = [];
      const subscription = source.pipe(probe(objective)).subscribe((row) => rows.push(row));
      source.next(a!.step);
      source.next(b!.step);
      await first.promise;

      subscription.unsubscribe();
      expect(source.observed).toBe(false);
      await Promise.all([a!.settled(), b!.settled()]);
      gate.resolve();
      for (let k = 0; k < 20; k++) await setImmediate();
      expect(passes).toBe(1);
      expect(rows).toEqual([]);
    });

    it('ends with an error that names the step when the objective fails, alone, and lets go of its source', async () => {
      const steps = await openSteps(fullBatch(makeObjective()));
      const broken = steps[2]!.step.weights;
      const objective = watchPasses(makeObjective(), (_, weights) => {
        if (weights === broken) throw new Error('out of device memory');
      });
      const source = new Subject<Step>();
      const rows: AnyRow[] = [];
      let error: Error | undefined;
      let bystander = 0;
      source.pipe(probe(objective)).subscribe({
        next: (row) => rows.push(row),
        error: (thrown) => {
          error = thrown;
        },
      });
      source.subscribe(() => bystander++);
      for (const { step, settled } of steps) {
        source.next(step);
        await settled();
      }
      expect(error).toMatchObject({ name: 'BrinkError', cause: { message: expect.stringContaining('out of device') } });
      expect(error!.message).toMatch(/\bstep 2\b.*out of device memory/);
      expect(new Set(rows.map((row) => row.step))).not.toContain(2);
      expect(bystander).toBe(steps.length);
    });
  });
}

/** The steps of a run, opened anew. */
async function openSteps(source: ReturnType<typeof gradientDescent>) {
  return (await lastValueFrom(source.pipe(toArray()))).map(({ waitUntil, ...data }) => openStep(data));
}

function expectConforming(table: Table, row: AnyRow): void {
  expect(Object.keys(row).sort()).toEqual(Object.keys(table.columns).sort());
  for (const [name, column] of Object.entries(table.columns)) {
    expect(conforms(column, row[name]), `${table.name}.${name} is ${row[name]}`).toBe(true);
  }
}

function conforms(column: Column, value: unknown): boolean {
  if (value === null) return column.nullable;
  if (!column.list) return isScalar(column, value);
  const isList = Array.isArray(value) || ArrayBuffer.isView(value);
  return isList && Array.from(value as ArrayLike<unknown>).every((entry) => isScalar(column, entry));
}

function isScalar({ type }: Column, value: unknown): boolean {
  if (type === 'int32') return Number.isInteger(value) && value === (Number(value) | 0);
  if (type === 'float64') return typeof value === 'number';
  return typeof value === (type === 'bool' ? 'boolean' : 'string');
}

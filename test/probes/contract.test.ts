import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { concatMap, EMPTY, from, lastValueFrom, NEVER, of, Subject, tap, throwError, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CataloguedProbe } from '../../src/catalogue/probes.ts';
import type { Objective } from '../../src/core/Objective.ts';
import { originOf } from '../../src/core/origin.ts';
import { openStep, type Step } from '../../src/core/Step.ts';
import type { StepData } from '../../src/core/StepData.ts';
import type { Column, Table } from '../../src/core/Table.ts';
import { run } from '../../src/runs/run.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { type AnyOperator, type AnyRow, asked, askedOptions, everyProbe } from '../helpers/everyProbe.ts';
import { regression } from '../helpers/regression.ts';
import { watchPasses } from '../helpers/watchPasses.ts';

const fullBatch = (objective: Objective) => gradientDescent(objective, { learningRate: 0.05, steps: 4 });
const batches = (objective: Objective) =>
  gradientDescent(objective, { learningRate: 0.05, steps: 4, batchSize: 1, beta1: 0.3, beta2: 0.3 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-contract-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whether a probe reads the steps alone, and asks L nothing: then no pass can fail, and L makes no difference. */
async function readsStepsAlone(probe: CataloguedProbe): Promise<boolean> {
  let passes = 0;
  const watched = watchPasses(regression(), () => {
    passes++;
  });
  const { step } = openStep(
    { index: 0, weights: watched.initialWeights(0), learningRate: 0.1 },
    { objective: watched },
  );
  await lastValueFrom(of(step).pipe(asked(probe), toArray()));
  return passes === 0;
}

const known = await Promise.all(
  everyProbe.map(async ([name, probe]) => [name, probe, await readsStepsAlone(probe)] as const),
);

// The laws that every probe obeys, whatever it measures. All that are in probes/index.ts are enrolled.
describe.each(known)('%s keeps the contract of probes', (name, probe, asksNothing) => {
  const { table } = probe;

  it('stays silent while its source does', async () => {
    const seen: unknown[] = [];
    const subscription = NEVER.pipe(asked(probe)).subscribe({ next: (row) => seen.push(row) });
    await setImmediate();
    expect(seen).toEqual([]);
    expect(subscription.closed).toBe(false);
    subscription.unsubscribe();
  });

  it('completes without a row when no step comes', async () => {
    expect(await lastValueFrom(EMPTY.pipe(asked(probe), toArray()))).toEqual([]);
  });

  it("passes its source's error on as it is", async () => {
    const error = new Error('the source broke');
    await expect(lastValueFrom(throwError(() => error).pipe(asked(probe)))).rejects.toBe(error);
  });

  it.each([
    ['all examples', fullBatch],
    ['batches with momentum', batches],
  ])('has rows as its table declares them, each with a key of its own, on %s', async (_, source) => {
    const rows = await lastValueFrom(source(regression()).pipe(asked(probe), toArray()));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expectConforming(table, row);
    const keys = rows.map((row) => JSON.stringify(table.key.map((key) => row[key])));
    expect(new Set(keys).size).toBe(rows.length);
  });

  it('has the rows of a step out before its source moves on', async () => {
    const objective = watchPasses(regression(), () => setImmediate());
    let newest = -1;
    let rows = 0;
    await lastValueFrom(
      fullBatch(objective).pipe(
        tap((step) => {
          newest = step.index;
        }),
        asked(probe),
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
    const recorded: StepData[] = [];
    const live = await lastValueFrom(
      source(regression()).pipe(
        tap((step) => recorded.push(structuredClone({ ...step }))),
        asked(probe),
        toArray(),
      ),
    );
    const objective = regression();
    const replayed = from(recorded.map((data) => openStep(data, { objective }).step)).pipe(asked(probe), toArray());
    expect(await lastValueFrom(replayed)).toEqual(live);
  });

  it('can be subscribed to again, and forgets what it saw', async () => {
    const rows = fullBatch(regression()).pipe(asked(probe), toArray());
    expect(await lastValueFrom(rows)).toEqual(await lastValueFrom(rows));
  });

  it.skipIf(asksNothing)(
    'stops after the pass at hand when it is unsubscribed, and lets go of its source',
    async () => {
      const gate = Promise.withResolvers<void>();
      const first = Promise.withResolvers<void>();
      let passes = 0;
      const objective = watchPasses(regression(), async () => {
        passes++;
        first.resolve();
        await gate.promise;
      });
      const [a, b] = await openSteps(objective);
      const source = new Subject<Step>();
      const rows: unknown[] = [];
      const subscription = source.pipe(asked(probe)).subscribe((row) => rows.push(row));
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
    },
  );

  it.skipIf(asksNothing)('ends when the objective fails, alone, naming itself and the step, and lets go', async () => {
    let isBroken = false;
    const objective = watchPasses(regression(), () => {
      if (isBroken) throw new Error('out of device memory');
    });
    const steps = await openSteps(objective);
    const source = new Subject<Step>();
    const rows: AnyRow[] = [];
    let error: Error | undefined;
    let bystander = 0;
    source.pipe(asked(probe)).subscribe({
      next: (row) => rows.push(row),
      error: (thrown) => {
        error = thrown;
      },
    });
    source.subscribe(() => bystander++);
    for (const { step, settled } of steps) {
      isBroken = step.index === 2;
      source.next(step);
      await settled();
    }
    expect(error).toMatchObject({ name: 'BrinkError', cause: { message: expect.stringContaining('out of device') } });
    expect(error!.message.startsWith(`${name}: step 2 could not be measured. `)).toBe(true);
    expect(error!.message).toMatch(/\bstep 2\b.*out of device memory/);
    expect(new Set(rows.map((row) => row.step))).not.toContain(2);
    expect(bystander).toBe(steps.length);
  });

  it('measures another objective where one is named, and its rows say which', async () => {
    const other = regression(15);
    const steps = await openSteps(regression());
    const own = steps.map(({ step }) => openStep({ ...step }, { objective: other }).step);
    const rows = await lastValueFrom(from(steps.map(({ step }) => step)).pipe(asked(probe, { on: other }), toArray()));
    expect(rows).toEqual(await lastValueFrom(from(own).pipe(asked(probe), toArray())));
    const ownRows = await lastValueFrom(from(steps.map(({ step }) => step)).pipe(asked(probe), toArray()));
    if (asksNothing) expect(rows).toEqual(ownRows);
    else expect(rows).not.toEqual(ownRows);
    expect(other.metadata).not.toEqual(regression().metadata);
    for (const row of rows) {
      const { provenance } = originOf(row)!;
      expect(provenance).toMatchObject({ probe: name, options: storable(probe), objective: other.metadata });
      expect(Object.keys(provenance.options!)).toEqual(Object.keys(probe.declaration.options));
    }
  });

  it.each([
    ['a source that names no objective', {}, null, /^step: step 0 knows no objective\. /] as const,
    ...beyond(probe).map(([option, value]) => {
      const message = new RegExp(`^${name}: ${option}(\\[0\\])? is \\d+, but (H has|there are) only \\d+ `);
      return [`${option} beyond the objective`, { [option]: value }, regression(), message] as const;
    }),
  ])('ends before any pass on %s, and rejects the run', async (_, options, inner, message) => {
    let passes = 0;
    const objective = inner && watchPasses(inner, () => passes++);
    const { step } = openStep({ index: 0, weights: new Float32Array(5) }, { objective });
    await expect(lastValueFrom(from([step]).pipe(asked(probe, options)))).rejects.toThrow(message);

    const directory = join(folder, name);
    let measured = 0;
    const running = run(
      from([step]),
      {
        right: (steps) => steps.pipe(tap(() => measured++)),
        wrong: (steps) => steps.pipe(asked(probe, options)),
      },
      { directory, progress: false, signals: 'ignore' },
    );
    await expect(running).rejects.toThrow(message);
    expect({ passes, measured, folder: existsSync(directory) }).toEqual({ passes: 0, measured: 0, folder: false });
  });

  it('warns once, and measures all the same, where what stands in front lets training run ahead', async () => {
    const late = concatMap(async (step: Step) => step);
    const { warnings, rows } = await behind(late, asked(probe));
    expect(warnings).toEqual([expect.stringMatching(`^${name}: step 0 came after its source had moved on`)]);
    expect(new Set(rows.map((row) => row.step)).size).toBe(5);
  });

  it('keeps training from running ahead behind an operator that says what it waits for', async () => {
    const waits = concatMap(async (step: Step) => {
      const promise = setTimeout(2);
      step.waitUntil(promise);
      // A few turns later than the promise itself.
      await Promise.all([promise, Promise.all([promise])]);
      return step;
    });
    const { warnings, ahead, rows } = await behind(waits, asked(probe));
    expect(warnings).toEqual([]);
    expect(ahead).toBeLessThanOrEqual(1);
    expect(new Set(rows.map((row) => row.step)).size).toBe(5);
  });
});

/** The steps of a run on all examples, opened anew. */
async function openSteps(objective: Objective) {
  const steps = await lastValueFrom(fullBatch(regression()).pipe(toArray()));
  return steps.map((step) => openStep(step, { objective }));
}

/** What a probe was asked, as a file holds it. */
function storable(probe: CataloguedProbe) {
  return Object.fromEntries(
    Object.entries(askedOptions(probe)).filter(([name]) => probe.declaration.options[name]!.schema !== null),
  );
}

/**
 * Options, each with a value that only an objective larger than the regression, of 12 examples and 5 parameters, has.
 */
function beyond({ declaration }: CataloguedProbe): (readonly [string, unknown])[] {
  return Object.entries(declaration.options).flatMap(([name, { range }]): (readonly [string, unknown])[] => {
    if (range.includes('at most m')) return [[name, 6]];
    return range.includes('to n') ? [[name, [13]]] : [];
  });
}

/** A probe behind an operator: what it warns of, and by how many steps training was ahead of its rows. */
async function behind(
  operator: (steps: ReturnType<typeof fullBatch>) => ReturnType<typeof fullBatch>,
  probe: AnyOperator,
) {
  const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  let measured = -1;
  let ahead = 0;
  const rows = await lastValueFrom(
    fullBatch(regression()).pipe(
      tap((step) => {
        ahead = Math.max(ahead, step.index - measured);
      }),
      operator,
      probe,
      tap((row) => {
        measured = row.step as number;
      }),
      toArray(),
    ),
  );
  const warnings = emitted.mock.calls.filter(([, kind]) => (kind as unknown) === 'BrinkWarning').map(([text]) => text);
  emitted.mockRestore();
  return { warnings, ahead, rows };
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

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { concat, finalize, from, lastValueFrom, map, NEVER, of, Subject, take, throwError, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineTable, float64, int32, type Row } from '../../src/core/Table.ts';
import { VERSIONS } from '../../src/files/versions.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { recover } from '../../src/runs/recover.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

const table = defineTable({
  name: 'curvature',
  description: 'The largest eigenvalue at a step.',
  key: ['step'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    eigenvalue: float64({ symbol: 'λ', description: 'The largest.' }),
  },
});
type CurvatureRow = Row<typeof table>;
const rows: CurvatureRow[] = Array.from({ length: 400 }, (_, step) => ({ step, eigenvalue: step / 7 }));
const bad = { step: 400, eigenvalue: 'large' } as unknown as CurvatureRow;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-sinks-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const files = () => readdirSync(folder).sort();

describe.each([
  ['toParquet', toParquet, 'parquet'],
  ['toArrow', toArrow, 'arrows'],
] as const)('%s', (name, sink, ending) => {
  const file = `curvature.${ending}`;
  const path = () => join(folder, file);
  const written = async () => (await readTable(path(), table)).rows;
  it('throws at the call for an option of another type', () => {
    expect(() => sink(table, { overwrite: 'false' as never })).toThrow(
      `${name}: overwrite is 'false'. It must be true`,
    );
    expect(() => sink('x' as never)).toThrow(
      `${name}: the argument is 'x'. It is an object, such as { overwrite: true }`,
    );
    expect(() => sink(table, { path: 5 as never })).toThrow(`${name}: the path is 5. It must end in`);
    expect(() => sink(table, { metadata: [1] as never })).toThrow(`${name}: metadata is [1]. It must be an object`);
  });

  /** Which files were there when the stream ended, and how it did. */
  const outcome = async (run: Promise<unknown>) => {
    const error = await run.then(
      () => null,
      (thrown: Error) => thrown,
    );
    return { error, left: files() };
  };

  it('passes rows on as they come, and the end when the file is whole', async () => {
    const source = new Subject<CurvatureRow>();
    const seen: (CurvatureRow | string)[] = [];
    const ended = new Promise<string[]>((resolve) => {
      source
        .pipe(sink(table, { path: path() }))
        .subscribe({ next: (row) => seen.push(row), complete: () => resolve(files()) });
    });
    expect(files()).toEqual(['curvature.arrows.part']);
    for (const row of rows) {
      source.next(row);
      expect(seen.at(-1)).toBe(row);
    }
    source.complete();
    expect(await ended).toEqual([file]);
    expect(seen).toEqual(rows);
    expect(await written()).toEqual(rows);
  });

  it('passes an error on when the file is whole', async () => {
    const broken = new Error('diverged');
    const source = concat(
      from(rows),
      throwError(() => broken),
    );
    expect(await outcome(lastValueFrom(source.pipe(sink(table, { path: path() }))))).toEqual({
      error: broken,
      left: [file],
    });
    expect(await written()).toEqual(rows);
  });

  it('ends with a row that does not fit, lets go of the source, and keeps the rows before', async () => {
    let isReleased = false;
    const seen: CurvatureRow[] = [];
    const run = new Promise((resolve, reject) =>
      concat(from(rows), of(bad), of({ step: 401, eigenvalue: 0 }), NEVER)
        .pipe(
          finalize(() => {
            isReleased = true;
          }),
          sink(table, { path: path() }),
        )
        .subscribe({ next: (row) => seen.push(row), complete: () => resolve(null), error: reject }),
    );
    const { error, left } = await outcome(run);
    expect(error?.message).toMatch(/'eigenvalue' is .large., not a number.*step 400.*'curvature'/);
    expect(left).toEqual([file]);
    expect(isReleased).toBe(true);
    expect(seen).toEqual(rows);
    expect(await written()).toEqual(rows);
  });

  it('says what to do about a row that was changed behind a probe, and about one of a table that was given', async () => {
    const changed = () =>
      gradientDescent(regression(), { learningRate: 0.1, steps: 1 }).pipe(
        trainingLoss(),
        map(({ step }) => ({ step, mine: 1 })),
      );
    await expect(lastValueFrom(changed().pipe(sink({ path: path() })))).rejects.toThrow(
      /column 'mine' \(1\) is not declared .*the table is the probe's, .*: hand over a table of the rows/,
    );
    await expect(lastValueFrom(changed().pipe(sink({ path: path(), overwrite: true })))).rejects.toThrow(
      `hand over a table of the rows that come, ${name}(table).`,
    );
    const own = changed().pipe(sink(table as never, { path: path(), overwrite: true }));
    await expect(lastValueFrom(own)).rejects.toThrow(/; give the row the columns that the table declares\.$/);
  });

  it('finishes the file where nobody listens any more', async () => {
    const seen = await lastValueFrom(
      concat(from(rows), NEVER).pipe(sink(table, { path: path() }), take(300), toArray()),
    );
    while (files().join() !== file) await wait(5);
    const found = await written();
    expect(found).toEqual(rows.slice(0, found.length));
    expect(found.length).toBeGreaterThanOrEqual(seen.length);
  });

  it('opens a file for each subscription, and none before', async () => {
    const logged = from(rows).pipe(sink(table, { path: path() }));
    expect(files()).toEqual([]);
    await lastValueFrom(logged);
    const before = readFileSync(path());
    await expect(lastValueFrom(logged)).rejects.toThrow(
      `${name}: ${path()} is there already. It would be lost; name another file, or pass overwrite: true.`,
    );
    expect(readFileSync(path())).toEqual(before);
  });

  it('replaces a file where it is told to', async () => {
    writeFileSync(path(), 'old');
    await lastValueFrom(from(rows).pipe(sink(table, { path: path(), overwrite: true })));
    expect(files()).toEqual([file]);
    expect(await written()).toEqual(rows);
  });

  it('leaves a table alone that is being written, also where it may overwrite', async () => {
    writeFileSync(path(), 'old');
    const log = new TableLog(table, join(folder, 'curvature'), { format: 'parquet', metadata: {} });
    log.append(rows[0]!);
    for (const overwrite of [false, true]) {
      await expect(lastValueFrom(from(rows).pipe(sink(table, { path: path(), overwrite })))).rejects.toThrow();
    }
    expect((await readTable(log.finish())).rows).toEqual([rows[0]]);
  });

  it('refuses what a crash left, and says how to finish it', async () => {
    const log = new TableLog(table, join(folder, 'curvature'), {
      format: ending === 'parquet' ? 'parquet' : 'arrow',
      metadata: {},
    });
    for (const row of rows) log.append(row);
    await expect(lastValueFrom(from(rows).pipe(sink(table, { path: path() })))).rejects.toThrow(
      /`brink recover .*` finishes/,
    );
    expect(log.rows).toBe(rows.length);
    log.finish();
    if (ending === 'parquet') await recover(folder);
    expect(await written()).toEqual(rows);
  });

  it("opens in the working folder, under the table's name, where nothing else is said", async () => {
    const name = `sinks_${process.pid}`;
    await lastValueFrom(from(rows).pipe(sink({ ...table, name })));
    expect(existsSync(`${name}.${ending}`)).toBe(true);
    rmSync(`${name}.${ending}`);
  });

  it('says who wrote it, and what it is told to say', async () => {
    await lastValueFrom(from(rows).pipe(sink(table, { path: path(), metadata: { seed: 8, branch: 'λ' } })));
    const found = await readTable(path(), table);
    expect(found.metadata).toEqual({ ...VERSIONS, source: null, seed: 8, branch: 'λ' });
    expect(found.table).toEqual(table);
  });

  it('refuses an option that there is not', () => {
    expect(() => sink(table, { pth: 'x' } as object)).toThrow(`${name}: there is no option 'pth'. Did you mean path?`);
  });

  it('refuses a path of another ending at the call', () => {
    expect(() => sink(table, { path: 'curvature.csv' })).toThrow(
      `${name}: the path is 'curvature.csv'. It must end in '.${ending}'.`,
    );
  });
});

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimsTable } from '../../src/figures/judgedClaims.ts';
import {
  defineTable,
  float64,
  int32,
  interactionAwareSharpness,
  makeFigure,
  nullable,
  type Row,
  readTable,
  type Table,
  toParquet,
  utf8,
  verifyReport,
  writeReport,
} from '../../src/index.ts';
import { brink } from '../cli/brinkProcess.ts';

let parent: string;
let made: string;
beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-report-'));
  const file = join(import.meta.dirname, 'twoRuns.ts');
  made = (await makeFigure(file, { scale: 'smoke', directory: parent, progress: false })).directory;
}, 60_000);
afterAll(() => rmSync(parent, { recursive: true }));

/** A copy of the figure, to be damaged. */
function copied(name: string): string {
  const path = join(parent, name);
  cpSync(made, path, { recursive: true });
  return path;
}
const page = (folder: string) => join(folder, 'report.html');

describe('a report', () => {
  it('says first how many claims hold, then what it is not, the claims, the rule, settings, runs, health, provenance', () => {
    const text = readFileSync(page(made), 'utf8');
    const parts = [
      '2 hold, 2 do not hold, 2 not decidable',
      'What this is not',
      'Claims',
      'The rule',
      'Pictures',
      'Settings',
      'Every run',
      'Numerical health',
      'Provenance',
    ];
    const places = parts.map((part) => text.indexOf(part));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(text).toContain('These are not the paper&#39;s settings');
    expect(text).toContain('other than in the paper: loss');
    expect(text).toContain('The paper does not state: draws');
  });

  it('needs no network and no script', () => {
    const text = readFileSync(page(made), 'utf8');
    expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
    expect([...text.matchAll(/<script[^>]*>/g)].map(([tag]) => tag)).toEqual([
      '<script type="application/json" id="brink-report">',
    ]);
    const outside = text.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '').match(/(src|href|url\()=?["']?https?:/g);
    expect(outside).toBeNull();
    expect(text).not.toMatch(/\son\w+=/);
    expect(Buffer.byteLength(text)).toBeLessThan(2 ** 21);
  });

  it('escapes what it is told', async () => {
    const folder = copied('escaped');
    const path = join(folder, 'figure.json');
    const record = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...record, title: '</script><b>bold</b> & "quoted"' }));
    await writeReport([{ directory: folder }], page(folder));
    const text = readFileSync(page(folder), 'utf8');
    expect(text).not.toContain('<b>bold');
    expect(text.match(/<\/script>/g)).toHaveLength(1);
    expect((await verifyReport(page(folder))).problems).toEqual([
      expect.stringMatching(/figure.json has another title than .*twoRuns.ts says\.$/),
    ]);
  });

  it('has the same bytes for the same folders, and agrees with its tables', async () => {
    const again = join(made, 'again.html');
    await writeReport([{ directory: made }], again);
    expect(readFileSync(again, 'utf8')).toBe(readFileSync(page(made), 'utf8'));
    rmSync(again);
    expect(await verifyReport(page(made))).toEqual({ problems: [], notices: [], tables: 3, claims: 6 });
  });

  it('refuses a figure whose record is damaged, or of another release', async () => {
    const folder = copied('record');
    const path = join(folder, 'figure.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.slice(0, 300));
    await expect(writeReport([{ directory: folder }], page(folder))).rejects.toThrow(
      /^report: .*figure\.json is no record of a figure: .*JSON.*Make the figure again/,
    );
    writeFileSync(path, text.replaceAll('"folders"', '"folder"'));
    await expect(writeReport([{ directory: folder }], page(folder))).rejects.toThrow(/lacks what this release writes/);
  });

  it('tells of a run that made no claims, with a picture of each of its tables', async () => {
    const run = join(made, 'runs/eta-0.1-seed-0');
    const path = join(parent, 'run.html');
    await writeReport([{ directory: run }], path);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('No claim was fixed before the run');
    expect(text.match(/<figure>/g)).toHaveLength(1);
    expect(await verifyReport(path)).toEqual({ problems: [], notices: [], tables: 1, claims: 0 });
  });

  it('tells of tables of a run without numbers to draw too', async () => {
    const run = join(copied('words'), 'runs/eta-0.1-seed-0');
    const step = int32({ symbol: 't', description: 'The step.' });
    const word = utf8({ symbol: '', description: 'A word.' });
    const value = nullable(float64({ symbol: 'v', description: 'A number.' }));
    const write = <T extends Table>(table: T, row: Row<T>) =>
      lastValueFrom(from([row]).pipe(toParquet(table, { path: join(run, `${table.name}.parquet`) })));
    const of = { description: 'Of a test.' };
    await write(defineTable({ ...of, name: 'counts', key: ['step'], columns: { step } }), { step: 1 });
    await write(defineTable({ ...of, name: 'words', key: ['word'], columns: { word, value } }), {
      word: 'a',
      value: 1,
    });
    const nothing = defineTable({ ...of, name: 'nothing', key: ['step'], columns: { step, value } });
    await write(nothing, { step: 1, value: null });
    const path = join(parent, 'words.html');
    await writeReport([{ directory: run }], path);
    const text = readFileSync(path, 'utf8');
    expect(text.match(/<figure>/g)).toHaveLength(1);
    for (const name of ['counts', 'words', 'nothing']) expect(text).toContain(`${name}.parquet`);
    expect(await verifyReport(path)).toEqual({ problems: [], notices: [], tables: 4, claims: 0 });
  });
});

describe('brink report verify', () => {
  const verify = (...args: string[]) => brink(['report', 'verify', ...args]);

  it('fails when one cell of a table is changed', async () => {
    const folder = copied('cell');
    const path = join(folder, 'runs/eta-0.1-seed-0/sharpness.parquet');
    const { rows } = await readTable(path, interactionAwareSharpness.table);
    const changed = rows.map((row, i) => (i === 7 ? { ...row, trace_S_b: row.trace_S_b * (1 + 1e-9) } : row));
    await lastValueFrom(from(changed).pipe(toParquet(interactionAwareSharpness.table, { path, overwrite: true })));
    const { code, stdout } = await verify(page(folder));
    expect(code).toBe(1);
    expect(stdout).toContain('sharpness.parquet is not the table that the report tells of');
  });

  it('fails when a number of the page is changed, and when a verdict is', async () => {
    const folder = copied('page');
    const text = readFileSync(page(folder), 'utf8');
    writeFileSync(page(folder), text.replace(/<strong><data value="[^"]*">[^<]*</, '<strong><data value="0.5">0.5<'));
    expect((await verifyReport(page(folder))).problems).toEqual([expect.stringContaining('The page differs')]);
    // What the page says of its version is part of it.
    writeFileSync(page(folder), text.replace(/"brink":"[^"]*"/, '"brink":"0.9.9"'));
    expect((await verifyReport(page(folder))).problems).toEqual([
      expect.stringMatching(/^The page says that brink 0\.9\.9 has written it, and differs/),
    ]);
    writeFileSync(page(folder), text.replace('"verdict":"does not hold"', '"verdict":"holds"'));
    expect((await verifyReport(page(folder))).problems).toEqual([
      "The claim wrong-0.05 is said to be 'holds', and by its own numbers it is 'does not hold'.",
    ]);
  });

  it('fails when page and table of claims both say what the other tables do not', async () => {
    const folder = copied('claims');
    const path = join(folder, 'claims.parquet');
    const { rows } = await readTable(path, claimsTable);
    const changed = rows.map((row, i) => (i === 0 ? { ...row, value: row.value! * 1.01 } : row));
    await lastValueFrom(from(changed).pipe(toParquet(claimsTable, { path, overwrite: true })));
    await writeReport([{ directory: folder }], page(folder));
    expect((await verifyReport(page(folder))).problems).toEqual([
      expect.stringMatching(
        /^The claim concentrated-0.05 has value .* in the report, and measuring the tables again gives/,
      ),
    ]);
  });

  it('fails when the picture is not that of the tables, though the page shows it', async () => {
    const folder = copied('picture');
    const path = join(folder, 'figure.svg');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/(<path[^>]* d=")M[^,]*,/, '$1M0.125,'));
    await writeReport([{ directory: folder }], page(folder));
    expect((await verifyReport(page(folder))).problems).toEqual([`${path} is not the picture that its tables give.`]);
  });

  it('fails when the settings are not those that the definition says', async () => {
    const folder = copied('settings');
    const path = join(folder, 'figure.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"here": "16"', '"here": "8192"'));
    await writeReport([{ directory: folder }], page(folder));
    expect((await verifyReport(page(folder))).problems).toEqual([
      expect.stringMatching(/figure.json has another settings than .*twoRuns.ts says\.$/),
    ]);
  });

  it('finds tables that have moved where it is told, and says where the definition can not be had', async () => {
    const folder = copied('moved');
    const elsewhere = join(parent, 'elsewhere.html');
    cpSync(page(folder), elsewhere);
    expect((await verifyReport(elsewhere)).problems).not.toEqual([]);
    const { code, stdout } = await verify(elsewhere, '--tables', folder, '--definition', join(parent, 'gone.ts'));
    expect(stdout).toContain(
      'The claims were not measured again from the tables, nor was the picture drawn again: the figure',
    );
    expect(code).toBe(0);
  });

  it('refuses what is no report', async () => {
    writeFileSync(join(parent, 'other.html'), '<p>hello</p>');
    const { code, stderr } = await verify(join(parent, 'other.html'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('is no report of brink')]);
  });
});

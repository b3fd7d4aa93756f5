import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { from, lastValueFrom } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineTable, float64, int32, type Table, utf8 } from '../../src/core/Table.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { serveWatch, type WatchServer } from '../../src/watch/serveWatch.ts';
import { browserOrSkip, browserPath, openBrowser } from '../helpers/browser.ts';
import { NumbersLog, numbersTable } from './writeLog.ts';

let browser: Browser | null = null;
let parent: string;
const servers: WatchServer[] = [];

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-faithful-'));
  const path = browserPath();
  if (path !== undefined) browser = await openBrowser(path);
}, 60_000);
beforeEach((context) => {
  browserOrSkip(context);
});
afterEach(async () => {
  await Promise.all(browser?.contexts().map((context) => context.close()) ?? []);
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) await server.close();
  rmSync(parent, { recursive: true, force: true });
});

const soon: typeof expect.poll = (what, options) => expect.poll(what, { timeout: 30_000, ...options });
const texts = (page: Page, selector: string) => page.locator(selector).allTextContents();

/** A folder that says it holds a run; of another process each time. */
function recordRun(folder: string, source: object, more: object = {}): string {
  mkdirSync(folder, { recursive: true });
  const writer = { host: `not ${hostname()}`, pid: Math.ceil(1e6 * Math.random()) };
  const now = new Date().toISOString();
  const record = { state: 'running', metadata: { source }, started: now, finished: null, heartbeat: now };
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...record, process: writer, ...more }));
  return folder;
}
function writeLoss(folder: string, values: readonly number[]): void {
  const log = new NumbersLog(folder, 'loss');
  log.add(values.length, (step) => values[step]!);
  log.close();
}
const writeTable = (folder: string, table: Table, rows: readonly object[], sink = toArrow, ending = 'arrows') =>
  lastValueFrom(from(rows as never[]).pipe(sink(table, { path: join(folder, `${table.name}.${ending}`) })), {
    defaultValue: null,
  });

async function open(directory: string, before?: (page: Page) => Promise<unknown>): Promise<Page> {
  const server = await serveWatch(directory);
  servers.push(server);
  const context = await browser!.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  await before?.(page);
  await page.goto(server.url);
  await page.waitForSelector('html[data-ready=true]', { timeout: 60_000, state: 'attached' });
  return page;
}
const [step, v] = [
  int32({ symbol: 't', description: 'The step.' }),
  float64({ symbol: 'v', description: 'A number.' }),
];
const words = utf8({ symbol: '', description: 'A text.' });
const edgeTable = defineTable({
  ...{ name: 'edge', description: 'E.', key: ['step'] },
  columns: { step, v, verdict: words, rule: words },
});

describe('the list of runs', { timeout: 120_000 }, () => {
  it('is of the runs that there are now: one that is made anew has its own settings, and no line of before', async () => {
    const folder = join(parent, 'anew');
    for (const name of ['a', 'b']) writeLoss(recordRun(join(folder, name), { learningRate: 0.1 }), [3, 2, 1]);
    const page = await open(folder);
    const row = page.locator('tr[data-run]').first();
    const line = () => row.locator('.spark .line').getAttribute('d');
    await soon(line).toContain('L');
    rmSync(join(folder, 'a'), { recursive: true });
    recordRun(join(folder, 'a'), { learningRate: 0.7 });
    await soon(() => row.textContent()).toContain('η 0.7');
    await soon(line).toBe('');
    // Its table is there before its first row.
    rmSync(join(folder, 'b'), { recursive: true });
    writeLoss(recordRun(join(folder, 'b'), { learningRate: 0.7 }), []);
    await soon(() => page.locator('.spark .line').last().getAttribute('d')).toBe('');
  });

  it('can be sorted by each of its columns, either way, by keyboard too, and the address remembers it', async () => {
    const folder = join(parent, 'sorted');
    for (const [name, reached, loss] of [
      ['run 10', 30, 2],
      ['run 9', 10, Number.NaN],
      ['run 2', 20, 1],
    ] as const) {
      const started = `2026-01-${reached}T00:00:00Z`;
      writeLoss(recordRun(join(folder, name), {}, { started, step: reached }), [5, loss]);
    }
    const page = await open(folder);
    const names = () => texts(page, '.runs .choice');
    expect(await names()).toEqual(['run 2', 'run 9', 'run 10']);
    const press = async (column: string) => {
      await page.locator('.runs .sort', { hasText: column }).focus();
      await page.keyboard.press('Enter');
    };
    await press('step');
    await soon(names).toEqual(['run 9', 'run 2', 'run 10']);
    await press('step');
    await soon(names).toEqual(['run 10', 'run 2', 'run 9']);
    expect(await page.locator('.runs th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    await press('started');
    await soon(names).toEqual(['run 9', 'run 2', 'run 10']);
    // What is no number stands last, either way.
    await press('loss');
    await soon(names).toEqual(['run 2', 'run 10', 'run 9']);
    await press('loss');
    await soon(names).toEqual(['run 10', 'run 2', 'run 9']);
    expect(new URL(page.url()).hash).toBe('#sort=loss,falling');
    await page.reload();
    await soon(names).toEqual(['run 10', 'run 2', 'run 9']);
    await press('run');
    await soon(names).toEqual(['run 2', 'run 9', 'run 10']);
    expect(new URL(page.url()).hash).toBe('');
    // Arrows go by the order that is seen.
    await press('run');
    await page.locator('.runs .choice').first().focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('.runs .choice:focus').textContent()).toBe('run 9');
  });

  it('takes no other number for the loss of a run that has measured none', async () => {
    const folder = join(parent, 'without loss');
    writeLoss(recordRun(join(folder, 'a'), {}), [5, 2]);
    const without = recordRun(join(folder, 'b'), {});
    const rows = [0, 1].map((k) => ({ step: k, v: k, verdict: 'stable', rule: 'r' }));
    await writeTable(without, edgeTable, rows);
    const page = await open(folder);
    for (const _ of ['rising', 'falling']) {
      await page.locator('.runs .sort', { hasText: 'loss' }).click();
      await soon(() => page.locator('.spark .line').first().getAttribute('d')).toContain('L');
      expect(await texts(page, '.runs .choice')).toEqual(['a', 'b']);
    }
    expect(await page.locator('.spark .line').last().getAttribute('d')).toBe('');
  });

  it('gives names as they are, where runs lie over one another too', async () => {
    const folder = join(parent, 'named');
    const all = ['<b>x</b>&amp;', 'a%2Fb', 'eta_{0.1}', 'sgd_b'];
    for (const name of all) writeLoss(recordRun(join(folder, name), {}), [2, 1]);
    const page = await open(folder);
    for (const box of await page.locator('.runs input').all()) await box.check();
    await soon(() => texts(page, '.overlay .series')).toEqual(all);
    expect(await page.locator('.overlay .series sub').count()).toBe(0);
  });
});

describe('what does not come', { timeout: 180_000 }, () => {
  it('is said: the reader of tables, an answer', async () => {
    const folder = recordRun(join(parent, 'silent'), {});
    writeLoss(folder, [2, 1]);
    const page = await open(folder, (page) => page.route('**/worker.js', (route) => route.abort()));
    await soon(() => texts(page, '.errors li').then((all) => all.join())).toContain(
      'the part of the page that reads tables',
    );
    await page.close();
    const other = await open(folder);
    await other.route('**/state', () => {});
    await soon(() => other.locator('.connection:visible').allTextContents()).toEqual([
      expect.stringMatching(/^No answer for \d+ s/),
    ]);
  });

  it('is asked for again, though the run has nothing new: a panel, columns of a finished table', async () => {
    const folder = recordRun(join(parent, 'again'), {}, { state: 'finished' });
    const table = defineTable({ name: 'mine', description: 'M.', key: ['step'], columns: { step, v } });
    await writeTable(
      folder,
      table,
      [0, 1, 2].map((k) => ({ step: k, v: k })),
      toParquet as never,
      'parquet',
    );
    const page = await open(folder);
    await page.route('**/data/**', (route) => route.abort());
    await page.locator('.choice').click();
    await soon(() => page.locator('.connection:visible').count()).toBe(1);
    await page.unroute('**/data/**');
    await soon(() => texts(page, '[data-panel] .value')).toEqual(['2 at 2']);
    await soon(() => page.locator('.connection:visible').count()).toBe(0);
  });
});

describe('what is drawn', { timeout: 120_000 }, () => {
  it('is nothing of the run before, where another has taken its place and has no row yet', async () => {
    const folder = join(parent, 'restarted');
    const slicesOf = (name: string) =>
      defineTable({ name: 'slices', description: 'S.', key: ['step', 'v'], columns: { step, v, [name]: v } as never });
    const write = async (steps: readonly number[], column = 'w') => {
      rmSync(folder, { recursive: true, force: true });
      recordRun(folder, {});
      await writeTable(
        folder,
        edgeTable,
        steps.map((k) => ({ step: k, v: k, verdict: 'unstable', rule: 'r' })),
      );
      await writeTable(
        folder,
        slicesOf(column),
        steps.map((k) => ({ step: k, v: k, [column]: k })),
      );
    };
    await write([0, 1]);
    const page = await open(folder);
    const shown = () => texts(page, '.verdict-words, .verdicts li, [data-snapshot] .value');
    await soon(shown).toEqual(['unstable at step 1: r', 'unstable', 'at step 1']);
    await write([]);
    await soon(shown).toEqual(['', '']);
    expect(await page.locator('.strip rect, [data-snapshot] svg').count()).toBe(0);
    await page.locator('[data-rows=slices] summary').click();
    await write([0, 1, 2], 'u');
    await soon(shown).toEqual(['unstable at step 2: r', 'unstable', 'at step 2']);
    expect(await page.locator('[data-snapshot] svg').getAttribute('aria-label')).toContain('from 2 to 2');
    await soon(() => texts(page, '[data-rows=slices] thead')).toEqual(['step tv vu v']);
    expect(await page.locator('.connection:visible').count()).toBe(0);
  });

  it('has both of two verdicts that alternate, by their shares', async () => {
    const folder = recordRun(join(parent, 'verdicts'), {});
    const rows = Array.from({ length: 6000 }, (_, k) => ({
      step: k,
      v: k,
      verdict: k % 2 ? 'odd' : 'even',
      rule: 'r',
    }));
    await writeTable(folder, edgeTable, rows);
    const page = await open(folder);
    const height = async (kind: string) => {
      const all = page.locator(`.strip .verdict-${kind}`);
      return Number(await all.nth(7).getAttribute('height'));
    };
    expect(await height('odd')).toBeCloseTo(0.5, 1);
    expect(await height('even')).toBeCloseTo(0.5, 1);
  });

  it('has verdicts where the curves have their steps, also along logarithmic ones', async () => {
    const folder = recordRun(join(parent, 'logarithmic'), {});
    const rows = Array.from({ length: 101 }, (_, k) => ({ step: k, v: k, verdict: k < 10 ? 'a' : 'b', rule: 'r' }));
    await writeTable(folder, edgeTable, rows);
    const page = await open(folder);
    await page.locator('.tools button', { hasText: 'Log steps' }).click();
    const places = () =>
      page.locator('.strip rect').evaluateAll((all) => all.map((one) => Number(one.getAttribute('x'))));
    expect(await page.locator('.strip').getAttribute('viewBox')).toBe('0 0 2 1');
    expect(await places()).toEqual([0, 1]);
  });

  it('joins no rows that belong to different values of the key, and says which values are left out', async () => {
    const folder = recordRun(join(parent, 'groups'), {});
    const g = utf8({ symbol: 'g', description: 'A group.' });
    const many = defineTable({ name: 'many', description: 'M.', key: ['step', 'g'], columns: { step, g, v } });
    await writeTable(
      folder,
      many,
      Array.from({ length: 100 }, (_, k) => ({ step: Math.floor(k / 20), g: `${k % 20}`, v: k })),
    );
    const along = defineTable({
      name: 'along',
      description: 'A.',
      key: ['step', 'g', 'a'],
      columns: { step, g, a: float64({ symbol: 'α', description: 'A place.' }), v },
    });
    await writeTable(
      folder,
      along,
      Array.from({ length: 20 }, (_, k) => ({ step: 0, g: k % 2 ? 'one' : 'two', a: k / 10, v: k % 2 })),
    );
    const page = await open(folder);
    await soon(() => texts(page, '[data-snapshot=along] h4')).toEqual(['g = two', 'g = one']);
    const lines = await page.locator('[data-snapshot=along] polyline').all();
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      const heights = (await line.getAttribute('points'))!.split(' ').map((point) => point.split(',')[1]);
      expect(new Set(heights).size).toBe(1);
    }
    await page.locator('.choice').first().click();
    await soon(() => texts(page, '[data-panel] > .note')).toEqual(['8 of 20 values of g are drawn.']);
  });

  it('keeps the scale that somebody has chosen when a panel gets other lines', async () => {
    const folder = recordRun(join(parent, 'scale'), {});
    writeLoss(folder, [1, 2, 3]);
    const page = await open(folder);
    const select = page.locator('[data-panel=first-loss] select');
    await select.selectOption('asinh');
    const table = defineTable({
      name: 'loss',
      description: 'L.',
      key: ['step'],
      columns: { step, loss: v, test_loss: v },
    });
    // As a file of its own: the number of a file that is gone may be given out again.
    const apart = recordRun(join(parent, 'apart'), {});
    await writeTable(apart, table, [{ step: 0, loss: 1, test_loss: 2 }]);
    renameSync(join(apart, 'loss.arrows'), join(folder, 'loss.arrows'));
    rmSync(join(folder, 'loss.arrows.part'));
    await soon(() => page.locator('[data-panel=first-loss] .series').count()).toBe(2);
    expect(await select.inputValue()).toBe('asinh');
  });

  it('is in the order of steps, where the rows were written in another one', async () => {
    const folder = recordRun(join(parent, 'order'), {});
    const rows = [5, 6, 7, 0, 1, 2, 3, 4].map((k) => ({ step: k, loss: 10 * k }));
    await writeTable(folder, numbersTable('loss'), rows);
    const page = await open(folder);
    const value = () => texts(page, '[data-panel=first-loss] .value');
    await soon(value).toEqual(['70 at 7']);
    expect(await texts(page, '.state')).toEqual(['running, at step 7']);
    await page.locator('[data-panel=first-loss] .plot').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await soon(value).toEqual(['10 at 1']);
  });
});

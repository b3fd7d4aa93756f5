import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { from, lastValueFrom, type MonoTypeOperatorFunction } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Table } from '../../src/core/Table.ts';
import { toy } from '../../src/objectives/quadratic.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { edge } from '../../src/probes/edge.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { lossPlane } from '../../src/probes/lossPlane.ts';
import { lossSlice } from '../../src/probes/lossSlice.ts';
import { type PlanePathRow, planePath } from '../../src/probes/planePath.ts';
import { spectralDensity } from '../../src/probes/spectralDensity.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { record } from '../../src/recording/record.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { savePage } from '../../src/watch/savePage.ts';
import { serveWatch, type WatchServer } from '../../src/watch/serveWatch.ts';
import { startRun } from '../cli/startRun.ts';
import { browserOrSkip, browserPath, openBrowser } from '../helpers/browser.ts';
import { everything } from '../helpers/everything.ts';
import { regression } from '../helpers/regression.ts';
import { beginRun, NumbersLog } from './writeLog.ts';

let browser: Browser | null = null;
let parent: string;
const servers: WatchServer[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-page-'));
  const path = browserPath();
  if (path === undefined) return;
  browser = await openBrowser(path);
  await run(
    gradientDescent(regression(), { learningRate: 0.05, steps: 60, seed: 7, batchSize: 2 }),
    {
      loss: (s) => s.pipe(trainingLoss(), toArrow()),
      eigenvalues: (s) => s.pipe(throttleSteps(4), topEigenvalues({ count: 2 }), toParquet()),
      sharpness: (s) => s.pipe(interactionAwareSharpness({ batchSizes: [1, 2, 4] }), toParquet()),
      edge: (s) => s.pipe(edge(), toParquet()),
      slices: (s) => s.pipe(throttleSteps(10), lossSlice(), toParquet()),
      planes: (s) => s.pipe(throttleSteps(20), lossPlane({ coordinates: [-1, -0.5, 0, 0.5, 1] }), toParquet()),
      path: (s) => s.pipe(planePath({ planeEvery: 20 }), toParquet()),
      spectrum: (s) => s.pipe(throttleSteps(20), spectralDensity({ points: 60 }), toParquet()),
      recording: (s) => s.pipe(record()),
    },
    { directory: join(parent, 'run'), progress: false },
  );
}, 120_000);
beforeEach((context) => {
  browserOrSkip(context);
});
// A page that is left open goes on asking, and drawing.
afterEach(async () => {
  await Promise.all(browser?.contexts().map((context) => context.close()) ?? []);
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) await server.close();
  rmSync(parent, { recursive: true, force: true });
});

/** A page that is there: what it complains of, the policy's reports too, is kept. */
async function open(url: string, scheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const context = await browser!.newContext({ viewport: { width: 1200, height: 900 }, colorScheme: scheme });
  return openIn(await context.newPage(), url);
}
async function openIn(page: Page, url: string): Promise<Page> {
  page.on('console', (message) => {
    // 409: a table became another file between two looks, and the page reads it anew.
    if (message.type() === 'error' && !message.text().includes('409 (Conflict)')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.addInitScript(
    "document.addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))",
  );
  await page.goto(url);
  await ready(page);
  return page;
}
/** Waits for what comes with the time that a machine takes which has more to do. */
const soon: typeof expect.poll = (what, options) => expect.poll(what, { timeout: 20_000, ...options });
/** Resolves once two frames have been drawn, a moment from now. */
const settled = (page: Page) =>
  page.evaluate(
    'new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 100))',
  );
const ready = (page: Page) => page.waitForSelector('html[data-ready=true]', { timeout: 60_000, state: 'attached' });
async function serve(directory: string): Promise<string> {
  const server = await serveWatch(directory);
  servers.push(server);
  return server.url;
}
/** A folder with two runs, which are made at the first call. */
async function severalRuns(): Promise<string> {
  const folder = join(parent, 'several');
  if (existsSync(folder)) return folder;
  for (const learningRate of [0.02, 0.06]) {
    await run(
      gradientDescent(toy(), { learningRate, steps: 25, initialWeights: [3, 0.1] }),
      {
        loss: (s) => s.pipe(trainingLoss(), toArrow()),
        eigenvalues: (s) => s.pipe(topEigenvalues(), toParquet()),
      },
      { directory: join(folder, `rate-${learningRate}`), progress: false },
    );
  }
  return folder;
}
const text = (page: Page, selector: string) => page.locator(selector).first().textContent().then(String);

describe('the page of a finished run', { timeout: 120_000 }, () => {
  it('says how it stands, and shows λ₁ and ‖H‖ with the edge, the loss, the verdicts', async () => {
    const page = await open(await serve(join(parent, 'run')));
    expect(await text(page, '.state')).toMatch(/^finished: 61 steps in /);
    expect(
      await page.locator('[data-panel]:visible').evaluateAll((all) => all.map((one) => one.getAttribute('data-panel'))),
    ).toEqual(['first-sharpness', 'first-loss']);
    const legend = await text(page, '[data-panel=first-sharpness] .legend');
    for (const part of ['λ₁', '‖H‖', 'edge', 'at 60']) expect(legend).toContain(part);
    expect(await text(page, '.verdict-words')).toMatch(/ at step 60: /);
    expect(await page.locator('.strip rect').count()).toBeGreaterThan(0);
    expect(await inked(page, 'first-loss')).toBeGreaterThan(100);
  });

  it('has every other column one click away, and closes it again', async () => {
    const page = await open(await serve(join(parent, 'run')));
    const choices = page.locator('.choice');
    const count = await choices.count();
    expect(count).toBeGreaterThan(12);
    const before = await page.locator('.panel').count();
    const shown = await page.locator('[data-panel]').count();
    for (let k = 0; k < count; k++) await choices.nth(k).click();
    await soon(() => page.locator('[data-panel]').count()).toBe(shown + count);
    await page.locator('[data-panel] button[aria-label^=Close]').first().click();
    await soon(() => page.locator('.panel').count()).toBe(before + count - 1);
  });

  it('works by keyboard: a panel takes the focus, the cursor goes from row to row, snapshots follow', async () => {
    const page = await open(await serve(join(parent, 'run')));
    for (let k = 0; k < 40; k++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate("document.activeElement?.classList.contains('plot')")) break;
    }
    const said = () => page.locator('[data-panel=first-sharpness] [aria-live]').textContent();
    await page.keyboard.press('Home');
    expect(await said()).toMatch(/^λ₁ [\d.]+ at step 0$/);
    await page.keyboard.press('ArrowRight');
    expect(await said()).toMatch(/^λ₁ [\d.]+ at step 4$/);
    // A tenth of the 16 rows that are shown, by turns: two.
    await page.keyboard.press('PageDown');
    expect(await said()).toMatch(/^λ₁ [\d.]+ at step 12$/);
    await page.keyboard.press('PageUp');
    expect(await said()).toMatch(/^λ₁ [\d.]+ at step 4$/);
    expect(await text(page, '[data-snapshot=eigenvalues] .value')).toBe('at step 4');
    expect(await text(page, '[data-snapshot=slices] .value')).toBe('at step 0, 4 before the cursor');
    expect(await text(page, '.command code')).toMatch(/^npx brink replay .*recording\.arrows --from 4 --to 4 /);
    // Another line has rows of its own.
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    expect(await said()).toMatch(/at step 5$/);
    await page.keyboard.press('End');
    expect(await said()).toMatch(/at step 60$/);
    const range = () => page.locator('.strip').getAttribute('viewBox');
    await page.keyboard.press('Home');
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    await soon(range).toBe('0 0 15 1');
    // The steps that are shown follow the newest one, or stay.
    const follows = () => page.locator('.tools button', { hasText: 'Follow' }).getAttribute('aria-pressed');
    expect(await follows()).toBe('false');
    await page.keyboard.press('f');
    await soon(range).toBe('45 0 15 1');
    expect(await follows()).toBe('true');
    await page.keyboard.press('f');
    expect(await follows()).toBe('false');
    await page.keyboard.press('0');
    await soon(range).toBe('0 0 60 1');
    const logSteps = () => page.locator('.tools button', { hasText: 'Log steps' }).getAttribute('aria-pressed');
    await page.keyboard.press('L');
    await soon(range).toBe(`0 0 ${Math.log10(60)} 1`);
    expect(await logSteps()).toBe('true');
    await page.keyboard.press('L');
    expect(await logSteps()).toBe('false');
    const scale = () => page.locator('[data-panel=first-sharpness] select').inputValue();
    await page.keyboard.press('l');
    await soon(scale).toBe('log');
    await page.keyboard.press(' ');
    await page.mouse.move(500, 300);
    expect(await said()).toBe('The cursor stays');
    expect(await text(page, '[data-snapshot=eigenvalues] .value')).toBe('at step 0');
    await page.keyboard.press('?');
    expect(await page.locator('dialog#keys').isVisible()).toBe(true);
    // Every key that it names has been pressed above.
    expect(await page.locator('dialog#keys dt').allTextContents()).toEqual([
      '← →',
      'PgUp PgDn',
      'Home End',
      '↑ ↓',
      '+ − 0',
      'f',
      'l, L',
      'Space',
      '?',
      '↑ ↓ Home End',
    ]);
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog#keys').isVisible()).toBe(false);
  });

  it('keeps the focus by keyboard: opening a panel, closing it, turning the pages of rows', async () => {
    const page = await open(await serve(join(parent, 'run')));
    const focused = (part = 'outerHTML') => page.evaluate(`document.activeElement.${part}`) as Promise<string>;
    await tabTo(page, '.choice');
    const plan = await focused('dataset.plan');
    await page.keyboard.press('Enter');
    await page.locator(`[data-panel="${plan}"]`).waitFor();
    expect(await focused('dataset.plan')).toBe(plan);
    await tabTo(page, `[data-panel="${plan}"] button[aria-label^=Close]`);
    await page.keyboard.press('Enter');
    await soon(() => page.locator(`[data-panel="${plan}"]`).count()).toBe(0);
    expect(await focused('dataset.plan')).toBe(plan);

    await tabTo(page, '[data-rows=sharpness] summary');
    await page.keyboard.press('Enter');
    const caption = () => text(page, '[data-rows=sharpness] caption');
    await soon(caption).toContain('Page 8 of 8');
    await tabTo(page, '[data-rows=sharpness] button:text("Before")');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await soon(caption).toContain('Page 6 of 8');
    expect(await focused('textContent')).toBe('Before');
    await page.keyboard.press('Shift+Tab');
    for (const _ of [1, 2]) await page.keyboard.press('Enter');
    await soon(caption).toContain('Page 1 of 8');
    expect(await focused('textContent')).toBe('First');
  });

  it('copies the command that measures at the cursor', async () => {
    const page = await open(await serve(join(parent, 'run')));
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.locator('[data-panel=first-loss] .plot').focus();
    await page.keyboard.press('Home');
    for (const [k, command] of ['replay', 'fork'].entries()) {
      await page.locator('.command button').nth(k).click();
      await soon(() => page.locator('.command button').nth(k).textContent()).toBe('Copied');
      const copied: string = await page.evaluate('navigator.clipboard.readText()');
      expect(copied).toBe(await text(page, `.command >> nth=${k} >> code`));
      expect(copied).toMatch(new RegExp(`^npx brink ${command} \\S+recording\\.arrows --(from|step) 0 `));
    }
  });

  it('has one cursor over all panels, which the pointer moves', async () => {
    const page = await open(await serve(join(parent, 'run')));
    const box = (await page.locator('[data-panel=first-loss] .u-over').boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 50);
    await soon(() => text(page, '[data-panel=first-sharpness] .legend')).toMatch(/at 28/);
    expect(await text(page, '[data-panel=first-loss] .legend')).toContain('at 30');
    // Dragging chooses the steps.
    await page.mouse.down();
    await page.mouse.move(box.x + box.width, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await soon(() => page.locator('.strip').getAttribute('viewBox')).toMatch(/^(29|30)\.?\d* 0 (29|30)/);
  });

  it('shows rows as a table, a page at a time, of every column', async () => {
    const page = await open(await serve(join(parent, 'run')));
    await page.locator('[data-rows=sharpness] summary').click();
    await soon(() => page.locator('[data-rows=sharpness] tbody tr').count()).toBe(8);
    expect(await text(page, '[data-rows=sharpness] caption')).toContain('Page 8 of 8');
    await soon(() => page.locator('[data-rows=sharpness] th').count()).toBe(
      Object.keys(interactionAwareSharpness.table.columns).length,
    );
    await page.locator('[data-rows=sharpness] button', { hasText: 'First' }).click();
    expect(await page.locator('[data-rows=sharpness] tbody tr').count()).toBe(25);
    expect(await text(page, '[data-rows=sharpness] tbody tr td')).toBe('0');
  });

  it('shows the first page of rows where it is asked for before there are any', async () => {
    const page = await open(await serve(join(parent, 'run')));
    await page.evaluate(`{
      const rows = document.querySelector('[data-rows=sharpness]');
      rows.open = true;
      rows.querySelector('button').click();
    }`);
    await soon(() => page.locator('[data-rows=sharpness] tbody tr').count()).toBe(25);
    expect(await text(page, '[data-rows=sharpness] caption')).toContain('Page 1 of 8');
  });

  it('draws the path of training on the loss plane at the cursor', async () => {
    const page = await open(await serve(join(parent, 'run')));
    await page.evaluate('brinkPage.point(23)');
    const { rows } = (await readTable(join(parent, 'run', 'path.parquet'))) as unknown as { rows: PlanePathRow[] };
    const path = rows.filter(({ plane }) => plane === 20);
    expect(path.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, k) => 20 + k));
    await soon(() => text(page, '[data-snapshot=planes] .value')).toContain('at step 20');
    const picture = page.locator('[data-snapshot=planes] svg');
    expect(await picture.getAttribute('aria-label')).toMatch(/those of step 40 at .* at most .* beside the plane\.$/);
    const drawn = (await picture.locator('polyline.step').getAttribute('points'))!
      .split(' ')
      .map((point) => point.split(',').map(Number) as [number, number]);
    expect(drawn).toHaveLength(path.length);
    // Places on the picture are numbers of the table, moved and stretched.
    const scale = (drawn.at(-1)![0] - drawn[0]![0]) / path.at(-1)!.x;
    path.forEach(({ x }, k) => {
      expect(drawn[k]![0]).toBeCloseTo(drawn[0]![0] + scale * x, 6);
    });
    expect(scale).toBeGreaterThan(0);
  });

  it('is the same as a file, without a server', async () => {
    const file = join(parent, 'saved.html');
    await savePage(join(parent, 'run'), file);
    const page = await open(`file://${file}`);
    const served = await open(await serve(join(parent, 'run')));
    for (const selector of [
      '.state',
      '[data-panel=first-sharpness] .legend',
      '.verdict-words',
      '[data-snapshot=planes] .value',
    ]) {
      expect(await text(page, selector), selector).toBe(await text(served, selector));
    }
    expect(await inked(page, 'first-sharpness')).toBe(await inked(served, 'first-sharpness'));
  });
});

describe('the page of several runs', { timeout: 120_000 }, () => {
  it('lists them with their states and losses, shows one, and lays those that are chosen over one another', async () => {
    const page = await open(await serve(await severalRuns()));
    expect(await page.locator('.runs tbody tr').count()).toBe(2);
    expect(await text(page, '.runs tbody tr')).toMatch(/rate-0\.02.*finished: 26 steps/);
    await soon(() => page.locator('.runs .spark .line').first().getAttribute('d')).toMatch(/^[\d., ML]{100,}$/);
    expect(await page.locator('[data-panel]').count()).toBe(0);
    await page.locator('.runs tbody button').nth(1).click();
    await soon(() => page.locator('[data-panel=first-loss]').count()).toBe(1);
    await soon(() => text(page, '.about')).toContain('η 0.06');
    expect(await text(page, '.runs caption')).toMatch(/^2 runs: 2 finished\. Choose one/);
    for (const box of await page.locator('.runs input').all()) await box.check();
    await soon(() => page.locator('.overlay [data-panel]:visible').count()).toBe(2);
    const legend = () => text(page, '.overlay [data-panel=over-0] .legend');
    await soon(legend).toMatch(/rate-0\.02.*rate-0\.06.*edge of rate-0\.02/);
    for (const box of await page.locator('.runs input').all()) await box.uncheck();
    await soon(() => page.locator('.overlay').count()).toBe(0);
  });
});

describe('the page of a folder', { timeout: 120_000 }, () => {
  it('works by keyboard: one Tab leads to the runs, arrows from run to run, Enter and Space choose', async () => {
    const page = await open(await serve(await severalRuns()));
    await tabTo(page, '.runs tbody button');
    const at = () => page.evaluate("document.activeElement.closest('tr').querySelector('button').textContent");
    expect(await at()).toBe('rate-0.02');
    await page.keyboard.press('ArrowDown');
    expect(await at()).toBe('rate-0.06');
    await page.keyboard.press('Enter');
    await soon(() => page.locator('.run .about').count()).toBe(1);
    expect(await page.locator('.runs [aria-pressed=true]').textContent()).toBe('rate-0.06');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Home');
    expect(await at()).toBe('rate-0.02');
    await page.keyboard.press('Space');
    await soon(() => page.locator('.overlay [data-panel]:visible').count()).toBe(2);
    await soon(() => text(page, '.overlay .legend')).toMatch(/rate-0\.02.*rate-0\.06/);
    // From here one Tab leads out of the list: into what is laid over one another.
    await page.keyboard.press('Tab');
    expect(await page.evaluate("document.activeElement.closest('.overlay') !== null")).toBe(true);
  });

  it('forgets a run that is gone, and says when there is none', async () => {
    const folder = join(parent, 'gone');
    cpSync(await severalRuns(), folder, { recursive: true });
    const page = await open(await serve(folder));
    await page.locator('.runs tbody button').first().click();
    await soon(() => text(page, '.about')).toContain('η 0.02');
    rmSync(join(folder, 'rate-0.02'), { recursive: true });
    await soon(() => page.locator('.runs tbody tr').count()).toBe(1);
    await soon(() => text(page, '.about')).toContain('η 0.06');
    rmSync(join(folder, 'rate-0.06'), { recursive: true });
    await soon(() => page.getByText('There is no run in this folder any more.').isVisible()).toBe(true);
    expect(await page.locator('.run, .runs tbody tr').count()).toBe(0);
  });
});

describe('axe-core finds nothing', { timeout: 180_000 }, () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  /** What it finds, by the debugger's door: the page's policy lets no script in. */
  const found = (page: Page) =>
    page.evaluate(
      `${axe}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join('; ').slice(0, 300)))`,
    );

  describe.each(everything ? (['light', 'dark'] as const) : (['dark'] as const))('%s', (scheme) => {
    it('on the page of a run, with a panel and rows open', async () => {
      const page = await open(await serve(join(parent, 'run')), scheme);
      await page.locator('.choice').first().click();
      await page.locator('[data-rows=loss] summary').click();
      await page.locator('[data-rows=loss] tbody tr').first().waitFor();
      expect(await found(page)).toEqual([]);
      await page.locator('.top button').click();
      expect(await found(page)).toEqual([]);
    });

    it('in the list of runs, with two of them laid over one another', async () => {
      const page = await open(await serve(await severalRuns()), scheme);
      expect(await found(page)).toEqual([]);
      for (const box of await page.locator('.runs input').all()) await box.check();
      await page.locator('.overlay [data-panel]').first().waitFor();
      await page.locator('.runs tbody button').first().click();
      await page.locator('[data-panel=first-loss]').waitFor();
      expect(await found(page)).toEqual([]);
    });

    it('where there is nothing: no table, no row, no run', async () => {
      const folder = join(parent, `nothing ${scheme}`);
      const directory = join(folder, 'run');
      beginRun(directory);
      const page = await open(await serve(folder), scheme);
      expect(await found(page)).toEqual([]);
      new NumbersLog(directory, 'loss').close();
      await page.locator('[data-panel=first-loss]').waitFor();
      expect(await found(page)).toEqual([]);
      rmSync(directory, { recursive: true });
      await page.getByText('There is no run in this folder any more.').waitFor();
      expect(await found(page)).toEqual([]);
    });

    it('in a saved page', async () => {
      const file = join(parent, `${scheme}.html`);
      await savePage(join(parent, 'run'), file);
      const page = await open(`file://${file}`, scheme);
      expect(await found(page)).toEqual([]);
    });
  });
});

describe('the page of a run that lives', { timeout: 120_000 }, () => {
  it('follows it, and says where it was cut off by kill −9', async () => {
    const directory = join(parent, 'killed');
    const trainer = startRun(directory);
    await trainer.said('step 52');
    const page = await open(await serve(directory));
    expect(await text(page, '.state')).toMatch(/^running, at step \d+ of 1000000$/);
    const stepOf = async () => Number(/at step (\d+)/.exec(await text(page, '.state'))![1]);
    const first = await stepOf();
    await soon(stepOf).toBeGreaterThan(first);
    trainer.child.kill('SIGKILL');
    await trainer.ended;
    await soon(() => text(page, '.state')).toMatch(/^cut off at step \d+ of 1000000: /);
    expect(await stepOf()).toBeGreaterThanOrEqual(first);
  });

  it('has the same rows wherever it is shown: in the list, by itself, laid over another', async () => {
    const folder = join(parent, 'two');
    const trainers = ['one', 'other'].map((name) => startRun(join(folder, name)));
    for (const trainer of trainers) await trainer.said('step 52');
    const page = await open(await serve(folder));
    await page.locator('.runs tbody button').first().click();
    await page.locator('[data-panel=first-loss]').waitFor();
    for (const box of await page.locator('.runs input').all()) await box.check();
    await page.locator('.overlay [data-panel]').first().waitFor();
    const rows = async () => Number(/: (\d+) rows/.exec(await text(page, '[data-rows=loss] summary'))![1]);
    const before = await rows();
    await expect.poll(rows, { timeout: 30_000 }).toBeGreaterThan(before + 50);
    for (const trainer of trainers) trainer.child.kill('SIGKILL');
    await expect.poll(() => text(page, '.state'), { timeout: 10_000 }).toMatch(/^cut off/);
    // Columns that nobody has wanted before: of all rows, those that came first and those that came last.
    await page.locator('[data-rows=loss] summary').click();
    const cells = async (name: string) => {
      const heads = await page.locator('[data-rows=loss] th').allTextContents();
      const place = heads.findIndex((head) => head.startsWith(name));
      return page.locator(`[data-rows=loss] tbody td:nth-child(${place + 1})`).allTextContents();
    };
    for (const [turn, first] of [
      ['First', 0],
      ['Newest', Math.floor(((await rows()) - 1) / 25) * 25],
    ] as const) {
      await page.locator('[data-rows=loss] button', { hasText: turn }).click({ force: true });
      await expect.poll(async () => (await cells('step'))[0], { timeout: 20_000 }).toBe(`${first}`);
      // Of the full batch each step is an epoch.
      await expect.poll(() => cells('epoch'), { timeout: 20_000 }).toEqual(await cells('step'));
    }
  });

  it('keeps its rows as the log becomes Parquet, and begins anew where the run is overwritten', async () => {
    const directory = join(parent, 'twice');
    const train = (steps: number, overwrite: boolean) =>
      run(
        gradientDescent(toy(), { learningRate: 0.1, steps }),
        { loss: (s) => s.pipe(trainingLoss(), toParquet()) },
        { directory, overwrite, progress: false },
      );
    await train(20, false);
    const page = await open(await serve(directory));
    await soon(() => text(page, '[data-panel=first-loss] .legend')).toContain('at 20');
    await train(7, true);
    await soon(() => text(page, '.state')).toMatch(/^finished: 8 steps/);
    await soon(() => text(page, '[data-panel=first-loss] .legend')).toContain('at 7');
  });

  it('draws what is to the left of the newest bucket as before when rows are added', async () => {
    const directory = join(parent, 'growing');
    beginRun(directory);
    const log = new NumbersLog(directory, 'loss');
    const wave = (step: number) => Math.sin(step / 1000) + (step % 2 === 0 ? 0.2 : -0.2);
    log.add(200_000, wave);
    const page = await open(await serve(directory));
    await page.locator('[data-panel=first-loss] .plot').focus();
    // Steps that no new row changes: the first half, chosen.
    await page.keyboard.press('Home');
    await page.keyboard.press('+');
    await settled(page);
    const before = await pixels(page, 'first-loss');
    log.add(100_000, wave);
    await soon(() => page.locator('[data-rows=loss] summary').textContent()).toContain('300000');
    await settled(page);
    expect(before.length).toBeGreaterThan(1000);
    expect(await pixels(page, 'first-loss')).toBe(before);
    log.close();
  });
});

describe('what can’t be drawn', { timeout: 120_000 }, () => {
  it('is marked and counted, on every scale of values and steps', async () => {
    const directory = join(parent, 'odd');
    beginRun(directory);
    const log = new NumbersLog(directory, 'loss');
    const odd = new Map([
      [50, Number.NaN],
      [51, Number.NaN],
      [60, Number.POSITIVE_INFINITY],
      [70, Number.NEGATIVE_INFINITY],
      [80, -5],
      [90, 0],
    ]);
    log.add(200, (step) => odd.get(step) ?? 10 ** (step / 40));
    log.close();
    const page = await open(await serve(directory));
    const counts = () => text(page, '[data-panel=first-loss] .counts');
    const select = page.locator('[data-panel=first-loss] select');
    expect(await select.inputValue()).toBe('linear');
    expect(await counts()).toBe('▲ 2 NaN, ▲▼ 2 infinite');
    await page.locator('[data-panel=first-loss] .plot').focus();
    for (const key of ['', 'L', '', 'L']) {
      if (key !== '') await page.keyboard.press(key);
      for (const scale of ['log', 'asinh', 'linear']) {
        await select.selectOption(scale);
        expect(await inked(page, 'first-loss'), `${scale} ${key}`).toBeGreaterThan(100);
        if (scale === 'log') expect(await counts()).toBe('▲ 2 NaN, ▲▼ 2 infinite, ▼ 2 not positive');
      }
    }
    const described = (await page.locator('[data-panel=first-loss] .plot').getAttribute('aria-describedby'))!;
    expect(await text(page, `#${described}`)).toContain('L 1 → 94410, in −5 … 94410.');
  });

  it('is said where there is nothing else: no table, no row, no number', async () => {
    const bare = join(parent, 'bare');
    beginRun(bare);
    const page = await open(await serve(bare));
    expect(await text(page, '.rows .note')).toBe('There is no table yet. Once there is one, its panels are here.');

    const log = new NumbersLog(bare, 'loss');
    const nothing = () => text(page, '[data-panel=first-loss] .nothing');
    await soon(() => page.locator('[data-panel=first-loss]').count()).toBe(1);
    expect(await nothing()).toBe('No row so far');
    expect(await page.locator('.rows > .note').isVisible()).toBe(false);
    // Neither are there numbers along the axes, which nobody has measured.
    expect(await marked(page, 'first-loss')).toBe(0);

    log.add(3, () => Number.NaN);
    await soon(nothing).toBe('No number here: null, NaN or infinite');
    expect(await text(page, '#panel-first-loss-says')).toContain('No number here: null, NaN or infinite.');
    expect(await marked(page, 'first-loss')).toBeGreaterThan(0);
    log.add(1, () => -1);
    await soon(() => page.locator('[data-panel=first-loss] .nothing').isVisible()).toBe(false);
    await page.locator('[data-panel=first-loss] select').selectOption('log');
    await soon(nothing).toBe('No number here that a logarithm has');
    log.close();
  });

  it('does not pass for a number at the cursor: eigenvalues, a slice, a density, a plane', async () => {
    const directory = join(parent, 'odd snapshots');
    beginRun(directory);
    const write = (name: string, table: Table, rows: readonly object[]) =>
      writeRows(join(directory, `${name}.arrows`), table, rows);
    const { NaN: none, POSITIVE_INFINITY: infinite } = Number;
    const lists = { residuals: [0, 0], smallest_residuals: [0, 0], branches: [1, 2] };
    await write('eigenvalues', topEigenvalues.table, [
      {
        ...lists,
        lambda_1: infinite,
        eigenvalues: [infinite, 3],
        smallest_eigenvalues: [-1.234e-200, none],
        edge: 2,
      },
    ]);
    const values = [4, 1, none, 0, infinite, 4, 9];
    const along = lossSlice.table.key[1]!;
    await write(
      'slices',
      lossSlice.table,
      values.map((delta, k) => ({ [along]: k, loss_change: delta, quadratic_change: k })),
    );
    const densities = [1, 0, 1e-9, 0.5];
    const [eigenvalue] = spectralDensity.table.key.slice(1) as [string];
    await writeRows(
      join(directory, 'spectrum.arrows'),
      spectralDensity.table,
      densities.map((density, k) => ({ [eigenvalue]: k, density, density_standard_error: 0.1 })),
    );
    const [x, y] = lossPlane.table.key.slice(1) as [string, string];
    const plane = [0, 1, 2, 3].map((k) => ({ [x]: k % 2, [y]: Math.floor(k / 2), loss: none }));
    await write('planes', lossPlane.table, plane);

    const page = await open(await serve(directory));
    const eigenvalues = page.locator('[data-snapshot=eigenvalues] svg');
    const words = await eigenvalues.locator('text').allTextContents();
    for (const one of ['λ₁ ∞', 'λ₂ 3', 'λₘ −1.234·10⁻²⁰⁰', 'λₘ₋₁ NaN']) expect(words).toContain(one);
    expect(await eigenvalues.locator('circle').count()).toBe(2);
    const lefts = await eigenvalues
      .locator('text')
      .evaluateAll((all) => all.map((one) => (one as unknown as { getBBox(): { x: number } }).getBBox().x));
    expect(Math.min(...lefts)).toBeGreaterThanOrEqual(0);

    // The line does not go on across what is no number: two parts, and a dot between them.
    const slice = page.locator('[data-snapshot=slices]');
    expect(await slice.locator('polyline.stroke-lambda').count()).toBe(2);
    expect(await slice.locator('circle.dot').count()).toBe(1);
    expect(await slice.locator('polyline.stroke-text').count()).toBe(1);
    expect(await slice.locator('.counts').allTextContents()).toEqual(['2 of 7 null, NaN or infinite', '']);
    expect(await slice.locator('svg').getAttribute('aria-label')).toContain(
      'from 0 to 9, 2 of 7 null, NaN or infinite; ',
    );

    // What is next to nothing lies within the frame, above the numbers along the axis, and that is said.
    const density = page.locator('[data-snapshot=spectrum]');
    expect(await density.locator('.note').first().textContent()).toBe(
      '2 of 4 are less than a millionth of the largest, and drawn along the bottom.',
    );
    const points = (await density.locator('polyline.stroke-lambda').getAttribute('points'))!.split(' ');
    const heights = points.map((point) => Number(point.split(',')[1]));
    const bottom = Number(await density.locator('.gridline').first().getAttribute('y2'));
    expect(heights[1]).toBe(heights[2]);
    expect(heights[1]).toBeLessThan(bottom);

    const planes = page.locator('[data-snapshot=planes]');
    expect(await planes.locator('.counts').textContent()).toBe('4 of 4 null, NaN or infinite: left empty');
    expect(await planes.locator('rect').count()).toBe(0);
    expect(await planes.locator('text').allTextContents()).not.toContain('∞');
  });

  it('flattens nothing: λ₁ that has left the edge by decades is drawn by its logarithm', async () => {
    const directory = join(parent, 'far');
    beginRun(directory);
    const rows = [1, 10, 1e4, 1e30].map((lambda, step) => ({ step, lambda_1: lambda, edge: 2 }));
    await writeRows(join(directory, 'eigenvalues.arrows'), topEigenvalues.table, rows);
    const page = await open(await serve(directory));
    const scale = page.locator('[data-panel=first-sharpness] select');
    await soon(() => scale.inputValue()).toBe('log');
    await scale.selectOption('linear');
    await settled(page);
    expect(await scale.inputValue()).toBe('linear');
  });

  it('does not take the page along: a damaged table is told, the others go on, and so does a server that ends', async () => {
    const directory = join(parent, 'damaged');
    beginRun(directory);
    const log = new NumbersLog(directory, 'loss');
    log.add(10, (step) => step);
    log.close();
    writeFileSync(join(directory, 'broken.parquet'), 'no table');
    const server = await serveWatch(directory);
    const page = await open(server.url);
    expect(await text(page, '.errors')).toContain('broken.parquet: ');
    expect(await text(page, '[data-panel=first-loss] .legend')).toContain('at 9');
    const heard = complaints.length;
    await server.close();
    await soon(() => page.locator('.connection').isVisible()).toBe(true);
    expect(await text(page, '.connection')).toContain('The server does not answer');
    expect(await text(page, '[data-panel=first-loss] .legend')).toContain('at 9');
    await page.close();
    // The browser says itself that nobody answers.
    const said = complaints.splice(heard);
    expect(said.every((one) => one.includes('ERR_CONNECTION_REFUSED'))).toBe(true);
  });
});

describe.runIf(everything)('many rows', { timeout: 240_000 }, () => {
  const COUNT = 1_000_000;
  const SPIKE = 654_321;
  let url = '';
  beforeAll(async () => {
    if (browser === null) return;
    const directory = join(parent, 'many');
    beginRun(directory);
    const logs = ['loss', 'second', 'third'].map((name) => new NumbersLog(directory, name));
    logs[0]!.add(COUNT, (step) => (step === SPIKE ? 40 : 1));
    logs[1]!.add(COUNT, (step) => (step % 2 === 0 ? 1 : -1));
    logs[2]!.add(COUNT, (step) => Math.sin(step / 5000));
    for (const log of logs) log.close();
    url = await serve(directory);
  }, 120_000);

  it('are drawn in frames of less than 150 ms: a million in each of three tables', async () => {
    const page = await open(url);
    const chosen = page.locator('.choice', { hasText: /second|third/ });
    for (let k = 0; k < (await chosen.count()); k++) await chosen.nth(k).click();
    await soon(() => page.locator('[data-panel]').count()).toBe(3);
    await page.locator('[data-panel=first-loss] .plot').focus();
    // What the page's thread has computed, not what it waited for others on a busy machine.
    const debug = await page.context().newCDPSession(page);
    await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
    const busy = async () => {
      const { metrics } = await debug.send('Performance.getMetrics');
      return 1000 * metrics.find(({ name }) => name === 'TaskDuration')!.value;
    };
    const count = () => page.evaluate('brinkPage.frames().length') as Promise<number>;
    const frames: number[] = [];
    for (const key of ['+', '+', '+', '+', '-', '-', '0', 'l', 'l', 'l', '+', '0']) {
      const [before, drawn] = [await busy(), await count()];
      await page.keyboard.press(key);
      await soon(async () => (await count()) > drawn).toBe(true);
      frames.push((await busy()) - before);
    }
    console.log(`three panels with a million rows each: ${Math.max(...frames).toFixed(0)} ms a frame at most`);
    expect(Math.max(...frames)).toBeLessThan(150);
  });

  it('show a spike at one of a million, and an alternation of ±1, at every zoom', async () => {
    const page = await open(url);
    await page.locator('.choice', { hasText: 'second' }).first().click();
    await page.locator('[data-panel$="-loss"]').nth(1).waitFor();
    const other = (await page.locator('[data-panel]').nth(1).getAttribute('data-panel'))!;
    const box = (await page.locator('[data-panel=first-loss] .u-over').boundingBox())!;
    await page.locator('[data-panel=first-loss] .plot').focus();
    // The cursor goes to the spike: zooming keeps it there.
    await page.evaluate(`brinkPage.point(${SPIKE})`);
    for (let zoom = 0; zoom < 16; zoom++) {
      await settled(page);
      const { top } = await reach(page, 'first-loss');
      expect(top, `zoom ${zoom}`).toBeLessThan(0.12);
      const { top: high, bottom: low } = await reach(page, other);
      expect([high < 0.12, low > 0.88], `zoom ${zoom}`).toEqual([true, true]);
      await page.keyboard.press('+');
    }
    expect(box.width).toBeGreaterThan(300);
  });

  it('are there in eight tabs at once', async () => {
    const context = await browser!.newContext();
    const pages = await Promise.all(Array.from({ length: 8 }, async () => openIn(await context.newPage(), url)));
    for (const page of pages) expect(await text(page, '.state')).toMatch(/^running, at step 999999/);
    // Each goes on asking.
    const asked = pages.map((page) => page.waitForRequest(/\/state$/, { timeout: 15_000 }));
    await Promise.all(asked);
    await context.close();
  });
});

it('complains of nothing meanwhile, the policy neither', () => {
  expect(complaints).toEqual([]);
});

/** Presses Tab until something has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  const wanted = page.locator(selector).first();
  for (let k = 0; k < 150; k++) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluate((one) => one === one.ownerDocument.activeElement)) return;
  }
  throw new Error(`no Tab leads to ${selector}`);
}

/** The picture of a panel. */
function pixels(page: Page, panel: string): Promise<string> {
  return page.evaluate(`document.querySelector('[data-panel="${panel}"] canvas').toDataURL()`);
}

/** How many pixels of a panel's canvas have anything on them. */
async function marked(page: Page, panel: string): Promise<number> {
  await settled(page);
  return page.evaluate(`(() => {
    const canvas = document.querySelector('[data-panel="${panel}"] canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((alpha, k) => k % 4 === 3 && alpha > 0).length;
  })()`);
}

/** Writes rows; what they leave out is NaN, 0 or nothing. */
async function writeRows(path: string, table: Table, rows: readonly object[]): Promise<void> {
  const empty = Object.entries(table.columns).map(([name, { type, list }]) => {
    return [name, list ? [] : { float64: Number.NaN, int32: 0, bool: false, utf8: '' }[type]] as const;
  });
  const whole = rows.map((row) => ({ ...Object.fromEntries(empty), ...row }));
  await lastValueFrom(from(whole).pipe(toArrow(table, { path }) as MonoTypeOperatorFunction<object>));
}

/** How many pixels of a panel have a colour, which axes and text have not. */
async function inked(page: Page, panel: string): Promise<number> {
  await settled(page);
  return (await coloured(page, panel)).count;
}

/** Where the coloured pixels of a panel's curves reach, as shares of the height of the frame from above. */
const reach = (page: Page, panel: string) => coloured(page, panel);

interface Ink {
  readonly count: number;
  readonly top: number;
  readonly bottom: number;
}

/** Runs in the page, which knows a document; here there is none. */
const INK = `(id) => {
  const root = document.querySelector('[data-panel="' + id + '"]');
  const canvas = root.querySelector('canvas');
  const over = root.querySelector('.u-over').getBoundingClientRect();
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const area = [over.left - box.left, over.top - box.top, over.width, over.height].map((v) => Math.round(v * scale));
  const { data, width, height } = canvas.getContext('2d').getImageData(...area);
  let [count, top, bottom] = [0, 1, 0];
  for (let k = 0; k < data.length; k += 4) {
    const channels = data.slice(k, k + 3);
    // Grey is grid and text; of a line at its edge little is left.
    if (data[k + 3] < 120 || Math.max(...channels) - Math.min(...channels) < 60) continue;
    const share = Math.floor(k / 4 / width) / height;
    count++;
    top = Math.min(top, share);
    bottom = Math.max(bottom, share);
  }
  return { count, top, bottom };
}`;

function coloured(page: Page, panel: string): Promise<Ink> {
  return page.evaluate(`(${INK})(${JSON.stringify(panel)})`);
}

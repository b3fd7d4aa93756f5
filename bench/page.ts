// What does the live page cost the browser's main thread: to open it, a frame, rows that come, a second without news?
// Three logs of a number a step, each in a panel. Times are those that the thread has computed; of opening also by the
// clock, with the server, the reading of the logs and the worker that decodes them.
// Usage: node bench/page.ts [rows ...]   (default: 10000 100000 1000000)
// It needs a Chromium: Debian's, or the one that BRINK_BROWSER names.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { serveWatch } from '../src/watch/serveWatch.ts';
import { browserPath, openBrowser } from '../test/helpers/browser.ts';
import { beginRun, NumbersLog } from '../test/watch/writeLog.ts';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';
import { formatSpread } from './spread.ts';

const TABLES = ['loss', 'second', 'third'] as const;
/** The page is opened so many times, the first one not counted. */
const OPENED = 3;
/** Each changes what is shown, and so draws all panels anew. */
const KEYS = ['+', '+', '+', '+', '-', '-', '0', 'l', 'l', 'l', '+', '0'] as const;
/** So many rows come at once to each table, as of a run with short steps within a second, and how often. */
const MORE = 1000;
const APPENDED = 8;
/** Seconds without news. */
const IDLE = 5;

interface Cost {
  readonly openedByTheClock: readonly number[];
  readonly opened: readonly number[];
  readonly frames: readonly number[];
  readonly appended: readonly number[];
  readonly idle: number;
  readonly megabytes: number;
}

/** Milliseconds that the page's main thread has computed so far. */
async function threadClock(page: Page): Promise<() => Promise<number>> {
  const debug = await page.context().newCDPSession(page);
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await debug.send('Performance.getMetrics');
    return 1000 * metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
}

const settled = (page: Page) =>
  page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');

/** Waits until the page has so many rows of each table: here, and seldom, as looking costs its thread too. */
async function hasCome(page: Page, rows: number): Promise<void> {
  const said = () => page.locator('[data-rows] summary').allTextContents();
  while (!(await said()).every((one) => one.includes(`: ${rows} rows`))) await setTimeout(400);
}

/** A page with a panel for each table. */
async function opened(browser: Browser, url: string) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const clock = await threadClock(page);
  const start = performance.now();
  await page.goto(url);
  await page.waitForSelector('html[data-ready=true]', { state: 'attached' });
  await settled(page);
  const [byTheClock, busy] = [performance.now() - start, await clock()];
  return { page, clock, byTheClock, busy };
}

async function costOf(browser: Browser, directory: string, rows: number): Promise<Cost> {
  beginRun(directory);
  const logs = TABLES.map((name) => new NumbersLog(directory, name));
  // As many waves whatever the rows, so that the pictures are alike.
  const wave = (step: number) => Math.sin((20 * step) / rows) + (step % 2 ? 0.1 : -0.1);
  for (const log of logs) log.add(rows, wave);
  const server = await serveWatch(directory);
  try {
    const openedByTheClock: number[] = [];
    const openedBusy: number[] = [];
    for (let turn = 0; turn <= OPENED; turn++) {
      const { page, byTheClock, busy } = await opened(browser, server.url);
      if (turn > 0) openedByTheClock.push(byTheClock);
      if (turn > 0) openedBusy.push(busy);
      await page.context().close();
    }

    const { page, clock } = await opened(browser, server.url);
    const others = page.locator('.choice', { hasText: /second|third/ });
    for (const choice of await others.all()) await choice.click();
    await page
      .locator('[data-panel]')
      .nth(TABLES.length - 1)
      .waitFor();
    await settled(page);
    const during = async (what: () => Promise<unknown>): Promise<number> => {
      const before = await clock();
      await what();
      await settled(page);
      return (await clock()) - before;
    };

    await page.locator('[data-panel=first-loss] .plot').focus();
    const frames: number[] = [];
    for (const key of KEYS) frames.push(await during(() => page.keyboard.press(key)));

    const appended: number[] = [];
    for (let turn = 1; turn <= APPENDED; turn++) {
      const append = async () => {
        for (const log of logs) log.add(MORE, wave);
        await hasCome(page, rows + turn * MORE);
      };
      appended.push(await during(append));
    }
    const idle = await during(() => setTimeout(1000 * IDLE));
    const heap = (await page.evaluate('performance.memory.usedJSHeapSize')) as number;
    await page.context().close();
    return {
      openedByTheClock,
      opened: openedBusy,
      frames,
      appended,
      idle: idle / IDLE,
      megabytes: heap / 1e6,
    };
  } finally {
    await server.close();
    for (const log of logs) log.close();
  }
}

const executablePath = browserPath();
if (executablePath === undefined) throw new Error('there is no Chromium; apt-get install chromium');
const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000, 1_000_000];
if (!counts.every((count) => Number.isInteger(count) && count > 0)) {
  throw new Error(
    `bench/page.ts: the rows are ${process.argv.slice(2).join(' ')}. They must be whole numbers above 0.`,
  );
}

const parent = mkdtempSync(join(tmpdir(), 'brink-bench-page-'));
const browser = await openBrowser(executablePath);
try {
  const lines: string[][] = [];
  for (const rows of counts) {
    const cost = await costOf(browser, join(parent, `${rows}`), rows);
    lines.push([
      `3 × ${rows}`,
      formatSpread(cost.openedByTheClock, 0),
      formatSpread(cost.opened, 0),
      formatSpread(cost.frames, 1),
      formatSpread(cost.appended, 1),
      cost.idle.toFixed(1),
      cost.megabytes.toFixed(0),
    ]);
  }
  const head = [
    'rows',
    'opening, by the clock',
    'opening',
    'a frame of three panels',
    `3 × ${MORE} rows more`,
    'a second without news',
    'heap, MB',
  ];
  console.log(markdownTable(head, lines));
  console.log();
  console.log(conditions([`Chromium ${browser.version()}`]));
} finally {
  await browser.close();
  rmSync(parent, { recursive: true });
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeFigure } from '../../src/index.ts';
import { browserOrSkip, browserPath, openBrowser } from '../helpers/browser.ts';

let browser: Browser | null = null;
let parent: string;
let address: string;
const complaints: string[] = [];
const requests: string[] = [];

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-report-page-'));
  const path = browserPath();
  if (path === undefined) return;
  browser = await openBrowser(path);
  const file = join(import.meta.dirname, 'twoRuns.ts');
  const { directory } = await makeFigure(file, { scale: 'smoke', directory: parent, progress: false });
  address = `file://${join(directory, 'report.html')}`;
}, 120_000);
beforeEach((context) => {
  browserOrSkip(context);
});
afterAll(async () => {
  await browser?.close();
  rmSync(parent, { recursive: true });
});

/** The report as a browser has it; what it complains of, the policy's reports too, and what it asks for is kept. */
async function open(colorScheme: 'light' | 'dark', width = 1200): Promise<Page> {
  const context = await browser!.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  await page.addInitScript(
    "document.addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))",
  );
  await page.goto(address);
  return page;
}

describe('a report in a browser', { timeout: 120_000 }, () => {
  it.each(['light', 'dark'] as const)('has nothing that axe-core finds: %s', async (scheme) => {
    const page = await open(scheme);
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    // By the debugger's door: the page's policy lets no script in.
    const found = await page.evaluate(
      `${axe}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join('; ').slice(0, 300)))`,
    );
    expect(found).toEqual([]);
  });

  it.each([1200, 400])('is no wider than its window: %d pixels', async (width) => {
    const page = await open('light', width);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    const pictures = page.locator('figure svg');
    expect(await pictures.count()).toBeGreaterThan(0);
    for (const picture of await pictures.all()) {
      const { x, width: wide, height } = (await picture.boundingBox())!;
      expect(height).toBeGreaterThan(50);
      expect(x + wide).toBeLessThanOrEqual(width);
    }
  });

  it('is dark ink on white paper in print, in dark mode too', async () => {
    const page = await open('dark');
    await page.emulateMedia({ media: 'print' });
    const colors = await page.evaluate(
      '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
    );
    expect(colors).toEqual(['rgb(26, 26, 26)', 'rgb(255, 255, 255)']);
    // What a run says of itself is folded on the screen, and printed whole.
    const folded = page.locator('details > pre');
    expect(await folded.count()).toBeGreaterThan(0);
    for (const pre of await folded.all()) expect((await pre.boundingBox())?.height).toBeGreaterThan(50);
  });

  it('asks for nothing, and complains of nothing', () => {
    expect(complaints).toEqual([]);
    expect([...new Set(requests)]).toEqual([address]);
  });
});

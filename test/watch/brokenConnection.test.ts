import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serveWatch } from '../../src/watch/serveWatch.ts';
import { browserOrSkip, openBrowser } from '../helpers/browser.ts';
import { beginRun, NumbersLog } from './writeLog.ts';

it('brings rows that were lost on their way, though the run has nothing new', { timeout: 120_000 }, async (context) => {
  const browser = await openBrowser(browserOrSkip(context));
  const directory = mkdtempSync(join(tmpdir(), 'brink-broken-'));
  beginRun(directory);
  const log = new NumbersLog(directory, 'loss');
  log.add(50, (step) => step);
  log.close();
  const server = await serveWatch(directory);
  try {
    const page = await browser.newPage();
    let lost = 0;
    await page.route('**/data/**', (route) => (lost++ < 1 ? route.abort() : route.continue()));
    await page.goto(server.url);
    await expect
      .poll(() => page.locator('[data-panel=first-loss] .legend').textContent({ timeout: 1000 }).catch(String), {
        timeout: 20_000,
      })
      .toContain('at 49');
    expect(lost).toBeGreaterThan(1);
  } finally {
    await browser.close();
    await server.close();
    rmSync(directory, { recursive: true });
  }
});

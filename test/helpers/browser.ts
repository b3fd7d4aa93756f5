import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where a Chromium lies: Debian's first. */
const PLACES = [
  process.env.BRINK_BROWSER,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser that there is; undefined where there is none. */
export const browserPath = (places: readonly (string | undefined)[] = PLACES): string | undefined =>
  places.find((path) => path !== undefined && existsSync(path));

/**
 * The browser that tests look at pages with; without one the test is skipped, and says so. BRINK_REQUIRE_BROWSER=1
 * makes that a failure, BRINK_BROWSER names another one.
 */
export function browserOrSkip({ skip }: { skip(note: string): void }, places = PLACES): string {
  const path = browserPath(places);
  if (path !== undefined) return path;
  const missing = 'there is no Chromium (apt-get install chromium), or BRINK_BROWSER names none';
  if (process.env.BRINK_REQUIRE_BROWSER === '1') throw new Error(missing);
  skip(missing);
  return '';
}

/** Starts a browser without a window. */
export function openBrowser(executablePath: string): Promise<Browser> {
  // Root has no sandbox, and a container little shared memory.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

// Makes the pictures of docs/watch.md, of a run that is made for them. Usage: npx node docs/makeScreenshots.ts
// They need a Chromium: Debian's, or the one that BRINK_BROWSER names.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  alignment,
  digits,
  edge,
  empiricalRisk,
  gradientDescent,
  interactionAwareSharpness,
  lossPlane,
  lossSlice,
  meanSquaredError,
  mlp,
  planePath,
  record,
  run,
  spectralDensity,
  throttleSteps,
  toArrow,
  toParquet,
  topEigenvalues,
  trainingLoss,
} from 'brink';
import { type Browser, chromium, type Page } from 'playwright-core';
import { serveWatch } from '../src/watch/serveWatch.ts';
import { browserPath } from '../test/helpers/browser.ts';

const WIDTH = 1200;

/** A picture: its name, the page's colours, the part of it, and what is done before. */
interface Shot {
  readonly name: string;
  readonly scheme: 'light' | 'dark';
  readonly from: string;
  readonly to: string;
  readonly step: number;
}

/** What docs/watch.md shows. */
export const SHOTS: readonly Shot[] = [
  { name: 'first-light', scheme: 'light', from: '.top', to: '.recordings', step: 333 },
  { name: 'first-dark', scheme: 'dark', from: '.top', to: '.recordings', step: 333 },
  { name: 'snapshots-light', scheme: 'light', from: '.snapshots', to: '.snapshots', step: 300 },
  { name: 'snapshots-dark', scheme: 'dark', from: '.snapshots', to: '.snapshots', step: 300 },
];

/**
 * A network that learns 256 digits by full-batch gradient descent until it stands at the edge, with every kind of
 * table.
 */
async function makeRun(directory: string): Promise<void> {
  const model = mlp({ inputs: 64, hidden: [24, 24], outputs: 10, activation: 'tanh', weightScale: 0.8 });
  const objective = await empiricalRisk({ model, data: await digits({ train: 256 }), loss: meanSquaredError });
  const coordinates = Array.from({ length: 25 }, (_, k) => (k - 12) / 60);
  await run(
    gradientDescent(objective, { learningRate: 0.25, steps: 400, seed: 2 }),
    {
      loss: (s) => s.pipe(trainingLoss(), toArrow()),
      eigenvalues: (s) => s.pipe(throttleSteps(3), topEigenvalues({ count: 4, tolerance: 0.01 }), toParquet()),
      sharpness: (s) => s.pipe(interactionAwareSharpness(), toParquet()),
      edge: (s) => s.pipe(throttleSteps(3), edge(), toParquet()),
      alignment: (s) => s.pipe(throttleSteps(3), alignment(), toParquet()),
      slices: (s) => s.pipe(throttleSteps(20), lossSlice(), toParquet()),
      planes: (s) => s.pipe(throttleSteps(100), lossPlane({ coordinates }), toParquet()),
      path: (s) => s.pipe(planePath({ planeEvery: 100 }), toParquet()),
      spectrum: (s) => s.pipe(throttleSteps(100), spectralDensity({ steps: 60 }), toParquet()),
      recording: (s) => s.pipe(throttleSteps(10), record()),
    },
    { directory, overwrite: true, progress: false },
  );
}

/** Makes all pictures, as PNG, in a folder. @throws Error where there is no browser. */
export async function makeScreenshots(folder: string): Promise<void> {
  const executablePath = browserPath();
  if (executablePath === undefined) throw new Error('there is no Chromium; apt-get install chromium');
  mkdirSync(folder, { recursive: true });
  const parent = mkdtempSync(join(tmpdir(), 'brink-screenshots-'));
  // The page shows the folder as it was named.
  const before = process.cwd();
  process.chdir(parent);
  try {
    await makeRun(join('output', 'digits'));
    const server = await serveWatch(join('output', 'digits'));
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    try {
      for (const shot of SHOTS) await take(browser, server.url, shot, join(folder, `${shot.name}.png`));
    } finally {
      await browser.close();
      await server.close();
    }
  } finally {
    process.chdir(before);
    rmSync(parent, { recursive: true });
  }
}

async function take(browser: Browser, url: string, { scheme, from, to, step }: Shot, path: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 1000 }, colorScheme: scheme });
  await page.goto(url);
  await page.waitForSelector('html[data-ready=true]', { state: 'attached' });
  await page.evaluate(`brinkPage.point(${step})`);
  // Until what is drawn at the next frame is there.
  await page.waitForTimeout(500);
  const [top, bottom] = [await boxOf(page, from), await boxOf(page, to)];
  const clip = { x: 0, y: top.y, width: WIDTH, height: bottom.y + bottom.height - top.y + 12 };
  await page.screenshot({ path, clip, fullPage: true, animations: 'disabled' });
  await page.close();
}

async function boxOf(page: Page, selector: string) {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`there is no ${selector} on the page`);
  return box;
}

if (import.meta.main) await makeScreenshots(join(import.meta.dirname, 'watch'));

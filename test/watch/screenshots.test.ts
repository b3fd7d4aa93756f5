import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { expect, it } from 'vitest';
import { makeScreenshots, SHOTS } from '../../docs/makeScreenshots.ts';
import { browserOrSkip } from '../helpers/browser.ts';
import { everything } from '../helpers/everything.ts';

const docs = join(import.meta.dirname, '../../docs');

it.runIf(everything)(
  'shows in docs/watch.md the pictures that its script makes',
  { timeout: 300_000 },
  async (context) => {
    browserOrSkip(context);
    const page = readFileSync(join(docs, 'watch.md'), 'utf8');
    const named = [...page.matchAll(/watch\/([\w-]+\.png)/g)].map(([, name]) => name!).sort();
    expect(named).toEqual(SHOTS.map(({ name }) => `${name}.png`).sort());
    expect(readdirSync(join(docs, 'watch')).sort()).toEqual(named);

    const folder = mkdtempSync(join(tmpdir(), 'brink-shots-'));
    try {
      await makeScreenshots(folder);
      for (const name of named) {
        const [made, shown] = [folder, join(docs, 'watch')].map((where) => decode(readFileSync(join(where, name))));
        // Fonts differ from machine to machine, the page does not.
        expect(made!.width, name).toBe(shown!.width);
        expect(Math.abs(made!.height - shown!.height), name).toBeLessThan(0.1 * shown!.height);
        const colours = new Set<number>();
        for (let k = 0; k < made!.data.length; k += made!.channels) {
          colours.add((made!.data[k]! << 16) + (made!.data[k + 1]! << 8) + made!.data[k + 2]!);
        }
        expect(colours.size, name).toBeGreaterThan(100);
        // Dark on light, or light on dark.
        const ground = made!.data[0]!;
        expect(name.includes('dark') ? ground < 60 : ground > 200, name).toBe(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

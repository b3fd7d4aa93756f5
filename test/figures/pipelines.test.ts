import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gallery } from '../../docs/makeGallery.ts';
import { importFigure } from '../../src/figures/importFigure.ts';
import { makeFigure, verifyReport } from '../../src/index.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'pipelines/figures');
const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
const NAMES = [
  ...['1', '2', '3', '4', '5', '6', '10', '19', '20', '22', '23', '24', '25', '29', '31', '33', '34', '35', '36', '38'],
  ...['theorem1', 'twoLiteratures'],
];

let parent: string;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-figures-'));
});
afterAll(() => rmSync(parent, { recursive: true }));

describe('the figures of the paper', () => {
  it('are all there', async () => {
    const figures = await Promise.all(files.map((file) => importFigure(join(folder, file))));
    expect(figures.map(({ name }) => name).sort()).toEqual(NAMES.toSorted());
    for (const [i, { name }] of figures.entries()) expect(files[i]).toMatch(new RegExp(`^(figure)?${name}\\.ts$`));
  });

  it.each(files)(
    'runs at the scale of a test: %s',
    async (file) => {
      const made = await makeFigure(join(folder, file), { scale: 'smoke', directory: parent, progress: false });
      expect(made.claims.length).toBeGreaterThan(0);
      for (const { how, region_why, reason } of made.claims)
        for (const text of [how, region_why, reason]) expect(text).not.toBe('');
      const picture = readFileSync(join(made.directory, 'figure.svg'), 'utf8');
      expect(picture).toContain('role="img"');
      expect(Buffer.byteLength(picture)).toBeLessThan(300_000);
      expect((await verifyReport(join(made.directory, 'report.html'))).problems).toEqual([]);
    },
    120_000,
  );

  it('are in the gallery as their tables have them', async () => {
    const advice = 'make it anew: npx node docs/makeGallery.ts';
    expect(readFileSync(join(root, 'docs/figures.md'), 'utf8'), advice).toBe(await gallery());
    const shown = readdirSync(join(root, 'docs/figures'));
    for (const name of NAMES) expect(shown).toContain(`${name}-laptop`);
  });
});

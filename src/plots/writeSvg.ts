import { dirname, resolve } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { makeFolders } from '../files/makeFolders.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { writeWhole } from '../files/WholeFile.ts';
import { toSvg } from './toSvg.ts';

/**
 * Draws a Vega-Lite specification as an SVG file, without a browser.
 *
 * The same specification draws itself in a page by vega-embed, and in Python by `altair.Chart.from_dict`.
 *
 * @param spec The specification, its data inline, with a description.
 * @param path Where the file goes; its folder is made.
 * @throws BrinkError where it has no description, or the file can't be written; what stood there before stays.
 * @example
 * import { readFileSync } from 'node:fs';
 * import { chart, rule, writeSvg } from 'brink';
 *
 * const spec = chart({
 *   description: 'The edge of stability.',
 *   x: { title: 'step t', domain: [0, 100] },
 *   y: { title: 'λ₁' },
 *   layers: [rule({ name: '2/η', y: 10 })],
 * });
 * await writeSvg(spec, 'output/edge.svg');
 * console.log(readFileSync('output/edge.svg', 'utf8').endsWith('</svg>\n')); // true
 * @see toSvg
 */
export async function writeSvg(spec: TopLevelSpec, path: string): Promise<void> {
  const svg = await toSvg(spec);
  sayingWhy('writeSvg', `${path} can't be written`, 'Name a file that can.', () => {
    makeFolders(dirname(resolve(path)));
    writeWhole(path, `${svg}\n`);
  });
}

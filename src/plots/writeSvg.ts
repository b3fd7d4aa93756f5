import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { toSvg } from './toSvg.ts';

/**
 * Draws a Vega-Lite specification as an SVG file, without a browser.
 *
 * The same specification draws itself in a page by vega-embed, and in Python by `altair.Chart.from_dict`.
 *
 * @param spec The specification, its data inline, with a description.
 * @param path Where the file goes; its folder is made.
 * @throws BrinkError where it has no description; Error of the file system where it cannot be written.
 * @see toSvg
 */
export async function writeSvg(spec: TopLevelSpec, path: string): Promise<void> {
  const svg = await toSvg(spec);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${svg}\n`);
}

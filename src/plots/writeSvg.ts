import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';

/**
 * Draws a Vega-Lite specification as an SVG file, without a browser.
 *
 * The same specification draws itself in a page by vega-embed, and in Python by `altair.Chart.from_dict`.
 *
 * @param spec The specification, its data inline.
 * @param path Where the file goes; its folder is made.
 * @throws Error of the file system where it cannot be written.
 */
export async function writeSvg(spec: TopLevelSpec, path: string): Promise<void> {
  // Loaded where something is drawn: they take longer to load than all of brink.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${svg}\n`);
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const PAGE = join(import.meta.dirname, 'page');
/** What is bundled with the page, whose licences ask to be kept with it. */
const LIBRARIES = ['uplot', '@uwdata/flechette', 'hyparquet'] as const;

/** Makes the page's scripts of their sources, and its style, each in one file. Needs the packages of a clone. */
export async function bundlePage(): Promise<Readonly<Record<'page.js' | 'worker.js' | 'page.css', string>>> {
  const { rolldown } = await import('rolldown');
  const script = async (name: string, format: 'es' | 'iife') => {
    const bundle = await rolldown({ input: join(PAGE, name), platform: 'browser', logLevel: 'warn' });
    try {
      const { output } = await bundle.generate({ format, minify: true });
      return `${licences()}${output[0].code}`;
    } finally {
      await bundle.close();
    }
  };
  const [page, worker] = await Promise.all([script('main.ts', 'es'), script('worker.ts', 'iife')]);
  const uplot = readFileSync(join(folderOf('uplot'), 'dist', 'uPlot.min.css'), 'utf8');
  const style = `${uplot}\n${readFileSync(join(PAGE, 'page.css'), 'utf8')}`;
  return { 'page.js': page, 'worker.js': worker, 'page.css': style };
}

/** The licences of what is bundled, as a comment. */
function licences(): string {
  const texts = LIBRARIES.map((name) => `${name}\n\n${readFileSync(join(folderOf(name), 'LICENSE'), 'utf8').trim()}`);
  return `/*!\n${texts.join('\n\n')}\n*/\n`.replaceAll('*/\n\n', '* /\n\n');
}

/** Where a package lies. */
function folderOf(name: string): string {
  for (const place of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const folder = join(place, name);
    try {
      readFileSync(join(folder, 'package.json'));
      return folder;
    } catch {
      // It lies in one of the folders above.
    }
  }
  throw new Error(`the package ${name} is not installed below ${dirname(PAGE)}; run npm ci`);
}

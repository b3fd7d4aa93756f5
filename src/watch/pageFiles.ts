import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

const PAGE = join(import.meta.dirname, 'page');

/**
 * The files of the page, by their addresses: its script, the worker's, its style.
 *
 * In a package they lie beside this file, as the build has made them; in a clone they are made now.
 */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const built = (name: string) => readFileSync(join(PAGE, name), 'utf8');
  const isBuilt = existsSync(join(PAGE, 'page.js'));
  const scripts = isBuilt
    ? { 'page.js': built('page.js'), 'worker.js': built('worker.js'), 'page.css': built('page.css') }
    : await (await import('./bundlePage.ts')).bundlePage();
  const type = (name: string) => (name.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8');
  return new Map(Object.entries(scripts).map(([name, text]) => [`/${name}`, { type: type(name), text }]));
}

/** The page itself, which its scripts fill. */
export function pageHtml(): string {
  return pageAround(
    '<link rel="stylesheet" href="/page.css"><link rel="icon" href="data:,">',
    '<script type="module" src="/page.js"></script>',
  );
}

/** A page with these things in its head and at its end. */
export function pageAround(head: string, end: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>brink</title>${head}</head>
<body><noscript>This page needs JavaScript.</noscript>
${end}
</body>
</html>
`;
}

/** Puts the live page, bundled, where a package has it: `npm run build` calls this. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePage } from '../src/watch/bundlePage.ts';

const folder = join(import.meta.dirname, '..', 'dist', 'watch', 'page');
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(await bundlePage())) writeFileSync(join(folder, name), text);

/**
 * What package.json says where the sources are, and what it says in a package: `manifest.ts pack|unpack`, called by
 * `npm pack`.
 *
 * Within this repository `brink` is src, which Node runs as it is; it runs no TypeScript below node_modules, so that
 * in a package `brink` is dist. npm packs the file that lies there, so it is exchanged for as long as that takes.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NEEDED_NODE } from '../src/core/neededNode.ts';

const MANIFEST = join(import.meta.dirname, '..', 'package.json');
const SOURCE = `${MANIFEST}.source`;

const task = process.argv[2];
// Also where an earlier `npm pack` was cut off.
if (existsSync(SOURCE)) renameSync(SOURCE, MANIFEST);
if (task === 'pack') {
  const text = readFileSync(MANIFEST, 'utf8');
  // Whoever installs the package runs none of its scripts and develops nothing.
  const { scripts: _scripts, devDependencies: _development, allowScripts: _policy, ...manifest } = JSON.parse(text);
  // The Node.js that runs the scripts here.
  const isNode = ([name]: [string, unknown]) => /^node-(bin-)?(linux|darwin)-/.test(name);
  const optionalDependencies = Object.entries(manifest.optionalDependencies).filter((entry) => !isNode(entry));
  const built = (file: string) => file.replace('src/', 'dist/').replace(/\.ts$/, '.js');
  const packed = {
    ...manifest,
    // npm would warn here too, where an older Node.js has to do no more than bring a newer one.
    engines: { node: `>=${NEEDED_NODE}` },
    optionalDependencies: Object.fromEntries(optionalDependencies),
    exports: {
      '.': { types: built(manifest.exports['.']).replace(/js$/, 'd.ts'), default: built(manifest.exports['.']) },
    },
    bin: { brink: built(manifest.bin.brink) },
  };
  writeFileSync(SOURCE, text);
  writeFileSync(MANIFEST, `${JSON.stringify(packed, null, 2)}\n`);
}

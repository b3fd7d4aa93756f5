/**
 * Makes a clone ready once npm has brought its packages: `npm ci` and `npm install` call it.
 *
 * It puts the Node.js among them where scripts and npx find it, and makes the native engine with that. In JavaScript,
 * since the Node.js that runs this may be older.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const own = join(bin, 'node');

// npm 10 takes the link away with those of the packages for other platforms, which it drops.
const packages = ['node', 'node-bin'].map((name) => `${name}-${process.platform}-${process.arch}`);
const found = packages.find((name) => existsSync(join(root, 'node_modules', name)));
if (found && !existsSync(own)) {
  mkdirSync(bin, { recursive: true });
  symlinkSync(join('..', found, 'bin', 'node'), own);
}

if (!existsSync(own) && !process.features.typescript) {
  // The one that npm brings is optional, since there is none for some platforms.
  const isLeftOut = (process.env.npm_config_omit ?? '').split(/[\s,]+/).includes('optional');
  const remedy = isLeftOut
    ? 'It was told to leave optional packages out: run `npm ci` without that, or install'
    : 'Install';
  console.log(`brink: this is Node.js ${process.version}, and npm has brought no newer one. ${remedy} 22.18 or newer.`);
} else {
  const node = existsSync(own) ? own : process.execPath;
  const { status } = spawnSync(node, [join(root, 'src/engine/install/prepare.ts')], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The release of TensorFlow whose library the native engine stands on. */
export const TENSORFLOW = '2.21.0';

/** For the processor alone, or for CUDA too. */
export type NativeVariant = 'cpu' | 'cuda';

/** Where the C++ sources of the binding lie, in the npm package that carries them. */
export function bindingSources(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'binding');
}

/**
 * The folder in the user's cache that holds a native engine, whether or not it is there: named after all that it is made
 * from, so that another release or another binding never finds an old one.
 */
export function nativeFolder(variant: NativeVariant): string {
  const hash = createHash('sha256');
  const sources = bindingSources();
  for (const file of readdirSync(sources).sort()) hash.update(file).update(readFileSync(join(sources, file)));
  const key = `tensorflow-${TENSORFLOW}-${variant}-${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 12)}`;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'brink', 'engine', key);
}

/** The compiled binding within such a folder. */
export const bindingIn = (folder: string): string => join(folder, 'tfjs_binding.node');

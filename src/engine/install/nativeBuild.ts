import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a native build computes on. */
export type Flavour = 'cpu' | 'cuda';

/** Where one native build of TensorFlow belongs in the user's cache, and what it is made from. */
export interface NativeBuild {
  readonly flavour: Flavour;
  /** The finished build: the binding, with TensorFlow's libraries beside it. */
  readonly folder: string;
  /** The Node addon within `folder`. */
  readonly binding: string;
  /** The addon within `folder` that loads TensorFlow's library without its announcements. */
  readonly quietLoad: string;
  /** Whether the build is there: a build is made elsewhere and renamed, so that what is there is whole. */
  readonly installed: boolean;
  /** The hash-pinned wheels. */
  readonly requirements: string;
  /** The C++ sources of the binding, and the one of `quietLoad`. */
  readonly sources: readonly string[];
  readonly quietSource: string;
}

/** The version of TensorFlow whose libraries the native engine uses. */
const TENSORFLOW_VERSION = '2.21.0';

const require = createRequire(import.meta.url);

/** The folder of an installed npm package. */
export function packageFolder(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

/** The native build of a flavour: the same inputs give the same folder, so that every clone shares it. */
export function nativeBuild(flavour: Flavour): NativeBuild {
  const bindingSources = join(packageFolder('@tensorflow/tfjs-node-gpu'), 'binding');
  const sources = readdirSync(bindingSources)
    .sort()
    .map((name) => join(bindingSources, name));
  const requirements = join(import.meta.dirname, `${flavour}.requirements.txt`);
  const quietSource = join(import.meta.dirname, 'quietLoad.cc');
  const hash = createHash('sha256');
  for (const file of [...sources, quietSource, requirements]) hash.update(readFileSync(file));
  const platform = `${process.platform}-${process.arch}`;
  const key = `tensorflow-${TENSORFLOW_VERSION}-${platform}-${flavour}-${hash.digest('hex').slice(0, 12)}`;

  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'brink', 'engine', key);
  return {
    flavour,
    folder,
    binding: join(folder, 'tfjs_binding.node'),
    quietLoad: join(folder, 'quietLoad.node'),
    installed: existsSync(folder),
    requirements,
    sources: sources.filter((file) => file.endsWith('.cc')),
    quietSource,
  };
}

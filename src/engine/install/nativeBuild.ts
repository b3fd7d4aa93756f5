import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cacheFolder } from './makeFolder.ts';
import { type Flavour, recipeFor } from './recipes.ts';

/** Where one native build of TensorFlow belongs in the user's cache, and what it is made from. */
export interface NativeBuild {
  readonly flavour: Flavour;
  /** The finished build: the binding, with TensorFlow's libraries beside it. */
  readonly folder: string;
  /** The Node addon within `folder`. */
  readonly binding: string;
  /** The addon within `folder` that loads TensorFlow's library without its announcements. */
  readonly quietLoad: string;
  /** The addon within `folder` that runs whole graphs. */
  readonly graphSession: string;
  /** Whether the build is there: a build is made elsewhere and renamed, so that what is there is whole. */
  readonly installed: boolean;
  /** The hash-pinned wheels. */
  readonly requirements: string;
  /** The C++ sources of the binding, and those of `quietLoad` and `graphSession`. */
  readonly sources: readonly string[];
  readonly quietSource: string;
  readonly graphSource: string;
}

/** The version of TensorFlow whose libraries the native engine uses. */
const TENSORFLOW_VERSION = '2.21.0';

/** The npm package whose sources the binding is compiled from; npm leaves it out where it can't install it. */
export const BINDING = '@tensorflow/tfjs-node-gpu';

const require = createRequire(import.meta.url);

/** The folder of an installed npm package. */
export function packageFolder(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

export function hasPackage(name: string): boolean {
  try {
    packageFolder(name);
    return true;
  } catch {
    return false;
  }
}

/** The native build of a flavour, where it is there. */
export function installedBuild(flavour: Flavour): NativeBuild | undefined {
  const build = hasPackage(BINDING) ? nativeBuild(flavour) : undefined;
  return build?.installed ? build : undefined;
}

/** The native build of a flavour: the same inputs give the same folder, so that every clone shares it. */
export function nativeBuild(flavour: Flavour): NativeBuild {
  const bindingSources = join(packageFolder(BINDING), 'binding');
  const sources = readdirSync(bindingSources)
    .sort()
    .map((name) => join(bindingSources, name));
  const requirements = join(import.meta.dirname, recipeFor(flavour)?.requirements ?? `${flavour}.requirements.txt`);
  const quietSource = join(import.meta.dirname, 'quietLoad.cc');
  const graphSource = join(import.meta.dirname, 'graphSession.cc');
  const hash = createHash('sha256');
  for (const file of [...sources, quietSource, graphSource, requirements]) hash.update(readFileSync(file));
  const platform = `${process.platform}-${process.arch}`;
  const key = `tensorflow-${TENSORFLOW_VERSION}-${platform}-${flavour}-${hash.digest('hex').slice(0, 12)}`;

  const folder = cacheFolder('engine', key);
  return {
    flavour,
    folder,
    binding: join(folder, 'tfjs_binding.node'),
    quietLoad: join(folder, 'quietLoad.node'),
    graphSession: join(folder, 'graphSession.node'),
    installed: existsSync(folder),
    requirements,
    sources: sources.filter((file) => file.endsWith('.cc')),
    quietSource,
    graphSource,
  };
}

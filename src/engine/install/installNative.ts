import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { BrinkError } from '../../core/errors.ts';
import { makeFolder } from './makeFolder.ts';
import { BINDING, hasPackage, nativeBuild, packageFolder } from './nativeBuild.ts';
import { type Flavour, INSTEAD, type Recipe, recipeFor } from './recipes.ts';

export interface InstallOptions {
  /** With CUDA's libraries, about 3 GB; default false. */
  readonly cuda?: boolean;
  /** Gets a line at each stage. */
  readonly log?: (line: string) => void;
}

const WHO = 'brink engine install';
/** The wheels' own tag: which Python runs pip does not matter, since only libraries are taken out of them. */
const PYTHON = '311';

/** Takes the libraries, the C headers and, with CUDA, NVIDIA's files out of the wheels in a folder. */
const UNPACK = `
import pathlib, sys, zipfile
wanted = (
    'tensorflow/libtensorflow_',
    'tensorflow/include/tensorflow/c/',
    'tensorflow/include/tensorflow/core/platform/',
    'tensorflow/include/tsl/platform/',
    'tensorflow/include/xla/tsl/c/',
    'nvidia/',
)
for wheel in pathlib.Path(sys.argv[1]).glob('*.whl'):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if entry.filename.startswith(wanted):
                path = archive.extract(entry, sys.argv[2])
                if entry.external_attr >> 16 & 0o100:  # zipfile forgets which files are programs
                    pathlib.Path(path).chmod(0o755)
    wheel.unlink()
`;

/**
 * Makes the native engine in the user's cache folder: TensorFlow's C library out of its Python wheel, and the binding
 * of `@tensorflow/tfjs-node-gpu` and brink's own addons compiled against it.
 *
 * The wheels are pinned by hash. The engine gets its folder once it has loaded. With `cuda`, NVIDIA's wheels are laid
 * out beside TensorFlow's library, where it looks for them. `recipes.ts` has what differs between platforms.
 *
 * @returns The folder, and whether it was made just now.
 * @throws BrinkError where the platform has no wheel, a tool or the npm package is missing, or a stage fails, with the
 *   stage's own words.
 */
export async function installNative({
  cuda = false,
  log = () => {},
}: InstallOptions = {}): Promise<{ folder: string; made: boolean }> {
  if (!hasPackage(BINDING)) {
    const sentence = `the npm package ${BINDING} is missing, which \`npm ci\` brings. ${INSTEAD}`;
    throw new BrinkError(WHO, sentence);
  }
  const flavour: Flavour = cuda ? 'cuda' : 'cpu';
  const build = nativeBuild(flavour);
  const { folder, installed, binding, requirements } = build;
  if (installed) return { folder, made: false };
  const recipe = requireRecipe(flavour);

  await makeFolder(folder, async (temporary) => {
    const wheels = join(temporary, 'wheels');
    log(`downloading ${recipe.download} …`);
    const platforms = recipe.platforms.flatMap((platform) => ['--platform', platform]);
    const pinned = [
      '--no-deps',
      '--only-binary=:all:',
      '--require-hashes',
      '--implementation',
      'cp',
      '--python-version',
      PYTHON,
    ];
    await tool(
      'python3',
      [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--disable-pip-version-check',
        '--no-cache-dir',
        ...pinned,
        ...platforms,
        '-r',
        requirements,
        '-d',
        wheels,
      ],
      temporary,
    );
    log('unpacking it …');
    await tool('python3', ['-c', UNPACK, wheels, temporary]);
    rmSync(wheels, { recursive: true });
    log('compiling the binding …');
    const libraries = join(temporary, 'tensorflow');
    const headers = [join(libraries, 'include'), join(packageFolder('node-api-headers'), 'include')];
    const compile = (target: string, ...rest: readonly string[]) =>
      tool(compilerOf(recipe), [
        ...['-std=c++17', '-O2', '-fPIC', '-shared', '-pthread', '-DNAPI_VERSION=8'],
        ...headers.map((header) => `-I${header}`),
        ...['-o', join(temporary, basename(target)), ...rest],
      ]);
    const linked = [...recipe.libraries.map((library) => join(libraries, library)), ...recipe.link];
    const [, ...unresolved] = recipe.link;
    await compile(build.quietLoad, build.quietSource, '-ldl', ...unresolved);
    await compile(build.graphSession, build.graphSource, ...linked);
    await compile(binding, ...build.sources, ...linked);
    rmSync(join(libraries, 'include'), { recursive: true });
    log('loading it once …');
    await tool(process.execPath, ['-e', 'require(process.argv[1])', join(temporary, basename(binding))]);
  });
  return { folder, made: true };
}

const compilerOf = ({ compiler }: Recipe) => process.env.CXX || compiler;

/** The recipe for this machine; throws one sentence where there is none, or what no stage can do without is missing. */
function requireRecipe(flavour: Flavour): Recipe {
  const recipe = recipeFor(flavour);
  if (recipe === undefined) {
    throw new BrinkError(WHO, `there is no ${flavour} build for ${process.platform} on ${process.arch}. ${INSTEAD}`);
  }
  const compiler = compilerOf(recipe);
  const works = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  const missing = [
    ...(works('python3', '-m', 'pip', '--version') ? [] : ['Python 3 with pip']),
    ...(works(compiler, '--version') ? [] : [`a C++ compiler (${compiler})`]),
  ];
  if (missing.length > 0) {
    const are = missing.length > 1 ? 'are' : 'is';
    throw new BrinkError(WHO, `${missing.join(' and ')} ${are} missing, which the native engine needs. ${INSTEAD}`);
  }
  return recipe;
}

/** Runs a tool to its end, with `scratch` for its temporary files; throws with what it said where it fails. */
async function tool(command: string, args: readonly string[], scratch = tmpdir()): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: scratch } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-4000);
    });
  }
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (code === 0) return;
  const name = args[0] === '-m' ? `${basename(command)} ${args[1]}` : basename(command);
  throw new BrinkError(WHO, `${name} failed with ${code}:\n${said.trim()}\n${INSTEAD}`);
}

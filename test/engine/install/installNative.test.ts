import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BINDING, hasPackage } from '../../../src/engine/install/nativeBuild.ts';

const root = join(import.meta.dirname, '../../..');
const PREPARE = ['src/engine/install/prepare.ts'];
const BY_HAND = ['src/cli/brink.ts', 'engine', 'install'];

/** Stand-ins for the tools, by what they are asked: the real ones download 270 MB. */
const pip = (download: string) => `#!/bin/sh
case "$*" in
  *--version*) exit 0 ;;
  *download*) ${download} ;;
  -c*) for target; do :; done; mkdir -p "$target/tensorflow/include" ;;
esac`;
const DOWNLOADS = 'for target; do :; done; mkdir "$target"';
/** Gives out a library that Node can load as the compiled one. */
const COMPILES = `#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = -o ] && ln -s '${join(root, addon())}' "$2"; shift; done`;

function addon(): string {
  const found = globSync('node_modules/@duckdb/node-bindings-*/duckdb.node', { cwd: root })[0];
  if (!found) throw new Error('there is no addon in node_modules to stand in for the compiled one');
  return found;
}

describe('installNative', () => {
  let folder: string;
  let tools: string;
  const builds = () => (existsSync(join(folder, 'brink/engine')) ? readdirSync(join(folder, 'brink/engine')) : []);

  beforeEach(({ skip }) => {
    if (!hasPackage(BINDING)) skip(`npm left out ${BINDING}`);
    folder = mkdtempSync(join(tmpdir(), 'brink-'));
    tools = join(folder, 'bin');
    mkdirSync(tools);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function addTool(name: string, script: string): void {
    writeFileSync(join(tools, name), script);
    chmodSync(join(tools, name), 0o755);
  }

  /** Starts a program in a process group of its own, with only the stand-ins, and the system's tools if `system`. */
  function start(program: readonly string[], system = true, more: NodeJS.ProcessEnv = {}) {
    const env = { ...more, PATH: system ? `${tools}:/usr/bin:/bin` : tools, XDG_CACHE_HOME: folder };
    const child = spawn(process.execPath, program, { cwd: root, env, detached: true });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
      child.on('close', (code) => resolve({ code, said })),
    );
    return { ended, kill: () => process.kill(-child.pid!, 'SIGKILL') };
  }

  it('says in a sentence what is missing and what it costs; set-up goes on, by hand it fails', async () => {
    const sentence =
      'brink engine install: Python 3 with pip and a C++ compiler (g++) are missing, which the native engine needs. ' +
      'WebGPU serves instead where there is a GPU, else WebAssembly.';
    const prepared = await start(PREPARE, false).ended;
    expect(prepared).toEqual({
      code: 0,
      said: `brink: ${sentence}\nbrink: \`npx brink engine install\` tries again.\n`,
    });
    expect(await start(BY_HAND, false).ended).toEqual({ code: 1, said: `${sentence}\n` });
  });

  it('names pip alone where there is a Python without it', async () => {
    addTool('python3', '#!/bin/sh\nexit 1');
    addTool('g++', '#!/bin/sh');
    expect((await start(BY_HAND, false).ended).said).toContain(': Python 3 with pip is missing, which');
  });

  it('reports what pip said where the download fails, and leaves nothing behind', async () => {
    addTool('python3', pip('echo "no route to the registry" >&2; exit 1'));
    addTool('g++', COMPILES);
    const { code, said } = await start(BY_HAND).ended;
    expect(code).toBe(1);
    expect(said).toContain(
      'brink engine install: python3 pip failed with 1:\nno route to the registry\nWebGPU serves instead where there ' +
        'is a GPU, else WebAssembly.\n',
    );
    expect(builds()).toEqual([]);
  });

  it('leaves nothing that is taken for whole when it is killed midway, and clears it away next time', async () => {
    addTool('python3', pip(`${DOWNLOADS}; sleep 60`));
    addTool('g++', COMPILES);
    const cutOff = start(BY_HAND);
    await vi.waitFor(() => expect(builds()).toEqual([expect.stringMatching(/\.tmp$/)]), { timeout: 20_000 });
    cutOff.kill();
    await cutOff.ended;

    addTool('python3', pip(DOWNLOADS));
    const { code, said } = await start(BY_HAND).ended;
    expect(said).toMatch(/\ninstalled: /);
    expect(code).toBe(0);
    expect(builds()).toEqual([expect.stringMatching(/-cpu-[0-9a-f]{12}$/)]);
    expect((await start(BY_HAND).ended).said).toMatch(/^there already: /);
  });

  it('gives one whole build when two run at once', async () => {
    addTool('python3', pip(`${DOWNLOADS}; sleep 1`));
    addTool('g++', COMPILES);
    const both = await Promise.all([start(BY_HAND).ended, start(BY_HAND).ended]);
    expect(both.map(({ code, said }) => ({ code, said: said.split('\n').at(-2) }))).toEqual(
      Array(2).fill({ code: 0, said: expect.stringMatching(/^installed: /) }),
    );
    expect(builds()).toEqual([expect.stringMatching(/-cpu-[0-9a-f]{12}$/)]);
  });

  /** Lets Node.js say that it runs elsewhere. */
  const elsewhere = (platform: string, arch: string) => {
    const set = (name: string, value: string) => `Object.defineProperty(process,'${name}',{value:'${value}'});`;
    const source = encodeURIComponent(set('platform', platform) + set('arch', arch)).replaceAll("'", '%27');
    return { NODE_OPTIONS: `--import=data:text/javascript,${source}` };
  };
  /** Notes what a stand-in was asked. */
  const noted = (name: string, script: string) =>
    script.replace('#!/bin/sh', `#!/bin/sh\necho "$*" >> '${join(folder, name)}'`);
  const asked = (name: string) => readFileSync(join(folder, name), 'utf8').trim().split('\n');

  it.each([
    {
      platform: 'darwin',
      arch: 'arm64',
      compiler: 'clang++',
      wheel: '--platform macosx_12_0_arm64 -r .*/macos.requirements.txt',
      link: 'libtensorflow_cc.2.dylib .*libtensorflow_framework.2.dylib -Wl,-rpath,@loader_path/tensorflow -undefined',
    },
    {
      platform: 'linux',
      arch: 'arm64',
      compiler: 'g++',
      wheel: '--platform manylinux_2_27_aarch64 .* -r .*/cpu.requirements.txt',
      link: 'libtensorflow_cc.so.2 .*libtensorflow_framework.so.2 -Wl,-rpath,\\$ORIGIN/tensorflow',
    },
  ])('asks for the wheel of $platform on $arch, and links its libraries by $compiler', async (recipe) => {
    addTool('python3', noted('pip', pip(DOWNLOADS)));
    addTool(recipe.compiler, noted('compiler', COMPILES));
    const { code, said } = await start(BY_HAND, true, elsewhere(recipe.platform, recipe.arch)).ended;
    expect(said).toMatch(/\ninstalled: /);
    expect(code).toBe(0);
    expect(asked('pip').find((line) => line.includes('download'))).toMatch(new RegExp(recipe.wheel));
    const [, quiet, graphs, binding] = asked('compiler');
    expect(quiet).toMatch(/-o .+quietLoad.node .+quietLoad.cc -ldl/);
    expect(graphs).toMatch(new RegExp(`graphSession.node .*${recipe.link}`));
    expect(binding).toMatch(new RegExp(`tfjs_binding.node .*${recipe.link}`));
    expect(builds()).toEqual([expect.stringContaining(`-${recipe.platform}-${recipe.arch}-cpu-`)]);
  });

  /** Opens what a run would take. */
  const OPEN = [
    '--input-type=module',
    '-e',
    "console.log((await (await import('./src/engine/openEngine.ts')).openEngine()).name)",
  ];

  it.each([
    ['darwin', 'arm64', 'clang++'],
    ['linux', 'arm64', 'g++'],
  ])(
    'goes on by WebAssembly where the wheel is missing, or %s on %s has a %s that fails',
    { timeout: 120_000 },
    async (...where) => {
      const [platform, arch, compiler] = where;
      const env = elsewhere(platform, arch);
      const instead = 'WebGPU serves instead where there is a GPU, else WebAssembly.';
      const again = 'brink: `npx brink engine install` tries again.';
      addTool('python3', pip('echo "ERROR: No matching distribution found for tensorflow==2.21.0" >&2; exit 1'));
      addTool(compiler, COMPILES);
      const withoutWheel = await start(PREPARE, true, env).ended;
      expect(withoutWheel.code).toBe(0);
      expect(withoutWheel.said).toContain(
        'brink: brink engine install: python3 pip failed with 1:\n' +
          `ERROR: No matching distribution found for tensorflow==2.21.0\n${instead}\n${again}\n`,
      );
      expect(builds()).toEqual([]);

      addTool('python3', pip(DOWNLOADS));
      const header = "fatal error: 'tensorflow/c/c_api.h' file not found";
      // The first of three programs needs nothing of TensorFlow.
      addTool(
        compiler,
        COMPILES.replace('\n', `\ncase "$*" in *graphSession*) echo "${header}" >&2; exit 1 ;; esac\n`),
      );
      const uncompiled = await start(PREPARE, true, env).ended;
      expect(uncompiled.code).toBe(0);
      const failed = `brink: brink engine install: ${compiler} failed with 1:\n${header}\n${instead}\n${again}\n`;
      expect(uncompiled.said).toContain(failed);
      expect(builds()).toEqual([]);
      expect((await start(BY_HAND, true, env).ended).code).toBe(1);

      const { code, said } = await start(OPEN, true, env).ended;
      expect(said).toMatch(/^wasm$/m);
      expect(said).toContain(
        "BrinkWarning: openEngine: the engine tensorflow can't load: it is not installed. `npx brink engine install` " +
          "makes it. The engine webgpu can't load: ",
      );
      expect(code).toBe(0);
    },
  );

  it('does not send anybody to install what there is no build of', { timeout: 120_000 }, async () => {
    const env = elsewhere('darwin', 'x64');
    const { said } = await start(OPEN, true, env).ended;
    expect(said).toContain(
      "the engine tensorflow can't load: there is no build for darwin on x64. WebGPU serves instead where there is a " +
        "GPU, else WebAssembly. The engine webgpu can't load: ",
    );
    expect(said).toMatch(/^wasm$/m);
    const named = await start(OPEN, true, { ...env, BRINK_ENGINE: 'tensorflow' }).ended;
    expect(named.said).toContain("the engine tensorflow can't load: there is no build for darwin on x64.");
    expect(named.code).toBe(1);
  });

  it.each([
    ['win32', 'x64', BY_HAND, 'cpu'],
    ['darwin', 'x64', BY_HAND, 'cpu'],
    ['linux', 'arm64', [...BY_HAND, '--cuda'], 'cuda'],
  ])('says what serves instead where there is no build: %s on %s', async (platform, arch, command, flavour) => {
    const { code, said } = await start(command, true, elsewhere(platform, arch)).ended;
    expect(said).toBe(
      `brink engine install: there is no ${flavour} build for ${platform} on ${arch}. ` +
        'WebGPU serves instead where there is a GPU, else WebAssembly.\n',
    );
    expect(code).toBe(1);
  });
});

/** What a native build computes on. */
export type Flavour = 'cpu' | 'cuda';

/** What follows where the native engine is not made. */
export const INSTEAD = 'WebGPU serves instead where there is a GPU, else WebAssembly.';

/** How the native engine is made on one platform: the wheels, and what the compiler is told. */
export interface Recipe {
  /** The file of hash-pinned wheels, and what pip calls the platforms that they may be for. */
  readonly requirements: string;
  readonly platforms: readonly string[];
  /** What is downloaded, in words. */
  readonly download: string;
  readonly compiler: string;
  /** TensorFlow's two libraries, and what the linker is told beside them. */
  readonly libraries: readonly [string, string];
  readonly link: readonly string[];
}

const manylinux = (machine: string) =>
  ['2_28', '2_27', '2_24', '2_17', '2_12', '2_5'].map((version) => `manylinux_${version}_${machine}`);

const LINUX = {
  compiler: 'g++',
  libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
  link: ['-Wl,-rpath,$ORIGIN/tensorflow'],
} as const;
const CPU = { requirements: 'cpu.requirements.txt', download: "TensorFlow's library (270 MB; 800 MB unpacked)" };

/** By platform, processor and flavour. Run so far: linux-x64-cpu. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  'linux-x64-cpu': { ...LINUX, ...CPU, platforms: manylinux('x86_64') },
  'linux-arm64-cpu': { ...LINUX, ...CPU, platforms: manylinux('aarch64') },
  'linux-x64-cuda': {
    ...LINUX,
    requirements: 'cuda.requirements.txt',
    platforms: manylinux('x86_64'),
    download: "TensorFlow's library and CUDA (about 3 GB)",
  },
  'darwin-arm64-cpu': {
    requirements: 'macos.requirements.txt',
    platforms: ['macosx_12_0_arm64'],
    download: "TensorFlow's library (220 MB; 740 MB unpacked)",
    compiler: 'clang++',
    libraries: ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
    // What Node.js itself gives an addon is found when it is loaded.
    link: ['-Wl,-rpath,@loader_path/tensorflow', '-undefined', 'dynamic_lookup'],
  },
};

/** The recipe for this machine, if there is one. */
export function recipeFor(flavour: Flavour): Recipe | undefined {
  return RECIPES[`${process.platform}-${process.arch}-${flavour}`];
}

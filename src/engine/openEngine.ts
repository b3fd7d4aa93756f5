import * as tf from '@tensorflow/tfjs';
import { BrinkError } from '../core/errors.ts';

/** `tensorflow`: TensorFlow's C library, on a GPU or the CPU; `wasm`: WebAssembly; `cpu`: plain JavaScript, slow, for tests. */
export const ENGINE_NAMES = ['tensorflow', 'wasm', 'cpu'] as const;

/** The name of an engine. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** The engine that this process computes with. */
export interface Engine {
  readonly name: EngineName;
  /** What it runs on: `CPU, 2 threads`, `GPU NVIDIA H100`. */
  readonly device: string;
  /** The version of the library behind it. */
  readonly version: string;
}

const WHO = 'openEngine';

type Loaded = Pick<Engine, 'device' | 'version'>;

/** Makes each engine's backend known to TensorFlow.js, and says what it is. The code comes with the first engine that is opened. */
const load: Record<EngineName, () => Loaded | Promise<Loaded>> = {
  tensorflow: async () => (await import('./kernels/native/native.ts')).loadNative(),
  wasm: async () => {
    const { openSharedBackend } = await import('./kernels/wasm/sharedBackend.ts');
    const { version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
    const backend = await openSharedBackend();
    const { count } = backend.threads;
    // Importing the package registered its own, which has no threads here.
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', () => backend);
    return {
      device: `CPU, ${count} ${count === 1 ? 'thread' : 'threads'}`,
      version: `TensorFlow.js ${version_wasm} WebAssembly`,
    };
  },
  cpu: () => ({ device: 'CPU, 1 thread', version: `TensorFlow.js ${tf.version['tfjs-backend-cpu']} JavaScript` }),
};

let opening: Promise<Engine> | undefined;

/**
 * Opens the engine that computes tensors, once for the process, with exact second derivatives.
 *
 * Without a name: `tensorflow`, else `wasm` with a warning that says why. Float32 on every engine; two engines agree to
 * rounding, one engine on one machine repeats its bits.
 *
 * @param name `tensorflow`, `wasm` or `cpu`. Default: the environment variable BRINK_ENGINE, else what loads.
 * @throws BrinkError where the name is unknown, the named engine can't load, or another engine is open already.
 */
export async function openEngine(name: EngineName | undefined = nameFromEnvironment()): Promise<Engine> {
  if (name !== undefined) requireEngineName('the name', name);
  opening ??= (name === undefined ? openFirst() : open(name)).catch((error) => {
    opening = undefined;
    throw error;
  });
  const engine = await opening;
  if (name !== undefined && engine.name !== name) {
    throw new BrinkError(
      WHO,
      `${name} was asked for, and ${engine.name} is open. A process has one engine; ask for it by name at the first call, or set BRINK_ENGINE=${name}.`,
    );
  }
  return engine;
}

/** The native engine, or WebAssembly and a word about it. */
async function openFirst(): Promise<Engine> {
  try {
    return await open('tensorflow');
  } catch (error) {
    process.emitWarning(
      `${(error as Error).message} WebAssembly serves until then; BRINK_ENGINE=wasm chooses it without this warning.`,
      'BrinkWarning',
    );
    return open('wasm');
  }
}

async function open(name: EngineName): Promise<Engine> {
  try {
    const { device, version } = await load[name]();
    if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js could not start its backend`);
    await tf.ready();
    // Its first use would print an advertisement.
    if (name === 'cpu') Object.assign(tf.backend(), { firstUse: false });
    const { installSecondOrder } = await import('./derivatives/installSecondOrder.ts');
    installSecondOrder();
    return { name, device, version };
  } catch (error) {
    const advice =
      name === 'tensorflow' ? '`npx brink engine install` makes it.' : '`npm ci` puts the npm packages in order.';
    throw new BrinkError(WHO, `the engine ${name} can't load: ${(error as Error).message}. ${advice}`, {
      cause: error,
    });
  }
}

function nameFromEnvironment(): EngineName | undefined {
  const name = process.env.BRINK_ENGINE;
  if (!name) return undefined;
  requireEngineName('BRINK_ENGINE', name);
  return name;
}

function requireEngineName(what: string, name: string): asserts name is EngineName {
  if (!(ENGINE_NAMES as readonly string[]).includes(name)) {
    throw new BrinkError(WHO, `${what} is '${name}'. It must be one of ${ENGINE_NAMES.join(', ')}.`);
  }
}

import * as tf from '@tensorflow/tfjs';
import { BrinkError } from '../core/errors.ts';
import { loadNative } from './native.ts';
import { installSecondOrder } from './secondOrder/installSecondOrder.ts';

/** TensorFlow's native library, WebAssembly, or (for tests) TensorFlow.js in plain JavaScript. */
export type EngineName = 'tensorflow' | 'wasm' | 'cpu';

/** What computes: one a process. */
export interface Engine {
  readonly name: EngineName;
  /** What it runs on, in words. */
  readonly device: string;
  /** Of the library that computes. */
  readonly version: string;
}

const NAMES: readonly EngineName[] = ['tensorflow', 'wasm', 'cpu'];
/** Tried in this order where none is named. */
const CHOICES: readonly EngineName[] = ['tensorflow', 'wasm'];
const WHO = 'openEngine';

let opened: Promise<Engine> | undefined;

/**
 * Opens the engine that computes losses and derivatives; every later call gives the same one.
 *
 * Order: the name given, else the environment variable BRINK_ENGINE, else `tensorflow` where it is installed, else `wasm`.
 * A named engine that cannot be loaded is an error, never a silent fallback.
 *
 * @param name 'tensorflow', 'wasm', or 'cpu' (plain JavaScript, slow, for tests).
 * @throws BrinkError where the name is unknown, the engine cannot be loaded, or the process has opened another.
 */
export async function openEngine(name: string | undefined = process.env.BRINK_ENGINE || undefined): Promise<Engine> {
  if (name !== undefined && !NAMES.includes(name as EngineName)) {
    throw new BrinkError(WHO, `there is no engine '${name}'. Choose one of ${NAMES.join(', ')}.`);
  }
  const named = name as EngineName | undefined;
  opened ??= choose(named);
  const engine = await opened;
  if (named !== undefined && engine.name !== named) {
    throw new BrinkError(
      WHO,
      `'${named}' was asked for, but this process computes with '${engine.name}'. One engine a process: open '${named}' before any objective is made.`,
    );
  }
  return engine;
}

async function choose(named: EngineName | undefined): Promise<Engine> {
  if (named !== undefined) return open(named);
  const reasons: string[] = [];
  for (const name of CHOICES) {
    try {
      return await open(name);
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new BrinkError(WHO, `no engine can be loaded. ${reasons.join(' ')}`);
}

async function open(name: EngineName): Promise<Engine> {
  // TensorFlow.js advertises its native build on the console unless it believes that it is being tested.
  tf.env().set('IS_TEST', true);
  const engine = await LOADERS[name]();
  if (!(await tf.setBackend(name))) throw new BrinkError(WHO, `TensorFlow.js could not start its backend '${name}'.`);
  await tf.ready();
  installSecondOrder();
  return { name, ...engine };
}

const LOADERS: Record<EngineName, () => Promise<Omit<Engine, 'name'>>> = {
  tensorflow: loadNative,
  wasm: async () => {
    await import('@tensorflow/tfjs-backend-wasm');
    return { device: 'CPU, 1 thread', version: `TensorFlow.js ${tf.version.tfjs} WebAssembly` };
  },
  cpu: async () => ({ device: 'CPU, 1 thread', version: `TensorFlow.js ${tf.version.tfjs} JavaScript` }),
};

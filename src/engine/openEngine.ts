import * as tf from '@tensorflow/tfjs-core';
import { BrinkError } from '../core/errors.ts';
import type { GraphSessions } from './graphs/GraphSessions.ts';
import { installedBuild } from './install/nativeBuild.ts';
import type { Backend } from './kernels/Backend.ts';
import { hasNvidiaGpu } from './kernels/native/nvidiaGpu.ts';

/** The backends by the names of the engines that they are, loaded when they are opened. `cpu` is slow, for tests. */
export const BACKENDS = {
  tensorflow: async () => (await import('./kernels/native/native.ts')).native,
  webgpu: async () => (await import('./kernels/webgpu/webgpu.ts')).webgpu,
  wasm: async () => (await import('./kernels/wasm/wasm.ts')).wasm,
  cpu: async () => (await import('./kernels/cpu.ts')).cpu,
} satisfies Record<string, () => Promise<Backend>>;

/** The name of an engine. */
export type EngineName = keyof typeof BACKENDS;

/** The engine that this process computes with. */
export interface Engine {
  readonly name: EngineName;
  /** What it runs on: `CPU, 2 threads`, `GPU NVIDIA H100`. */
  readonly device: string;
  /** The version of the library behind it. */
  readonly version: string;
  /** What runs passes as whole graphs; null where each runs operation by operation. */
  readonly graphs: GraphSessions | null;
}

const WHO = 'openEngine';

let opening: Promise<Engine> | undefined;

/**
 * Opens the engine that computes tensors, once for the process, with exact second derivatives.
 *
 * Without a name the first that loads: `tensorflow` on CUDA, `webgpu` on a GPU, `tensorflow` on the CPU, or `wasm` with
 * a warning that says why. Float32 on every engine; two engines agree to
 * rounding, one engine on one machine repeats its bits.
 *
 * @param name `tensorflow`, `webgpu`, `wasm` or `cpu`. Default: the environment variable BRINK_ENGINE, else what loads.
 * @throws BrinkError where the name is unknown, the named engine can't load, or another engine is open already.
 */
export async function openEngine(name: EngineName | undefined = nameFromEnvironment()): Promise<Engine> {
  if (name !== undefined) requireEngineName('the name', name);
  opening ??= (name === undefined ? openFirst() : open(name, true)).catch((error) => {
    opening = undefined;
    throw error;
  });
  const engine = await opening;
  if (name !== undefined && engine.name !== name) {
    throw new BrinkError(
      WHO,
      `${name} was asked for, and ${engine.name} is open. A process has one engine; ask for it by name at the ` +
        `first call, or set BRINK_ENGINE=${name}.`,
    );
  }
  return engine;
}

/** The engines in the order in which they are chosen on this machine, unless one is named. */
export function engineOrder(): readonly EngineName[] {
  const cuda = hasNvidiaGpu() && installedBuild('cuda') !== undefined;
  return cuda ? ['tensorflow', 'webgpu', 'wasm'] : ['webgpu', 'tensorflow', 'wasm'];
}

/** The first that loads, and a word where WebAssembly is all that does. */
async function openFirst(): Promise<Engine> {
  const reasons: string[] = [];
  for (const name of engineOrder()) {
    if (name === 'wasm') {
      process.emitWarning(
        `${reasons.join(' ')} WebAssembly serves until then; BRINK_ENGINE=wasm chooses it without this warning.`,
        'BrinkWarning',
      );
      break;
    }
    try {
      return await open(name, false);
    } catch (error) {
      const { message } = error as Error;
      // What can be mended comes first.
      if (name === 'tensorflow') reasons.unshift(message);
      else reasons.push(message.replace(`${WHO}: the`, 'The'));
    }
  }
  return open('wasm', false);
}

async function open(name: EngineName, named: boolean): Promise<Engine> {
  const { load, remedy, kernels } = await BACKENDS[name]();
  try {
    // What a program imports with brink needs its core alone; all of it takes three times as long to load.
    await import('@tensorflow/tfjs');
    const { device, version, graphs = null } = await load(named);
    if (!(await tf.setBackend(name))) throw new Error('TensorFlow.js could not start its backend');
    await tf.ready();
    const { installDerivatives } = await import('./derivatives/installDerivatives.ts');
    const { portableKernels } = await import('./kernels/portable/portableKernels.ts');
    const { registerKernels } = await import('./kernels/registerKernels.ts');
    registerKernels(name, { ...portableKernels, ...kernels });
    installDerivatives();
    return { name, device, version, graphs };
  } catch (error) {
    const reason = (error as Error).message.replace(/\.$/, '');
    throw new BrinkError(WHO, `the engine ${name} can't load: ${reason}. ${remedy}`, { cause: error });
  }
}

function nameFromEnvironment(): EngineName | undefined {
  const name = process.env.BRINK_ENGINE;
  if (!name) return undefined;
  requireEngineName('BRINK_ENGINE', name);
  return name;
}

function requireEngineName(what: string, name: string): asserts name is EngineName {
  if (!Object.hasOwn(BACKENDS, name)) {
    throw new BrinkError(WHO, `${what} is '${name}'. It must be one of ${Object.keys(BACKENDS).join(', ')}.`);
  }
}

import * as tf from '@tensorflow/tfjs';
import { version_wasm } from '@tensorflow/tfjs-backend-wasm';
import type { Backend } from '../Backend.ts';
import { openSharedBackend } from './sharedBackend.ts';
import { wasmKernels } from './wasmKernels.ts';

/** The package's own backend, if a program has started it. */
const started = () => (tf.engine() as unknown as { registry: Record<string, { dispose(): void }> }).registry.wasm;

// Importing the package registered it, and the first tensor that a program makes while ours starts would ask for it.
if (!started()) tf.removeBackend('wasm');

/** WebAssembly, on as many threads as the process may use at once. */
export const wasm: Backend = {
  load: async () => {
    const backend = await openSharedBackend();
    const { count } = backend.threads;
    // The package's own has no threads here. What a program computed with it stays readable, and moves when it is used.
    const own = started();
    if (own) own.dispose = () => {};
    if (tf.findBackendFactory('wasm')) tf.removeBackend('wasm');
    tf.registerBackend('wasm', () => backend);
    return {
      device: `CPU, ${count} ${count === 1 ? 'thread' : 'threads'}`,
      version: `TensorFlow.js ${version_wasm} WebAssembly`,
    };
  },
  remedy: '`npm ci` puts the npm packages in order.',
  kernels: wasmKernels,
};

import * as tf from '@tensorflow/tfjs';
import { version_wasm } from '@tensorflow/tfjs-backend-wasm';
import type { Backend } from '../Backend.ts';
import { openSharedBackend } from './sharedBackend.ts';
import { wasmKernels } from './wasmKernels.ts';

/** WebAssembly, on as many threads as the process may use at once. */
export const wasm: Backend = {
  load: async () => {
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
  remedy: '`npm ci` puts the npm packages in order.',
  kernels: wasmKernels,
};

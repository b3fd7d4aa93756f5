import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import type { Backend } from '../Backend.ts';
import type { AdapterInfo, Device } from './Dawn.ts';
import { openDevice } from './openDevice.ts';
import type { WebGpuBackend } from './WebGpuBackend.ts';
import { boundMemory, watchDevice } from './watchDevice.ts';
import { webgpuKernels } from './webgpuKernels.ts';

const PACKAGE = '@tensorflow/tfjs-backend-webgpu';
const require = createRequire(import.meta.url);

/** How the device of a driver begins that computes on the CPU. */
const SOFTWARE = 'CPU as a GPU';

/** What TensorFlow.js's backend is told. */
const FLAGS = {
  // Tiles alone: products that are split along the summed axis add in any order.
  WEBGPU_MATMUL_PROGRAM_TYPE: 3,
  // An input gradient by tiles, where unasked each thread goes along all of it.
  WEBGPU_USE_NAIVE_CONV2D_TRANSPOSE: false,
  // Small tensors that are on the host would be computed there: where one is must not change a bit.
  WEBGPU_CPU_FORWARD: false,
};

/** A GPU of any make, by Vulkan, Metal or Direct3D 12. */
export const webgpu: Backend = {
  load: async (named) => {
    const { gpu, device, info } = await openDevice(named);
    const { WebGPUBackend } = requireBackend();
    // Its constructor asks whether there is a GPU where a browser has it.
    const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
    let backend: WebGpuBackend;
    try {
      backend = new WebGPUBackend(device, info);
    } finally {
      if (own) Object.defineProperty(globalThis, 'navigator', own);
      else Reflect.deleteProperty(globalThis, 'navigator');
    }
    watchDevice(backend, device);
    boundMemory(backend, device);
    for (const [flag, value] of Object.entries(FLAGS)) tf.env().set(flag, value);
    tf.registerBackend('webgpu', () => backend);
    const versions = `TensorFlow.js ${versionOf(PACKAGE)} WebGPU, Dawn ${versionOf('webgpu')}`;
    return {
      device: `${info.isFallbackAdapter ? SOFTWARE : 'GPU'} ${info.device}`,
      version: info.description ? `${versions}, ${info.description}` : versions,
    };
  },
  remedy: 'docs/engines.md says what a GPU needs.',
  kernels: webgpuKernels,
};

function requireBackend(): { WebGPUBackend: new (device: Device, info: AdapterInfo) => WebGpuBackend } {
  try {
    return require(PACKAGE);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new Error(`the npm package ${PACKAGE} can't be loaded (${reason})`);
  }
}

const versionOf = (name: string): string => (require(`${name}/package.json`) as { version: string }).version;

import { existsSync, readdirSync } from 'node:fs';
import type { Adapter, AdapterInfo, Dawn, Device, Gpu } from './Dawn.ts';

/** Dawn, with the device that it found. */
export interface OpenDevice {
  readonly gpu: Gpu;
  readonly device: Device;
  readonly info: AdapterInfo;
}

/** Limits that grow with the GPU; unasked, a device has what every GPU has. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
];

/** Dawn ends with the object of `create`: collected while work is pending, it takes the process down. */
const held: Gpu[] = [];

/**
 * Opens this machine's GPU by Dawn, through Vulkan, Metal or Direct3D 12.
 *
 * A driver that computes on the CPU counts only where the engine was named and BRINK_SOFTWARE_GPU is on: it is far
 * slower than the other engines, and there to test this one.
 *
 * @param named Whether the engine was named.
 * @throws Error with the reason where there is none, in a sentence without its full stop.
 */
export async function openDevice(named: boolean): Promise<OpenDevice> {
  const software = softwareAllowed() && named;
  // Loading Dawn takes a tenth of a second, and asks every driver that is installed.
  if (!software && !mayHaveGpu()) throw new Error('this machine has no GPU (Linux lists none in /dev)');
  const { create, globals } = await loadDawn();
  // TensorFlow.js takes GPUBufferUsage and the like for global, as they are in a browser.
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  const gpu = create([]);
  held.push(gpu);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(refuse('asking for a GPU'));
  if (!adapter) {
    throw new Error('Dawn finds no GPU with a driver for Vulkan, Metal or Direct3D 12 that it accepts');
  }
  const { info } = adapter;
  if (info.isFallbackAdapter && !software) {
    throw new Error(
      `there is only ${info.description || info.device}, which computes on the CPU; BRINK_SOFTWARE_GPU=on allows it`,
    );
  }
  const device = await adapter.requestDevice(wanted(adapter)).catch(refuse(`opening ${info.device}`));
  return { gpu, device, info };
}

/** @throws Error where BRINK_SOFTWARE_GPU is neither on nor off. */
function softwareAllowed(): boolean {
  const { BRINK_SOFTWARE_GPU: setting = '' } = process.env;
  if (!['', 'on', 'off'].includes(setting)) throw new Error(`BRINK_SOFTWARE_GPU is '${setting}'. It must be on or off`);
  return setting === 'on';
}

/** Whether the system knows of a GPU at all, as far as it can be told without a driver. */
function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  const isRenderer = (name: string) => name.startsWith('renderD');
  if (existsSync('/dev/dri') && readdirSync('/dev/dri').some(isRenderer)) return true;
  // NVIDIA's driver in a container, and a GPU behind Windows.
  return existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');
}

async function loadDawn(): Promise<Dawn> {
  try {
    // By a name that is not looked up before: the package is optional.
    const name: string = 'webgpu';
    return await import(name);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [reason] = message.split('\n');
    throw new Error(
      code === 'ERR_MODULE_NOT_FOUND' ? 'the npm package webgpu is missing' : `Dawn can't be loaded: ${reason}`,
    );
  }
}

const wanted = ({ limits }: Adapter) => ({
  requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]])),
});

function refuse(what: string): (error: Error) => never {
  return ({ message }) => {
    throw new Error(`${what} failed: ${message.split('\n')[0]}`);
  };
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { BrinkError } from '../../../core/errors.ts';
import type { Device } from './Dawn.ts';
import type { WebGpuBackend } from './WebGpuBackend.ts';

const WHO = 'webgpu';
/** Where memory that waits to be used again goes back to the driver, in bytes. */
const MOST_IDLE = 2 ** 30;
const SMALLER = 'Begin anew with a smaller chunk: empiricalRisk({ …, chunk })';
const full = (said: string) => `its memory is full (${said}). ${SMALLER}`;

/**
 * Makes a read throw where the device has failed.
 *
 * WebGPU reports that it is out of memory, or that a program is wrong, some time later, and the operation that failed
 * gives garbage. Every number that leaves the device passes here, so none does after an error. What the device holds
 * is not to be trusted from then on: each further read throws too.
 */
export function watchDevice(backend: WebGpuBackend, device: Device): void {
  let failure: string | null = null;
  device.addEventListener('uncapturederror', (event) => {
    // Otherwise Dawn prints it too.
    event.preventDefault();
    const [said] = event.error.message.split('\n');
    const kind = event.error.constructor.name;
    failure ??= kind === 'GPUOutOfMemoryError' ? full(said!) : `${kind}: ${said}`;
  });
  void device.lost.then(({ message }) => {
    failure ??= `it was lost (${message.split('\n')[0]}). Start the process anew`;
  });
  const requireSound = () => {
    if (failure !== null) throw new BrinkError(WHO, `the GPU failed: ${failure}.`);
  };
  const { read, readSync } = backend;
  backend.read = async (dataId) => {
    requireSound();
    try {
      return await read.call(backend, dataId);
    } finally {
      // Errors come as events of their own, of which some are still on their way.
      await nextTurn();
      requireSound();
    }
  };
  backend.readSync = (dataId) => {
    // What the host gave, or has read before, is there.
    if (backend.tensorMap.get(dataId).values != null) return readSync.call(backend, dataId);
    throw new BrinkError(
      WHO,
      'a tensor is read by dataSync() or arraySync(), and this engine reads asynchronously alone. Await its data(); ' +
        'from then on dataSync() works too.',
    );
  };
}

/**
 * Bounds the memory that waits to be used again: TensorFlow.js keeps every buffer that it ever made, for tensors of
 * just that size. Says by name where one tensor is too large for the device, and where there is no memory for what goes
 * there.
 */
export function boundMemory({ bufferManager }: WebGpuBackend, { limits }: Device): void {
  const { acquireBuffer } = bufferManager;
  const most = Math.min(limits.maxBufferSize!, limits.maxStorageBufferBindingSize!);
  bufferManager.acquireBuffer = (size, ...rest) => {
    if (size > most) {
      throw new BrinkError(
        WHO,
        `the GPU takes tensors of up to ${most} bytes, and one of ${size} was asked for. ${SMALLER}.`,
      );
    }
    if (bufferManager.numBytesAllocated - bufferManager.numBytesUsed > MOST_IDLE) {
      for (const buffers of bufferManager.freeBuffers.values()) {
        for (const buffer of buffers) {
          buffer.destroy();
          bufferManager.numBytesAllocated -= buffer.size;
        }
        bufferManager.numFreeBuffers -= buffers.length;
        buffers.length = 0;
      }
    }
    try {
      return acquireBuffer.call(bufferManager, size, ...rest);
    } catch (cause) {
      // Of a buffer that the host is to fill at once it is said at once.
      if (cause instanceof RangeError) {
        throw new BrinkError(
          WHO,
          `the GPU failed: ${full(`${size} bytes more: ${cause.message.replace(/\.$/, '')}`)}.`,
          { cause },
        );
      }
      throw cause;
    }
  };
}

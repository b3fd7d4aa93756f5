import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { WebGpuBackend } from '../../../src/engine/kernels/webgpu/WebGpuBackend.ts';
import { boundMemory, watchDevice } from '../../../src/engine/kernels/webgpu/watchDevice.ts';
import { openEngine } from '../../../src/engine/openEngine.ts';

const backend = () => tf.backend() as unknown as WebGpuBackend;

beforeAll(async () => {
  await openEngine('webgpu');
});

describe('the device', () => {
  it('says that a tensor is read synchronously, and gives what the host has', async () => {
    const x = tf.tensor1d([1, 2]);
    expect([...x.dataSync()]).toEqual([1, 2]);
    const y = tf.square(x);
    expect(() => y.dataSync()).toThrow(
      'webgpu: a tensor is read by dataSync() or arraySync(), and this engine reads asynchronously alone. Await its data()',
    );
    expect([...(await y.data())]).toEqual([1, 4]);
    expect([...y.dataSync()]).toEqual([1, 4]);
    tf.dispose([x, y]);
  });

  it('refuses a tensor beyond its largest by name', () => {
    const { bufferManager, device } = backend();
    const most = Math.min(device.limits.maxBufferSize!, device.limits.maxStorageBufferBindingSize!);
    expect(() => bufferManager.acquireBuffer(most + 4, 128)).toThrow(
      `webgpu: the GPU takes tensors of up to ${most} bytes, and one of ${most + 4} was asked for. Begin anew with a smaller chunk`,
    );
  });

  it('gives memory back that waits to be used again, before it is a GiB and more', () => {
    const destroyed: number[] = [];
    const buffer = (size: number) => ({ size, destroy: () => destroyed.push(size) });
    const bufferManager = {
      freeBuffers: new Map([['a', [buffer(2 ** 30), buffer(2 ** 20)]]]),
      numFreeBuffers: 2,
      numBytesUsed: 100,
      numBytesAllocated: 2 ** 30 + 2 ** 20 + 100,
      acquireBuffer: buffer,
    };
    const limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 };
    boundMemory({ bufferManager } as unknown as WebGpuBackend, { limits } as never);
    bufferManager.acquireBuffer(64);
    expect(destroyed).toEqual([2 ** 30, 2 ** 20]);
    expect(bufferManager).toMatchObject({ numFreeBuffers: 0, numBytesAllocated: 100 });
  });

  it('says that memory is full where the host has none for what goes to the device', () => {
    const acquireBuffer = (): never => {
      throw new RangeError('createBuffer failed to allocate a buffer mapped at creation.');
    };
    const bufferManager = { freeBuffers: new Map(), numBytesUsed: 0, numBytesAllocated: 0, acquireBuffer };
    const limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 };
    boundMemory({ bufferManager } as unknown as WebGpuBackend, { limits } as never);
    expect(() => (bufferManager as unknown as WebGpuBackend['bufferManager']).acquireBuffer(64)).toThrow(
      'webgpu: the GPU failed: its memory is full (64 bytes more: createBuffer failed to allocate a buffer mapped at ' +
        'creation). Begin anew with a smaller chunk: empiricalRisk({ …, chunk }).',
    );
  });

  it.each([
    [
      'is out of memory',
      'GPUOutOfMemoryError',
      /^webgpu: the GPU failed: its memory is full \(Failed to allocate\)\. Begin anew with a smaller/,
    ],
    ['refuses a program', 'GPUValidationError', /^webgpu: the GPU failed: GPUValidationError: Failed to allocate\.$/],
  ])('lets no number pass once it %s, though the operation itself threw nothing', async (_, kind, message) => {
    const listeners: ((event: object) => void)[] = [];
    const device = { addEventListener: (_type: string, f: never) => listeners.push(f), lost: new Promise(() => {}) };
    const read = () => {
      // The error comes while the numbers are on their way.
      const error = Object.create({ constructor: { name: kind } }, { message: { value: 'Failed to allocate\n at' } });
      setImmediate(() => listeners[0]!({ error, preventDefault: () => {} }));
      return Promise.resolve(new Float32Array(1));
    };
    const watched = { read, readSync: read } as unknown as WebGpuBackend;
    watchDevice(watched, device as never);
    await expect(watched.read({})).rejects.toThrow(message);
    await expect(watched.read({})).rejects.toThrow(message);
  });
});

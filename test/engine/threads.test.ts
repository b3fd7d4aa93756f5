import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { panelsSize } from '../../src/engine/kernels/wasm/panels.ts';
import { filterGradientSize } from '../../src/engine/kernels/wasm/sumFilterGradient.ts';
import { scratchSize, type Task } from '../../src/engine/kernels/wasm/tasks.ts';
import { startThreads } from '../../src/engine/kernels/wasm/threads.ts';
import { generator, normals } from '../../src/linalg/random.ts';

const MOST = 5;

it('gives the same bits with any number of threads, again and again, while the memory grows', async () => {
  const geometry = {
    images: 11,
    height: 16,
    width: 16,
    channels: 8,
    filterHeight: 3,
    filterWidth: 3,
    strideHeight: 1,
    strideWidth: 1,
    top: 1,
    left: 1,
    outHeight: 16,
    outWidth: 16,
    outChannels: 12,
  };
  const sizes = { x: 11 * 16 * 16 * 8, filter: panelsSize(9 * 8, 12), y: 11 * 16 * 16 * 12, sums: 0 };
  sizes.sums = 8 * filterGradientSize(geometry);
  const place = { x: 256, filter: 256 + sizes.x, y: 0, sums: 0, scratch: 0 };
  place.y = place.filter + sizes.filter;
  place.sums = place.y + sizes.y;
  place.scratch = place.sums + sizes.sums;
  const convolution: Task = {
    kind: 'convolution',
    geometry,
    x: place.x,
    filter: place.filter,
    y: place.y,
    yImage: 16 * 16 * 12,
    yRow: 16 * 12,
    yPixel: 12,
  };
  const gradient: Task = { kind: 'filterGradient', geometry, x: place.x, dy: place.y, sums: place.sums, parts: 8 };
  const scratch = Math.max(scratchSize(convolution), scratchSize(gradient));

  const results: Buffer[] = [];
  for (const count of [1, 2, 3, MOST]) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    const { run } = await startThreads(memory, count);
    memory.grow(Math.ceil((4 * (place.scratch + MOST * scratch)) / 2 ** 16));
    const heap = new Float32Array(memory.buffer);
    heap.set(normals(generator(1), sizes.x + sizes.filter), place.x);
    for (let round = 0; round < 3; round++) {
      heap.fill(0, place.y, place.sums + sizes.sums);
      // dy are the numbers that the convolution left, so one round must end before the next begins.
      run({ tasks: [convolution], scratch: place.scratch, scratchSize: scratch });
      run({ tasks: [gradient], scratch: place.scratch, scratchSize: scratch });
      const result = heap.slice(place.y, place.sums + sizes.sums);
      expect(result.every(Number.isFinite)).toBe(true);
      results.push(Buffer.from(result.buffer));
    }
  }
  for (const result of results) expect(result.equals(results[0]!)).toBe(true);
});

it('waits for the change itself, not for being told of one: a word of the change before can come late', async () => {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const waiting = new Worker(new URL('../helpers/waitingThread.ts', import.meta.url), { workerData: signal });
  const seen: unknown[] = [];
  waiting.on('message', (message) => seen.push(message));
  const wake = async () => {
    while (Atomics.notify(signal, 0) === 0) await sleep(1);
  };
  await once(waiting, 'message');
  await wake();
  await wake();
  expect(seen).toEqual(['ready']);
  Atomics.store(signal, 0, 7);
  Atomics.notify(signal, 0);
  await once(waiting, 'exit');
  expect(seen).toEqual(['ready', 7]);
});

it('says why a thread failed, and does not wait for it again', async () => {
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 8, shared: true });
  const { run } = await startThreads(memory, 2);
  // The second half of the numbers, which is the other thread's, lies beyond the memory's end.
  const size = 2 ** 18;
  const task: Task = { kind: 'positivePart', size, mask: 0, values: 0, output: 0 };
  const round = { tasks: [task], scratch: 0, scratchSize: 0 };
  for (const _ of [1, 2])
    expect(() => run(round)).toThrow(/^wasm: a thread failed: .*out of bounds.*\. Start the process anew\.$/);
});

/** Threads that end in a way that they find in the environment. */
async function startDying(memory: WebAssembly.Memory, count: number, way: string) {
  vi.stubEnv('WAY_TO_END', way);
  try {
    return await startThreads(memory, count, new URL('../helpers/dyingThread.ts', import.meta.url));
  } finally {
    vi.unstubAllEnvs();
  }
}

it.each([
  ['is ended by process.exit', 'exit', 'it ended by itself, with code 3'],
  ['is ended by an error of its own', 'throw', 'thrown in a thread'],
  ['runs out of memory', 'memory', 'Worker terminated due to reaching memory limit'],
])('says so within seconds where a thread %s in the middle of its share', async (_, end, reason) => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  // For threads that start from here on.
  if (end === 'memory') setFlagsFromString('--max-old-space-size=64');
  const { run } = await startDying(memory, 3, end);
  setFlagsFromString('--max-old-space-size=0');
  const task: Task = { kind: 'positivePart', size: 2 ** 18, mask: 0, values: 0, output: 0 };
  const round = { tasks: [task], scratch: 0, scratchSize: 0 };
  const begun = performance.now();
  for (const _ of [1, 2]) {
    expect(() => run(round)).toThrow(`wasm: a thread failed: ${reason}`);
  }
  expect(performance.now() - begun).toBeLessThan(20_000);
});

it('says so where a thread ended between two rounds', async () => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const { run } = await startDying(memory, 2, 'idle');
  const task: Task = { kind: 'positivePart', size: 2 ** 18, mask: 0, values: 0, output: 0 };
  await sleep(500);
  expect(() => run({ tasks: [task], scratch: 0, scratchSize: 0 })).toThrow(
    'wasm: a thread failed: it ended by itself, with code 3. Start the process anew.',
  );
});

it('says so where a thread ends before it is ready', async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  await expect(startDying(memory, 2, 'early')).rejects.toThrow(
    'a thread of the WebAssembly engine did not start: it ended by itself, with code 3',
  );
});

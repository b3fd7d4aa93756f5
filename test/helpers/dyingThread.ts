// A thread of the WebAssembly engine that ends, in the way that the environment names.
import { parentPort, workerData } from 'node:worker_threads';
import { SIGNAL, type ThreadData } from '../../src/engine/kernels/wasm/threads.ts';
import { waitForChange } from '../../src/engine/kernels/wasm/waitForChange.ts';

const way = process.env.WAY_TO_END;
const { signal, index } = workerData as ThreadData;
if (way === 'early') process.exit(3);
parentPort!.postMessage('ready');
if (way === 'idle') setTimeout(() => process.exit(3), 50);
else {
  waitForChange(signal, SIGNAL.round, 0);
  // The other goes on waiting: one that ends is enough.
  if (index > 1) waitForChange(signal, SIGNAL.round, 1);
  if (way === 'exit') process.exit(3);
  if (way === 'throw') throw new Error('thrown in a thread');
  const held: number[][] = [];
  for (;;) held.push(new Array(1e6).fill(0.5));
}

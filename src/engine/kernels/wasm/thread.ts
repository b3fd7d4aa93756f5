// A thread that does its share of whatever tasks the others do, until the process ends.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Loops } from './loops.ts';
import { runShare } from './tasks.ts';
import { type Round, SIGNAL, type ThreadData } from './threads.ts';
import { waitForChange } from './waitForChange.ts';

const { memory, module, signal, port, index, count } = workerData as ThreadData;
const loops = new WebAssembly.Instance(module, { host: { memory } }).exports as Loops;
parentPort!.postMessage('ready');

for (let round = 0; ; ) {
  round = waitForChange(signal, SIGNAL.round, round);
  const { tasks, scratch, scratchSize } = receiveMessageOnPort(port)!.message as Round;
  runShare(new Float32Array(memory.buffer), loops, tasks, scratch + index * scratchSize, index, count);
  Atomics.sub(signal, SIGNAL.busy, 1);
  Atomics.notify(signal, SIGNAL.busy);
}

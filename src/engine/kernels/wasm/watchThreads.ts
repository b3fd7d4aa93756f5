// A thread that starts those that compute, and says when one of them ends: each computes until the process does.
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { SIGNAL, type WatchData } from './threads.ts';

const { program, threads, signal, port } = workerData as WatchData;

/** Ends the waiting of whoever waits for the others. */
function fail(reason: string): void {
  port.postMessage(reason);
  Atomics.store(signal, SIGNAL.failed, 1);
  Atomics.store(signal, SIGNAL.busy, 0);
  Atomics.notify(signal, SIGNAL.busy);
}

await Promise.all(
  threads.map((data) => {
    const thread = new Worker(new URL(program), { workerData: data, transferList: [data.port], execArgv: [] });
    thread.on('error', (error) => fail((error as Error | null)?.message ?? `${error}`));
    return new Promise((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('exit', (code) => {
        const reason = `it ended by itself, with code ${code}`;
        fail(reason);
        reject(new Error(`a thread of the WebAssembly engine did not start: ${reason}`));
      });
    });
  }),
);
parentPort!.postMessage('ready');

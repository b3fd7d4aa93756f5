import { once } from 'node:events';
import { extname } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type Loops, loopsModule } from './loops.ts';
import { runShare, type Task, workOf } from './tasks.ts';
import { waitForChange } from './waitForChange.ts';

/** Multiplications that take no longer than it takes to wake a thread. */
const LITTLE = 2 ** 20;

/** Places in the numbers through which threads wait for each other. */
export const SIGNAL = { round: 0, busy: 1, failed: 2 } as const;

/** What a thread is given at its start. */
export interface ThreadData {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly signal: Int32Array<SharedArrayBuffer>;
  /** Rounds come in by it, and the error that ends the thread goes out. */
  readonly port: MessagePort;
  readonly index: number;
  readonly count: number;
}

/** What all threads do together; each has `scratchSize` floats of the scratch. */
export interface Round {
  readonly tasks: readonly Task[];
  readonly scratch: number;
  readonly scratchSize: number;
}

/** This thread and others, which share a memory. */
export interface Threads {
  readonly count: number;
  /** Does tasks, and returns when all threads have done their share. */
  run(round: Round): void;
}

/** Starts all threads but this one. They do not keep the process alive. */
export async function startThreads(memory: WebAssembly.Memory, count: number): Promise<Threads> {
  const module = loopsModule();
  const loops = new WebAssembly.Instance(module, { host: { memory } }).exports as Loops;
  const signal = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SIGNAL).length));
  const others = await Promise.all(
    Array.from({ length: count - 1 }, async (_, k) => {
      const { port1, port2 } = new MessageChannel();
      const workerData: ThreadData = { memory, module, signal, port: port2, index: k + 1, count };
      // The process's own options may forbid a file: `node --input-type=module --eval`.
      const worker = new Worker(new URL(`./thread${extname(import.meta.url)}`, import.meta.url), {
        workerData,
        transferList: [port2],
        execArgv: [],
      });
      await once(worker, 'message');
      worker.unref();
      return port1;
    }),
  );
  let failure: unknown;
  /** A thread that failed has ended: whoever waited for it again would wait for ever. */
  const requireAlive = () => {
    if (Atomics.load(signal, SIGNAL.failed) === 0) return;
    failure ??= others.map((port) => receiveMessageOnPort(port)?.message).find((message) => message !== undefined);
    const reason = failure instanceof Error ? failure.message : failure;
    throw new Error(`a thread of the WebAssembly engine failed: ${reason}. Start the process anew`, { cause: failure });
  };
  return {
    count,
    run: (round) => {
      const work = round.tasks.reduce((sum, task) => sum + workOf(task), 0);
      if (others.length === 0 || work <= LITTLE) {
        runShare(new Float32Array(memory.buffer), loops, round.tasks, round.scratch, 0, 1);
        return;
      }
      requireAlive();
      Atomics.store(signal, SIGNAL.busy, others.length);
      for (const port of others) port.postMessage(round);
      Atomics.add(signal, SIGNAL.round, 1);
      Atomics.notify(signal, SIGNAL.round);
      try {
        runShare(new Float32Array(memory.buffer), loops, round.tasks, round.scratch, 0, count);
      } finally {
        for (let busy = others.length; busy > 0; ) busy = waitForChange(signal, SIGNAL.busy, busy);
      }
      requireAlive();
    },
  };
}

import { once } from 'node:events';
import { extname } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { BrinkError } from '../../../core/errors.ts';
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
  /** Rounds come in by it. */
  readonly port: MessagePort;
  readonly index: number;
  readonly count: number;
}

/** What the thread that watches the others is given at its start. */
export interface WatchData {
  /** What each thread runs, and is given. */
  readonly program: string;
  readonly threads: readonly ThreadData[];
  readonly signal: Int32Array<SharedArrayBuffer>;
  /** What ended a thread goes out by it. */
  readonly port: MessagePort;
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
  /**
   * Does tasks, and returns when all threads have done their share.
   *
   * @throws Error with the reason where a thread has ended.
   */
  run(round: Round): void;
}

const beside = (name: string) => new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);

/**
 * Starts all threads but this one. They do not keep the process alive.
 *
 * This thread waits for them with its event loop standing still, so that it would never hear of one that ends; a thread
 * that watches the others hears of it, and ends the waiting.
 *
 * @param program What each of them runs.
 */
export async function startThreads(
  memory: WebAssembly.Memory,
  count: number,
  program: URL = beside('thread'),
): Promise<Threads> {
  const module = loopsModule();
  const loops = new WebAssembly.Instance(module, { host: { memory } }).exports as Loops;
  const signal = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SIGNAL).length));
  const channels = Array.from({ length: count - 1 }, () => new MessageChannel());
  const others = channels.map(({ port1 }) => port1);
  const reasons = new MessageChannel();
  if (others.length > 0) {
    const threads = channels.map(({ port2 }, k) => ({ memory, module, signal, port: port2, index: k + 1, count }));
    const workerData: WatchData = { program: program.href, threads, signal, port: reasons.port2 };
    // The process's own options may forbid a file: `node --input-type=module --eval`.
    const watch = new Worker(beside('watchThreads'), {
      workerData,
      transferList: [reasons.port2, ...channels.map(({ port2 }) => port2)],
      execArgv: [],
    });
    await once(watch, 'message');
    watch.unref();
  }
  let reason: string | undefined;
  /** Whoever waited for a thread that has ended would wait for ever. */
  const requireAlive = () => {
    if (Atomics.load(signal, SIGNAL.failed) === 0) return;
    reason ??= receiveMessageOnPort(reasons.port1)?.message;
    throw new BrinkError('wasm', `a thread failed: ${reason}. Start the process anew.`);
  };
  return {
    count,
    run: (round) => {
      const work = round.tasks.reduce((sum, task) => sum + workOf(task), 0);
      if (others.length === 0 || work <= LITTLE) {
        runShare(new Float32Array(memory.buffer), loops, round.tasks, round.scratch, 0, 1);
        return;
      }
      Atomics.store(signal, SIGNAL.busy, others.length);
      // Asked once they count as busy: a thread that ends from here on takes that back.
      requireAlive();
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

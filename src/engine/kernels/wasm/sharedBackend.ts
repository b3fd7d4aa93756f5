import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import { BackendWasm, setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { threadCount } from '../../threadCount.ts';
import { guardMemory } from './guardMemory.ts';
import { startThreads, type Threads } from './threads.ts';

/** More threads would find nothing to do: filter gradients are summed in so many parts. */
export const MOST_THREADS = 8;

const require = createRequire(import.meta.url);

/** TensorFlow.js's module, as its script hands it over. */
type Module = BackendWasm['wasm'] & {
  readonly wasmMemory: WebAssembly.Memory;
  /** The memory, as far as it has grown. */
  readonly HEAPU8: Uint8Array<SharedArrayBuffer>;
  _malloc(bytes: number): number;
  _free(place: number): void;
  cwrap(name: string, returns: 'number' | null, takes: 'number'[]): (...values: number[]) => number;
};

/** TensorFlow.js's WebAssembly backend in memory that threads share. */
export class SharedBackend extends BackendWasm {
  declare wasm: Module;
  readonly threads: Threads;

  constructor(module: Module, threads: Threads) {
    super(module);
    this.threads = threads;
  }
}

/** Opens the backend with as many threads as the process may use at once. */
export async function openSharedBackend(): Promise<SharedBackend> {
  const module = await loadModule();
  const { cwrap } = module;
  module.tfjs = {
    init: cwrap('init', null, []),
    initWithThreadsCount: cwrap('init_with_threads_count', null, ['number']),
    getThreadsCount: cwrap('get_threads_count', 'number', []),
    registerTensor: cwrap('register_tensor', null, ['number', 'number', 'number']),
    disposeData: cwrap('dispose_data', null, ['number']),
    dispose: cwrap('dispose', null, []),
  };
  guardMemory(module);
  setThreadsCount(1);
  const threads = await startThreads(module.wasmMemory, Math.min(MOST_THREADS, threadCount()));
  return new SharedBackend(module, threads);
}

/**
 * Loads TensorFlow.js's module for shared memory, which its package starts in browsers only.
 *
 * The script starts eight threads of its own, in a browser's way, and waits until they answer; they would compute
 * nothing that takes long here, so they are replaced by stubs that answer.
 */
function loadModule(): Promise<Module> {
  const script = require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js');
  const folder = dirname(script);
  const exported: { exports: unknown } = { exports: {} };
  const parameters = { module: exported, exports: exported.exports, require, __filename: script, __dirname: folder };
  // It writes `global.Worker`, and rethrows every uncaught error, which would print this script with it.
  const shadowed = {
    global: {},
    process: Object.create(process, { on: { value: () => {} } }),
    Worker: ThreadStub,
  };
  const scope = { ...parameters, ...shadowed };
  compileFunction(readFileSync(script, 'utf8'), Object.keys(scope), { filename: script })(...Object.values(scope));
  const start = exported.exports as (options: { locateFile(file: string): string }) => Promise<Module>;
  return start({ locateFile: (file) => join(folder, file) });
}

/** What the script takes for a thread. */
class ThreadStub {
  onmessage: (message: { data: { cmd: string } }) => void = () => {};
  postMessage(): void {
    queueMicrotask(() => this.onmessage({ data: { cmd: 'loaded' } }));
  }
  on(): void {}
  unref(): void {}
  terminate(): void {}
}

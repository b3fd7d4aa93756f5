import type { GraphSessions } from '../graphs/GraphSessions.ts';
import type { KernelTable } from './Kernel.ts';

/** A backend of TensorFlow.js as an engine of brink: how it loads, and the kernels in which it has its own way. */
export interface Backend {
  /**
   * Makes it known to TensorFlow.js under the engine's name.
   *
   * @param named Whether the engine was asked for by name: what nobody would want unasked is for those who do.
   * @returns What it runs on (`CPU, 2 threads`), and the version of the library behind it.
   * @throws Error with the reason where it can't load.
   */
  load(named: boolean): LoadedBackend | Promise<LoadedBackend>;
  /** What whoever named it can do where it can't load: a sentence. */
  readonly remedy: string;
  /** Kernels that take the place of a portable one, or of TensorFlow.js's own where that is missing, wrong or slow. */
  readonly kernels: KernelTable;
}

/** What a backend says of itself. */
export interface LoadedBackend {
  readonly device: string;
  readonly version: string;
  /** Where it can run whole graphs. */
  readonly graphs?: GraphSessions;
}

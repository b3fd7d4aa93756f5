import { AsyncLocalStorage } from 'node:async_hooks';
import type { JsonObject } from '../core/Json.ts';

/** What a sink may know of the run that it belongs to. */
export interface RunContext {
  /** The run's folder: relative paths of sinks start here. */
  readonly directory: string;
  /** What goes into the key-values of every table: configuration, seed, engine, versions, data set. */
  readonly metadata: JsonObject;
  /** The files that the run's sinks write, as paths within `directory`: a sink adds its own before it makes them. */
  readonly files: Set<string>;
  /** Aborted when the run is to end without the measurements at hand: a probe ends between two products. */
  readonly stopped?: AbortSignal;
}

const storage = new AsyncLocalStorage<RunContext>();

/** Calls `body` so that sinks subscribed within it belong to a run. */
export function withRunContext<T>(context: Omit<RunContext, 'files'> & Partial<RunContext>, body: () => T): T {
  return storage.run({ files: new Set(), ...context }, body);
}

/** The run that is being subscribed to; undefined outside `run`. */
export function currentRun(): RunContext | undefined {
  return storage.getStore();
}

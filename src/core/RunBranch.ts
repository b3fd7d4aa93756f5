import type { JsonObject } from './Json.ts';
import type { Step } from './Step.ts';

/** A branch of a run, as the probes and sinks in it meet it. */
export interface RunBranch {
  /** Its name among the branches: that of its file, where nothing else is said. */
  readonly name: string;
  /** The run's folder, an absolute path: relative paths of sinks start here. */
  readonly directory: string;
  /** What the run says of itself in every table: versions, its id, source, and what the user adds. Known once it has begun. */
  readonly metadata: JsonObject;
  /** Aborted when the run is to end without the measurements at hand: a probe ends between two products. */
  readonly stopped: AbortSignal;
  /**
   * Takes a file for a sink, and what it is called while it is written, and lists them among those of the run.
   *
   * @throws BrinkError where another sink of the run has one of them.
   */
  claim(who: string, file: string, meanwhile?: readonly string[]): void;
  /**
   * Asks to be called with the run's first step, before anything is measured or written; with null where no step comes. What it
   * throws rejects the run.
   */
  check(body: (first: Step | null) => void): void;
  /** Asks to be called once the run has its folder, after all checks and before the first step passes; at once where it has. */
  whenBegun(body: (first: Step | null) => void): void;
  /** Asks the run not to end before `promise` has settled; a rejection counts as an error of the branch. */
  waitFor(promise: Promise<unknown>): void;
}

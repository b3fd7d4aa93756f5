import type { Account } from './Account.ts';
import { checkedStep, type GivenStep } from './checkedStep.ts';
import { BrinkError, given, requireInteger } from './errors.ts';
import { requireList, requireOptions } from './given.ts';
import { type JsonObject, requireJson } from './Json.ts';
import type { Objective, Point } from './Objective.ts';
import { requireUntouched } from './requireUntouched.ts';
import type { StepData } from './StepData.ts';
import type { Table } from './Table.ts';

/**
 * A step on its way through a pipeline: its data, and beside it, where no spread, JSON or structured clone sees it,
 * the run that it comes from. A live and a replayed step are the same thing.
 */
export interface Step extends StepData {
  /** What is the same for all steps of its source: one object, shared by them. */
  readonly run: StepRun;
  /**
   * L at θ_t: where probes ask their questions, and each answer is computed once.
   *
   * @throws BrinkError where the source names no objective.
   */
  point(): Point;
  /**
   * Asks the source not to move on before `promise` has settled, as `waitUntil` of a web worker's extendable event
   * does.
   *
   * A rejection counts as settled: whoever made the promise reports it. Once the source has moved on, a call does
   * nothing.
   */
  waitUntil(promise: Promise<unknown>): void;
  /** Whether the source has moved on: it no longer waits for anybody. */
  readonly isSettled: boolean;
}

/** What a step knows of the run that it comes from: one object, shared by all steps of a source. */
export interface StepRun {
  /** Everything that rebuilds the source: optimizer, options, seed, objective; null: unknown. */
  readonly metadata: JsonObject | null;
  /** How many steps come at most; null: unknown. */
  readonly total: number | null;
  /** The index of the last of them; null: unknown. */
  readonly last: number | null;
  /** Files that the source reads while it emits: a run must not remove them. */
  readonly reads: readonly string[];
  /** What the source goes on with; null: nothing. */
  readonly resumes: Resumed | null;
  /** L; null: the source names none. */
  readonly objective: Objective | null;
  /** The branch of `run` through which the step goes: its folder, its stop signal; null outside of one. */
  readonly branch: RunBranch | null;
}

/** A recorded run that is gone on with. */
export interface Resumed {
  /** Its recording, an absolute path. */
  readonly recording: string;
  /** Where its tables end: what they hold is not written again. */
  readonly tables: readonly TableEnd[];
  /** What is to be said of that as the run begins; null: nothing. */
  readonly note: string | null;
}

/** The last rows of a table. */
export interface TableEnd {
  /** Its path within its run's folder, without ending: the name of the branch, where no other was given. */
  readonly table: string;
  /** The largest step in it. */
  readonly step: number;
  /** Whether its branch had ended there by itself, while the run went on: then no row is to come. */
  readonly isOver: boolean;
  /** Whether it holds a row of that step. */
  holds(table: Table, row: Readonly<Record<string, unknown>>): boolean;
}

/** A branch of a run, as the probes and sinks in it meet it. */
export interface RunBranch {
  /** Its name among the branches: that of its file, where nothing else is said. */
  readonly name: string;
  /** The run's folder, an absolute path: relative paths of sinks start here. */
  readonly directory: string;
  /**
   * What the run says of itself in every table: versions, its id, source, and what the user adds. Known once it has
   * begun.
   */
  readonly metadata: JsonObject;
  /** Aborted when the run is to end without the measurements at hand: a probe ends between two products. */
  readonly stopped: AbortSignal;
  /**
   * Takes a file for a sink, and what it is called while it is written, and lists them among those of the run.
   *
   * @throws BrinkError where another sink of the run has one of them.
   */
  claim(who: string, file: string, meanwhile?: readonly string[]): void;
  /** The files that its sinks have taken. */
  readonly targets: readonly string[];
  /** Whether a file is one of the run before, which goes as this one begins. */
  removes(file: string): boolean;
  /**
   * Asks to be called with the run's first step, before anything is measured or written; with null where no step
   * comes. What it throws rejects the run.
   */
  check(body: (first: Step | null) => void): void;
  /**
   * Asks to be called once the run has its folder, after all checks and before the first step passes; at once where
   * it has.
   */
  whenBegun(body: (first: Step | null) => void): void;
  /**
   * Every how many steps a probe begins afresh, without what it carries from step to step; null: never. Its rows then
   * are the same in a run that goes on from such a step.
   */
  readonly restartEvery: number | null;
  /** What the measurements of the branch cost so far. */
  readonly account: Account;
  /** Tells how far the work on a file is that takes long, for whoever watches the run. */
  tell(file: string, progress: string): void;
  /** Asks the run not to end before `promise` has settled; a rejection counts as an error of the branch. */
  waitFor(promise: Promise<unknown>): void;
}

/** The two ends of a step: `step` goes down the stream, `settled` is what its source waits for. */
export interface OpenStep {
  readonly step: Step;
  /**
   * Resolves when everything registered on the step has settled, also what was registered while waiting; rejects where
   * one of its vectors was written to meanwhile.
   */
  settled(): Promise<void>;
}

class KnownRun implements StepRun {
  readonly metadata: StepRun['metadata'] = null;
  readonly total: StepRun['total'] = null;
  readonly last: StepRun['last'] = null;
  readonly reads: StepRun['reads'] = [];
  readonly resumes: StepRun['resumes'] = null;
  readonly objective: StepRun['objective'] = null;
  readonly branch: StepRun['branch'] = null;

  constructor(known: Partial<StepRun>) {
    Object.assign(this, known);
  }
}

/**
 * What a source says of itself once, for all its steps; what it does not say is unknown. One that is whole already
 * stays as it is.
 */
export function stepRun(known: Partial<StepRun>): StepRun {
  return known instanceof KnownRun ? known : new KnownRun(known);
}

const RUN_NAMES = ['metadata', 'total', 'last', 'reads', 'resumes', 'objective', 'branch'];

/** Throws where what a source says of itself is not of the kind that it must be. */
function requireRun(run: Partial<StepRun>): void {
  const who = 'openStep';
  requireOptions(who, run, RUN_NAMES, '{ objective }');
  const { metadata, total, last, reads, objective } = run;
  if (metadata) requireJson(who, 'metadata', metadata);
  if (total != null) requireInteger(who, 'total', total, 0);
  if (last != null) requireInteger(who, 'last', last, 0);
  if (reads !== undefined) requireList(who, 'reads', reads);
  if (objective != null && typeof objective.at !== 'function') {
    throw new BrinkError(who, `${given('objective', objective)} It must be an objective, such as empiricalRisk gives.`);
  }
}

/** Turns of the microtask queue: more than a few chained promises take. */
const TURNS = 32;

/** What holds a source back: shared by a step and what is derived from it. */
class Gate {
  pending: Promise<unknown>[] = [];
  isSettled = false;
}

/** Resolves when everything registered on a gate has settled, also what was registered while waiting. */
async function settle(gate: Gate): Promise<void> {
  while (gate.pending.length > 0) {
    const now = gate.pending;
    gate.pending = [];
    await Promise.allSettled(now);
    // Whoever waited for them has a few turns to pass the step on, to where it may be waited for again.
    for (let turn = 0; turn < TURNS && gate.pending.length === 0; turn++) await null;
  }
  gate.isSettled = true;
}

class LiveStep implements Step {
  declare readonly index: number;
  declare readonly weights: Float32Array;
  declare readonly gradient: Float32Array;
  declare readonly batchLoss: number;
  declare readonly batch: Int32Array | null;
  declare readonly batchSize: number;
  declare readonly replacement: boolean;
  declare readonly learningRate: number;
  declare readonly beta1: number;
  declare readonly beta2: number;
  declare readonly velocity: Float32Array | null;
  declare readonly epoch: number;
  readonly #gate: Gate;
  readonly #run: StepRun;
  readonly #onWait: ((promise: Promise<unknown>) => void) | undefined;

  constructor(data: StepData, run: StepRun, gate: Gate, onWait?: (promise: Promise<unknown>) => void) {
    Object.assign(this, data);
    this.#gate = gate;
    this.#run = run;
    this.#onWait = onWait;
  }

  get run(): StepRun {
    return this.#run;
  }

  get isSettled(): boolean {
    return this.#gate.isSettled;
  }

  point(): Point {
    const { objective } = this.#run;
    if (objective) return objective.at(this.weights);
    throw new BrinkError(
      'step',
      `step ${this.index} knows no objective. Its source names none; name one there (openStep(data, { objective })) or to the probe (on: objective).`,
    );
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#onWait?.(promise);
    this.#gate.pending.push(promise);
  }

  /** The same step on the same gate, as another part of its run sees it. */
  static derive(step: LiveStep, run: StepRun, onWait?: (promise: Promise<unknown>) => void): LiveStep {
    const both = (promise: Promise<unknown>) => {
      step.#onWait?.(promise);
      onWait?.(promise);
    };
    return new LiveStep(step, run, step.#gate, step.#onWait ? both : onWait);
  }
}

/**
 * The step as a part of its run sees it: with more known of the run, or with `onWait` told of all that is registered
 * on it.
 */
export function derivedStep(step: Step, run: StepRun, onWait?: (promise: Promise<unknown>) => void): Step {
  return LiveStep.derive(requireStep('step', step) as LiveStep, run, onWait);
}

/**
 * The step once more, waited for apart: what an operator hands to a stream of its own, and how it knows when that is
 * done.
 */
export function openAgain(step: Step): OpenStep {
  const gate = new Gate();
  return { step: new LiveStep(step, step.run, gate), settled: () => settle(gate) };
}

/** Throws unless `value` is a step: a copy by spread or through JSON has its data and no longer its run. */
export function requireStep(who: string, value: unknown): Step {
  if (value instanceof LiveStep) return value;
  const { index, weights } = Object(value) as Partial<StepData>;
  throw new BrinkError(
    who,
    weights === undefined
      ? `${value === null ? 'null' : `a value of type ${typeof value}`} came where a step was expected. What stands in front passes something else on; let it pass the step.`
      : `step ${index} is a copy, which has a step's data and no longer its run. Pass the step itself on, or open one: openStep(data, step.run).`,
  );
}

/**
 * Makes a step: what a source of your own calls before it emits. Then it awaits `settled()`, which is the
 * back-pressure.
 *
 * Only index and weights are needed. What is not given is unknown (gradient, loss and learning rate are NaN), and
 * otherwise that of a step of plain full-batch descent: b = n (1 where n is unknown), no replacement, no momentum,
 * epoch = index.
 *
 * @param data `index` and `weights`, and any other of a step's fields. Arrays of any kind are converted; a Float32Array
 *   is used as it is, not copied.
 * @param run What the step knows of its source, all optional: `objective`, whose L is that of its probes; `metadata`,
 *   what rebuilds the source; `total` and `last`, how many steps come at most and the index of the last; `reads`,
 *   files that must not be removed.
 * @throws BrinkError where a number is out of its range or none, a weight is not finite, a vector's length is not that
 *   of the weights or its array an earlier step's with other numbers in it, a name is unknown, or JSON can't hold the
 *   metadata.
 */
export function openStep(data: GivenStep, run: Partial<StepRun> = {}): OpenStep {
  if (!(run instanceof KnownRun)) requireRun(run);
  const whole = checkedStep(data, run.objective ?? null);
  // A gradient that is not given is nobody's to write to.
  const { weights, gradient, velocity, index } = whole;
  const vectors = Object.entries({ weights, gradient: data.gradient && gradient, velocity }).flatMap(
    ([name, vector]) => (vector ? [{ name, vector, content: requireUntouched('openStep', name, index, vector) }] : []),
  );
  const gate = new Gate();
  return {
    step: new LiveStep(whole, stepRun(run), gate),
    settled: async () => {
      await settle(gate);
      for (const { name, vector, content } of vectors) {
        if (content.isIn(vector)) continue;
        throw new BrinkError(
          'step',
          `${name} of step ${index} was written to while it was measured. The run would go on from other numbers, and ` +
            'the probes beside have seen both; write to a copy (.slice()), also of what point.gradient() returns.',
        );
      }
    },
  };
}

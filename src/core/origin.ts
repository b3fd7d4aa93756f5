import type { Observable } from 'rxjs';
import type { JsonObject } from './Json.ts';
import type { RunBranch, Step, StepRun } from './Step.ts';
import type { Table } from './Table.ts';

/** What measured a row: the part of a table's key-values that is the probe's. */
export interface Provenance {
  /** The probe's name; null: a function of the user's own. */
  readonly probe: string | null;
  /** The probe's options, defaults included. */
  readonly options: JsonObject | null;
  /** What the objective that was measured says of itself, the engine included; null: unknown. */
  readonly objective: JsonObject | null;
}

/** What a stream of rows says of itself before there is a row. */
export interface Declared {
  /** Null: rows of a function of the user's own. */
  readonly table: Table | null;
  /** What will have measured the rows, given the first step; null: none comes. */
  provenance(first: Step | null): Provenance;
}

/** Where a row comes from. It is beside the row: no spread and no JSON sees it. */
export interface RowOrigin {
  readonly table: Table | null;
  readonly provenance: Provenance;
  readonly run: StepRun;
}

const DECLARED = Symbol('brink.declared');
const BRANCH = Symbol('brink.branch');
const INPUT = Symbol('brink.input');
const ORIGIN = Symbol('brink.origin');

type Marked = Observable<unknown> & {
  readonly [DECLARED]?: Declared;
  readonly [BRANCH]?: RunBranch;
  readonly [INPUT]?: Observable<unknown>;
};

/** Says what a stream was made from, where it is not an operator of RxJS that made it, and, of rows, what they are. */
export function madeFrom<T extends Observable<unknown>>(
  stream: T,
  input: Observable<unknown>,
  declared: Declared | null = null,
): T {
  return Object.assign(stream, { [INPUT]: input, ...(declared && { [DECLARED]: declared }) });
}

/** Says through which branch of a run a stream of steps goes. */
export function declareBranch<T extends Observable<unknown>>(steps: T, branch: RunBranch): T {
  return Object.assign(steps, { [BRANCH]: branch });
}

/**
 * A stream and those that it was made from, the nearest first. RxJS's operators keep what they were applied to as
 * `source`; functions that make a stream from several, or within a function (merge, concat, defer), don't: there the
 * chain ends.
 */
function* chainOf(stream: Observable<unknown>): Generator<Marked> {
  for (let next: Marked | undefined = stream; next; next = (next[INPUT] ?? next.source) as Marked | undefined)
    yield next;
}

/** The probe that a stream's rows come from, if the chain leads to one. */
export function declaredOf(rows: Observable<unknown>): Declared | undefined {
  for (const stream of chainOf(rows)) if (stream[DECLARED]) return stream[DECLARED];
  return undefined;
}

/** The branch of a run that a stream is made from, if the chain leads to one. */
export function branchOf(stream: Observable<unknown>): RunBranch | undefined {
  for (const { [BRANCH]: branch } of chainOf(stream)) if (branch) return branch;
  return undefined;
}

/** Says where a row comes from. */
export function withOrigin<R extends object>(row: R, origin: RowOrigin): R {
  return Object.defineProperty(row, ORIGIN, { value: origin, configurable: true });
}

/** Where a row comes from; undefined where it was made anew on its way, or is none of brink's. */
export function originOf(row: object): RowOrigin | undefined {
  // A row of one's own may be anything, until a sink checks it.
  return (row as { readonly [ORIGIN]?: RowOrigin } | null)?.[ORIGIN];
}

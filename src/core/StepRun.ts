import type { JsonObject } from './Json.ts';
import type { Objective } from './Objective.ts';
import type { RunBranch } from './RunBranch.ts';

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
  /** The recording that the source goes on with; null: none. */
  readonly resumes: string | null;
  /** L; null: the source names none. */
  readonly objective: Objective | null;
  /** The branch of `run` through which the step goes: its folder, its stop signal; null outside of one. */
  readonly branch: RunBranch | null;
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

/** What a source says of itself once, for all its steps; what it does not say is unknown. One that is whole already stays as it is. */
export function stepRun(known: Partial<StepRun>): StepRun {
  return known instanceof KnownRun ? known : new KnownRun(known);
}

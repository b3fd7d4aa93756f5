import type { Observable } from 'rxjs';
import type { JsonObject } from './Json.ts';
import type { Step } from './Step.ts';

/** A stream of steps that knows its length and how to make it again. */
export type StepSource = Observable<Step> & {
  /** How many steps it emits at most. */
  readonly total: number;
  /** Everything that rebuilds it: optimizer, options, objective. */
  readonly metadata: JsonObject;
  /** Files that it was made from, or reads while it emits: a run must not remove them. */
  readonly reads?: readonly string[];
};

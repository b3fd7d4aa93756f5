import type { RunBranch, Step } from '../core/Step.ts';

/**
 * Which of the stretches of `restartEvery` steps a step lies in, 0 where a run has none: what is carried from step to
 * step ends with its stretch.
 *
 * @param branch The branch of the run; undefined: that of the step.
 */
export function stretchOf({ index, run }: Step, branch: RunBranch | undefined): number {
  const every = (branch ?? run.branch)?.restartEvery ?? null;
  return every === null ? 0 : Math.floor(index / every);
}

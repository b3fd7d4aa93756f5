/** Steps with one verdict. */
export interface Stretch {
  readonly verdict: string;
  readonly from: number;
  /** Where the next one begins, or the last step. */
  to: number;
}

/** Verdicts that follow on each other, those that are the same as one. */
export function stretchesOf(steps: ArrayLike<number>, verdicts: readonly (string | null)[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [k, verdict] of verdicts.entries()) {
    const step = steps[k]!;
    const last = stretches.at(-1);
    if (last) last.to = step;
    if (last?.verdict !== (verdict ?? 'unknown'))
      stretches.push({ verdict: verdict ?? 'unknown', from: step, to: step });
  }
  return stretches;
}

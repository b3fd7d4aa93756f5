/** Steps with one verdict. */
export interface Stretch {
  readonly verdict: string;
  readonly from: number;
  /** Where the next one begins, or the last step. */
  to: number;
}

/** A part of the steps, and from where to where of its height each verdict takes, by its share of them. */
export interface Slot {
  readonly from: number;
  readonly to: number;
  readonly parts: readonly { readonly verdict: string; readonly low: number; readonly high: number }[];
}

/** How verdicts share so many equal parts of a range of steps: where they change too often to be drawn one by one. */
export function slotsOf(stretches: readonly Stretch[], from: number, to: number, count: number): Slot[] {
  const width = (to - from) / count;
  const slots = Array.from({ length: count }, () => new Map<string, number>());
  for (const { verdict, from: begin, to: end } of stretches) {
    const [first, last] = [begin, end].map((step) =>
      Math.max(0, Math.min(count - 1, Math.floor((step - from) / width))),
    );
    for (let k = first!; k <= last!; k++) {
      const shared = Math.min(end, from + (k + 1) * width) - Math.max(begin, from + k * width);
      if (shared > 0) slots[k]!.set(verdict, (slots[k]!.get(verdict) ?? 0) + shared);
    }
  }
  return slots.map((shares, k) => {
    const all = [...shares].sort(([a], [b]) => (a < b ? -1 : 1));
    const sum = all.reduce((so, [, share]) => so + share, 0);
    let high = 0;
    const parts = all.map(([verdict, share]) => {
      const low = high;
      high += share / sum;
      return { verdict, low, high };
    });
    return { from: from + k * width, to: from + (k + 1) * width, parts };
  });
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

/** A line drawn small: its size, and into how many parts its steps are divided. */
export const SPARK = { width: 120, height: 24, points: 120 } as const;

/**
 * The least and the largest of each part of the steps, joined where parts follow on each other; and beside that line,
 * where a value is NaN or infinite, a mark at the top: a run that has left the numbers does not look like one that was
 * short.
 */
export function sparkLine(
  steps: Float64Array,
  values: Float64Array,
  count: number,
  isNull: (row: number) => boolean = () => false,
): { readonly line: string; readonly lost: string } {
  const parts = new Map<number, { least: number; most: number; isLost: boolean }>();
  // Rows need not be written in the order of their steps.
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < count; k++) {
    first = Math.min(first, steps[k]!);
    last = Math.max(last, steps[k]!);
  }
  const partOf = (step: number) =>
    last > first ? Math.min(SPARK.points - 1, Math.floor((SPARK.points * (step - first)) / (last - first))) : 0;
  for (let k = 0; k < count; k++) {
    // What was not measured was not lost.
    if (isNull(k)) continue;
    const part = partOf(steps[k]!);
    const own = parts.get(part) ?? { least: Number.POSITIVE_INFINITY, most: Number.NEGATIVE_INFINITY, isLost: false };
    parts.set(part, own);
    if (!Number.isFinite(values[k]!)) own.isLost = true;
    else {
      own.least = Math.min(own.least, values[k]!);
      own.most = Math.max(own.most, values[k]!);
    }
  }
  const all = [...parts.values()].filter(({ least, most }) => least <= most);
  const low = all.reduce((so, { least }) => Math.min(so, least), Number.POSITIVE_INFINITY);
  const high = all.reduce((so, { most }) => Math.max(so, most), Number.NEGATIVE_INFINITY);
  const x = (part: number) => ((SPARK.width * (part + 0.5)) / SPARK.points).toFixed(1);
  const y = (value: number) =>
    (2 + (SPARK.height - 4) * (high > low ? (high / 2 - value / 2) / (high / 2 - low / 2) : 0.5)).toFixed(1);
  let line = '';
  let lost = '';
  let isJoined = false;
  for (const [part, { least, most, isLost }] of [...parts].sort(([a], [b]) => a - b)) {
    if (isLost) lost += `M${x(part)},0v6`;
    if (least <= most) line += `${isJoined ? 'L' : 'M'}${x(part)},${y(least)}L${x(part)},${y(most)}`;
    // Steps between which nothing was measured are joined, as in the panels; a value that is none is not.
    isJoined = least <= most && !isLost;
  }
  return { line, lost };
}

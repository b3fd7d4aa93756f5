/** Neighbouring axes that are treated alike, among those before and behind them: [outer, length, inner]. */
export interface AxisGroup {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/**
 * The chosen axes of a shape, neighbours together, from the last to the first; `inner` counts those that come before as
 * of length one.
 */
export function axisGroups(shape: readonly number[], axes: readonly number[]): AxisGroup[] {
  const groups: AxisGroup[] = [];
  let inner = 1;
  for (let end = shape.length; end > 0; ) {
    if (!axes.includes(end - 1)) {
      inner *= shape[--end]!;
      continue;
    }
    let start = end - 1;
    while (start > 0 && axes.includes(start - 1)) start--;
    groups.push({ outer: size(shape.slice(0, start)), length: size(shape.slice(start, end)), inner });
    end = start;
  }
  return groups;
}

/** The panels of a figure in rows: three, or of four panels two. */
export function inRows<T>(charts: readonly T[]): T[][] {
  const width = charts.length === 4 ? 2 : 3;
  return Array.from({ length: Math.ceil(charts.length / width) }, (_, k) => charts.slice(k * width, (k + 1) * width));
}

/** Whether every batch of b is all n examples, equally often: then S_b = S_n, and nothing is drawn. */
export function isFullBatch(n: number, b: number, replacement: boolean): boolean {
  return n === 1 || (b === n && !replacement);
}

/** Whether a batch of b is all n examples, each once: then S_b = S_n, and nothing is drawn. */
export function isFullBatch(n: number, b: number, replacement: boolean): boolean {
  return b === n && !replacement;
}

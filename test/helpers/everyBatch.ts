/** All batches of b of n examples: ordered with replacement, else unordered. */
export function everyBatch(n: number, b: number, replacement: boolean): number[][] {
  if (b === 0) return [[]];
  return everyBatch(n, b - 1, replacement).flatMap((head) =>
    Array.from({ length: n }, (_, i) => i)
      .filter((i) => replacement || head.length === 0 || i > head.at(-1)!)
      .map((i) => [...head, i]),
  );
}

/** The best of some rounds, after one to warm up, in seconds. */
export async function fastest(rounds: number, body: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await body();
    if (round > 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

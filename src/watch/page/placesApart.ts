/**
 * Places at least so far apart, in their order, within two ends, and as near to those that are wanted as that allows;
 * null where there is no room for all.
 *
 * @param wanted In rising order.
 */
export function placesApart(
  wanted: readonly number[],
  [low, high]: readonly [number, number],
  apart: number,
): number[] | null {
  const most = high - (wanted.length - 1) * apart;
  if (most < low) return null;
  // Without the distances in between they only have to rise: neighbours that don't take their mean.
  const blocks: { sum: number; count: number }[] = [];
  for (const [k, place] of wanted.entries()) {
    let block = { sum: place - k * apart, count: 1 };
    for (let before = blocks.at(-1); before && before.sum / before.count > block.sum / block.count; ) {
      block = { sum: before.sum + block.sum, count: before.count + block.count };
      blocks.pop();
      before = blocks.at(-1);
    }
    blocks.push(block);
  }
  return blocks
    .flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count))
    .map((place, k) => Math.max(low, Math.min(most, place)) + k * apart);
}

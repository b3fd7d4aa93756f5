/** A chunk from half of `most` up to it, whose last is as full as can be and no single example; `count` if none is. */
export function evenChunk(count: number, most: number): number {
  let best = { chunk: count, fullness: 0 };
  for (let chunk = most; chunk >= Math.max(2, most / 2); chunk--) {
    const last = count % chunk || chunk;
    if (last > 1 && last / chunk > best.fullness) best = { chunk, fullness: last / chunk };
  }
  return best.chunk;
}

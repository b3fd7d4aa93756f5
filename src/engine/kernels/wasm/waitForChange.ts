/**
 * Blocks this thread until the number at a place is another than `value`, and gives the new one.
 *
 * A thread that is told of a change may have seen it before and wait for the next one already: being told is no proof.
 */
export function waitForChange(signal: Int32Array<SharedArrayBuffer>, place: number, value: number): number {
  for (;;) {
    const now = Atomics.load(signal, place);
    if (now !== value) return now;
    Atomics.wait(signal, place, value);
  }
}

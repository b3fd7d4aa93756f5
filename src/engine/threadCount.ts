import { availableParallelism } from 'node:os';

/**
 * How many threads the engine may compute with: BRINK_THREADS, else as many as the machine has cores. Small networks
 * are often faster with one; results of two counts agree to rounding.
 *
 * @throws Error where BRINK_THREADS is no positive integer.
 */
export function threadCount(): number {
  const setting = process.env.BRINK_THREADS;
  if (!setting) return availableParallelism();
  const count = Number(setting);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`BRINK_THREADS is '${setting}'. It must be a positive integer`);
}

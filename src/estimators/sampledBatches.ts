import type { Point } from '../core/Objective.ts';
import { drawBatch, generator } from '../linalg/random.ts';

/** Which batches: draw k of step t and size b is a function of (seed, t, b, k). */
export interface BatchDraw {
  readonly seed: number;
  readonly step: number;
  readonly batchSize: number;
  readonly replacement: boolean;
}

/** The batch of draw k. */
export function sampledBatch(n: number, { seed, step, batchSize, replacement }: BatchDraw, k: number): Int32Array {
  return drawBatch(generator(seed, step, batchSize, k), n, batchSize, replacement);
}

/**
 * How many of K draws tell how far they scatter: K, or 1 where all of them are the same batch, whose standard error
 * would be 0 as if nothing were drawn. Of few examples that comes about: of two draws of one of n examples in 1/n of
 * cases.
 */
export function tellingDraws(n: number, draw: BatchDraw, K: number): number {
  const members = (k: number) => sampledBatch(n, draw, k).sort();
  const first = members(0);
  for (let k = 1; k < K; k++) if (members(k).some((i, place) => i !== first[place])) return K;
  return 1;
}

/**
 * g_ξ [m] of draw k, one array for all probes at the step that ask for the same draw: its product with H is shared
 * with it.
 *
 * Cost: b/n gradients, once; m numbers are held as long as the point is the newest.
 */
export function sampledGradient(point: Point, draw: BatchDraw, k: number): Promise<Float32Array> {
  const { seed, step, batchSize, replacement } = draw;
  return point.memo(['sampledGradient', seed, step, batchSize, replacement, k], async () => {
    const batch = sampledBatch(point.objective.exampleCount, draw, k);
    return (await point.batchGradient(batch)).gradient;
  });
}

/** L(θ − ηg_ξ) for draw k: one forward pass, shared by probes that ask for the same draw. */
export function sampledNextLoss(point: Point, draw: BatchDraw, k: number, learningRate: number): Promise<number> {
  const { seed, step, batchSize, replacement } = draw;
  return point.memo(['sampledNextLoss', seed, step, batchSize, replacement, k, learningRate], async () =>
    point.moved(await sampledGradient(point, draw, k), -learningRate).loss(),
  );
}

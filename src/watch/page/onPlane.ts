import type { WatchedRun, WatchedTable } from '../WatchState.ts';

/**
 * Whether the step that training takes lies along x of a loss plane: with full batches and no momentum or weight decay
 * θ_{t+1} = θ_t − η∇L, and the plane's first direction is −∇L where nobody has named others.
 */
export function liesAlongX(
  { source }: Pick<WatchedRun, 'source'>,
  { options }: Pick<WatchedTable, 'options'>,
): boolean {
  if (source === null || options === null || options.directions !== null) return false;
  const { optimizer, batchSize, replacement, beta1, beta2, weightDecay = 0, objective } = source;
  const isFull = batchSize === (objective as { n?: number } | undefined)?.n && replacement === false;
  return optimizer === 'gradientDescent' && isFull && beta1 === 0 && beta2 === 0 && weightDecay === 0;
}

/**
 * Whether a path was measured on a table's planes: the directions of both are those of the probes themselves. Two that
 * somebody has named may be others.
 */
export function isOnPlane(path: Pick<WatchedTable, 'options'>, planes: Pick<WatchedTable, 'options'>): boolean {
  return [path, planes].every(({ options }) => options !== null && options.directions === null);
}

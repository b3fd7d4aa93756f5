import type { Objective, Point } from '../../src/core/Objective.ts';

/** The same objective, but its layers don't give the norms of per-example gradients: estimators draw signs for them. */
export function withoutExampleNorms(objective: Objective): Objective {
  const without: Objective = { ...objective, exampleNorms: false, at: (weights) => plain(objective.at(weights)) };
  const plain = (point: Point): Point => ({
    ...point,
    objective: without,
    exampleNormsSquared: () => Promise.reject(new Error('these norms are not there')),
    moved: (direction, scale) => plain(point.moved(direction, scale)),
    until: (signal, account) => plain(point.until(signal, account)),
  });
  return without;
}

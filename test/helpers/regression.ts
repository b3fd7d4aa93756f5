import type { Objective } from '../../src/core/Objective.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';

/** A seeded least-squares problem: n examples, m parameters, no perfect fit. */
export function regression(n = 12, m = 5): Objective {
  const numbers = normals(generator(7), n * (m + 1));
  const row = (i: number) => Array.from(numbers.subarray(i * (m + 1), (i + 1) * (m + 1)));
  const rows = Array.from({ length: n }, (_, i) => row(i));
  return leastSquares({ X: rows.map((r) => r.slice(1)), y: rows.map((r) => r[0]!) });
}

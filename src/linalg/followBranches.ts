import { dot, type Vector } from './vector.ts';

/** Two eigenvectors belong to one branch where their overlap |qᵀq'| exceeds this; at most one can with each. */
const SAME = Math.SQRT1_2;

/**
 * Gives eigenvectors the numbers of their branches, so that a branch keeps its identity when eigenvalues cross.
 *
 * A vector continues the branch of the vector of the step before with which it overlaps by more than 1/√2; one that
 * overlaps with none begins a branch of its own. Among orthonormal vectors no two can continue the same branch.
 *
 * @param first The number of the first branch.
 * @returns A function to call once a step, with unit vectors; it answers with their branches, counted from the first.
 */
export function followBranches(first = 0): (vectors: readonly Vector[]) => number[] {
  let last: { readonly vector: Vector; readonly branch: number }[] = [];
  let next = first;
  return (vectors) => {
    const branches = vectors.map((vector) => {
      const before = last.find((other) => Math.abs(dot(other.vector, vector)) > SAME);
      return before ? before.branch : next++;
    });
    last = vectors.map((vector, j) => ({ vector, branch: branches[j]! }));
    return branches;
  };
}

import { from, lastValueFrom, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { followBranches } from '../../src/linalg/followBranches.ts';
import { quadratic } from '../../src/objectives/quadratic.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { stepAt } from '../helpers/stepAt.ts';

const unit = (angle: number) => Float64Array.of(Math.cos(angle), Math.sin(angle), 0);

it('a branch keeps its number while its vector turns slowly, and when it changes places with another', () => {
  const follow = followBranches();
  for (let k = 0; k <= 20; k++) {
    const pair = [unit(k / 10), unit(k / 10 + Math.PI / 2)];
    const order = k % 2 === 0 ? [0, 1] : [1, 0];
    expect(follow(order.map((j) => pair[j]!))).toEqual(order);
  }
});

it('a direction that was not there begins a branch, and one that comes back later another', () => {
  const follow = followBranches();
  const z = Float64Array.of(0, 0, 1);
  expect(follow([unit(0), z])).toEqual([0, 1]);
  expect(follow([unit(0)])).toEqual([0]);
  expect(follow([unit(0), z])).toEqual([0, 2]);
});

it('topEigenvalues tracks one more while the last exceeds the share of the edge, and fewer when they fall', async () => {
  const diagonal = [9.5, 9, 8.5, 3, 2, 1];
  const objective = quadratic({ A: diagonal.map((x, i) => diagonal.map((_, j) => (i === j ? x : 0))) });
  const steps = (learningRate: number) =>
    Array.from({ length: 4 }, (_, index) =>
      stepAt(new Float32Array(6).fill(1), { index, learningRate }, { objective }),
    );
  // The edge is 10, then 100: shares 0.95, 0.9, 0.85, 0.3, then a tenth.
  const rows = await lastValueFrom(
    from([...steps(0.2), ...steps(0.02)]).pipe(topEigenvalues({ count: 1, grow: 0.8, tolerance: 1e-5 }), toArray()),
  );
  expect(rows.map((row) => row.eigenvalues.length)).toEqual([1, 2, 3, 4, 4, 3, 2, 1]);
  expect(rows[3]!.eigenvalues[2]).toBeCloseTo(8.5, 4);
  expect(rows.map((row) => [...Array.from(row.branches)][0])).toEqual(new Array(8).fill(0));
});

it('a run that begins at a later step has branches of its own, which none of a step before can have', async () => {
  const objective = quadratic({ A: [0, 1, 2].map((i) => [0, 1, 2].map((j) => (i === j ? 3 - i : 0))) });
  const rowsFrom = (first: number) => {
    const steps = [first, first + 1].map((index) => stepAt(new Float32Array(3).fill(1), { index }, { objective }));
    return lastValueFrom(from(steps).pipe(topEigenvalues({ count: 2, tolerance: 1e-5 }), toArray()));
  };
  const branches = async (first: number) => (await rowsFrom(first)).map((row) => Array.from(row.branches));
  expect(await branches(0)).toEqual(new Array(2).fill([0, 1]));
  expect(await branches(7)).toEqual(new Array(2).fill([14, 15]));
});

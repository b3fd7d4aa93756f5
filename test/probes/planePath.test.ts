import { lastValueFrom, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { lossPlane } from '../../src/probes/lossPlane.ts';
import { planePath } from '../../src/probes/planePath.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

const descend = (m: number, steps: number, beta1 = 0) => {
  const initialWeights = Float32Array.from({ length: m }, (_, k) => 1 - k / 3);
  return gradientDescent(regression(6, m), { learningRate: 0.05, steps, initialWeights, beta1 });
};

it('is the projection on named directions, made orthonormal, and the distance from their plane', async () => {
  const steps = await lastValueFrom(descend(4, 7).pipe(toArray()));
  const directions = async () => [Float32Array.of(2, 0, 0, 0), Float32Array.of(5, 0, 3, 0)] as const;
  const rows = await lastValueFrom(descend(4, 7).pipe(planePath({ planeEvery: 3, directions }), toArray()));
  expect(rows.map(({ step, plane }) => [step, plane])).toEqual([
    ...[0, 1, 2, 3].map((t) => [t, 0]),
    ...[3, 4, 5, 6].map((t) => [t, 3]),
    ...[6, 7].map((t) => [t, 6]),
  ]);
  for (const { step, plane, x, y, beside } of rows) {
    const [a, b, c, d] = steps[step]!.weights.map((w, k) => w - steps[plane]!.weights[k]!);
    expect(x).toBeCloseTo(a!, 6);
    expect(y).toBeCloseTo(c!, 6);
    expect(beside).toBeCloseTo(Math.hypot(b!, d!), 6);
  }
  expect(rows.at(-1)!.beside).toBeGreaterThan(1e-3);
});

it('lies on the plane of lossPlane: with two parameters the loss there is that of the step', async () => {
  // With momentum the path leaves the first direction.
  const run = () => descend(2, 5, 0.8);
  const losses = await Promise.all(
    (await lastValueFrom(run().pipe(toArray()))).map(({ weights }) => regression(6, 2).at(weights).loss()),
  );
  const path = await lastValueFrom(run().pipe(planePath({ planeEvery: 5, tolerance: 1e-6 }), toArray()));
  const between = path.filter(({ step, plane }) => plane === 0 && step > 0);
  expect(between).toHaveLength(5);
  expect(Math.max(...between.map(({ y }) => Math.abs(y)))).toBeGreaterThan(1e-2);
  for (const { step, x, y, beside } of between) {
    expect(beside).toBeLessThan(1e-6);
    const plane = run().pipe(throttleSteps(100), lossPlane({ coordinates: [x, y], tolerance: 1e-6 }), toArray());
    const there = (await lastValueFrom(plane)).find((row) => row.x === x && row.y === y)!;
    expect(there.loss).toBeCloseTo(losses[step]!, 5);
  }
});

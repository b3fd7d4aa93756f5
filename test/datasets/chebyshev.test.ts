import { expect, it } from 'vitest';
import { chebyshev } from '../../src/datasets/chebyshev.ts';

it('the Chebyshev task is cos(6 arccos x) at twenty points from −1 to 1', () => {
  const { train, test, classes, inputShape, outputCount } = chebyshev();
  expect(train.count).toBe(20);
  expect([inputShape, outputCount, classes, test, train.labels]).toEqual([[1], 1, null, null, null]);
  expect([...train.inputs]).toEqual(Array.from({ length: 20 }, (_, i) => Math.fround(-1 + (2 * i) / 19)));
  train.targets.forEach((y, i) => {
    expect(y).toBeCloseTo(Math.cos(6 * Math.acos(Math.min(1, -1 + (2 * i) / 19))), 6);
  });
});

import { expect, it } from 'vitest';
import { hessianEigenpairs } from '../../src/estimators/hessianEigenpairs.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { collectGarbage } from '../helpers/collectGarbage.ts';
import { regression } from '../helpers/regression.ts';

const settings = { who: 'test', count: 2, tolerance: 1e-3 };
const [n, m] = [30, 20];
const weightsOf = (step: number) => Float32Array.from(normals(generator(step), m));

it('a search is shared by those that begin from the same one, and made anew from another', async () => {
  const objective = regression(n, m);
  const first = await hessianEigenpairs(objective.at(weightsOf(0)), settings, null);
  expect(await hessianEigenpairs(objective.at(weightsOf(0)), settings, null)).not.toBe(first);
  const point = objective.at(weightsOf(1));
  const warm = await hessianEigenpairs(point, settings, first);
  expect(await hessianEigenpairs(point, { ...settings, who: 'other' }, first)).toBe(warm);
  expect(await hessianEigenpairs(point, settings, { ...first, token: {} })).not.toBe(warm);
  expect(await hessianEigenpairs(point, settings, null)).not.toBe(warm);
  expect(await hessianEigenpairs(point, { ...settings, count: 3 }, first)).not.toBe(warm);
});

it('nothing of a search is held but its result, 3 k + 14 vectors at most, and nothing of that after the next', async () => {
  const objective = regression(n, m);
  let found = await hessianEigenpairs(objective.at(weightsOf(0)), settings, null);
  const vectors = [
    ...found.pairs.flatMap(({ vector, product }) => [vector, product]),
    ...found.model.vectors,
    ...(found.model.scout ? [found.model.scout] : []),
  ];
  expect(vectors.length).toBeLessThanOrEqual(3 * 2 + 14);
  const references = vectors.splice(0).map((vector) => new WeakRef(vector));
  found = await hessianEigenpairs(objective.at(weightsOf(1)), settings, found);
  const isHeld = () => references.some((reference) => reference.deref() !== undefined);
  for (let k = 0; k < 50 && isHeld(); k++) await collectGarbage();
  expect(isHeld()).toBe(false);
  expect(found.converged).toBe(true);
});

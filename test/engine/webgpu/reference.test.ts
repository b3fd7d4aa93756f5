import { describe, expect, it } from 'vitest';
import { hessianEigenpairs } from '../../../src/estimators/hessianEigenpairs.ts';
import {
  Comparison,
  openProblem,
  problemNames,
  readArray,
  readJson,
  readObserved,
} from '../../helpers/referenceProblem.ts';

const networks = problemNames
  .map((name) => ({ name, problem: readJson(name) }))
  // Convolutions take a GPU in software minutes; test/engine/convolution.test.ts has small ones.
  .filter(({ problem }) => problem.model === 'mlp')
  .flatMap(({ name, problem }) => ['init', 'trained'].map((state) => ({ name, problem, state })));

describe.each(networks)(
  'WebGPU agrees with double precision: $name at the $state point',
  ({ name, problem, state }) => {
    it('in loss, gradient, Hessian-vector product and sharpness', async () => {
      const values = problem[state];
      const compared = new Comparison(values, readObserved(name)?.[state] ?? null);
      const objective = await openProblem(problem);
      const weights = readArray(values.parameters) as Float32Array;
      const point = objective.at(weights);
      const { engine } = objective.metadata;
      expect(engine).toMatchObject({ name: 'webgpu' });
      compared.near('/loss', await point.loss());
      compared.near('/per_example_losses', await point.exampleLosses());
      compared.near('/gradient', await point.gradient(), { expected: readArray(values.gradient) });
      const v = Float32Array.from(weights, (_, k) => Math.cos(k + 1));
      const { product } = await point.hessianVector(v);
      compared.near('/hvp_check/product', product, { expected: readArray(values.hvp_check.product) });
      const search = { who: 'test', count: 1, tolerance: 1e-3, maxProducts: 100, seed: 0 };
      const { pairs } = await hessianEigenpairs(point, search, null);
      expect(pairs[0]!.value / values.eigenvalues_top[0]).toBeCloseTo(1, 4);
    });
  },
);

import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import type { Loss } from '../../src/engine/Loss.ts';
import type { Model } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { dot, norm } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import { mlp } from '../../src/models/mlp.ts';
import { everything } from '../helpers/everything.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const activation = fc.constantFrom('tanh', 'gelu', 'relu');
const network: fc.Arbitrary<Model> = fc.oneof(
  fc
    .record({ hidden: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }), activation })
    .map((options) => mlp({ inputs: 16, outputs: 3, ...options })),
  fc
    .record({
      channels: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      pooling: fc.tuple(fc.constantFrom('average', 'max'), fc.constantFrom('average', 'max')),
      activation,
    })
    .map((options) => cnn({ inputShape: [4, 4, 1], outputs: 3, ...options })),
);

it('H of any network is symmetric and linear, and its projections are those of the gradient', async () => {
  await fc.assert(
    fc.asyncProperty(
      network,
      fc.constantFrom<Loss>(crossEntropy, meanSquaredError),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(),
      async (model, loss, n, chunk, seed) => {
        const random = generator(seed);
        const draw = (size: number) => Float32Array.from(normals(random, size));
        const labels = Array.from({ length: n }, (_, i) => i % 3);
        const data = arrays({ inputShape: model.inputShape, inputs: draw(16 * n), labels, classes: 3 });
        const objective = await empiricalRisk({ model, data, loss, chunk });
        const point = objective.at(draw(objective.paramCount));
        const [u, v] = [draw(objective.paramCount), draw(objective.paramCount)];
        const [Hu, Hv] = [await point.hessianVector(u), await point.hessianVector(v)];
        // Where the softmax is nearly certain, H is a small difference of large terms: hence a share of ‖u‖ and ‖v‖.
        const rounding = 1e-5 * (norm(Hu.product) + norm(Hv.product) + norm(u) + norm(v));
        const asymmetry = dot(u, Hv.product) - dot(v, Hu.product);
        expect(Math.abs(asymmetry)).toBeLessThan(rounding * Math.max(norm(u), norm(v)));
        // H(u + v) = Hu + Hv.
        const { product } = await point.hessianVector(u.map((x, k) => x + v[k]!));
        const apart = product.map((x, k) => x - Hu.product[k]! - Hv.product[k]!);
        expect(norm(apart)).toBeLessThan(rounding);
        // (1/n) Σ g_iᵀv = ∇Lᵀv.
        const slope = dot(await point.gradient(), v);
        const projected = Hv.projections!.reduce((sum, p) => sum + p, 0) / n;
        const sizes = Hv.projections!.reduce((sum, p) => sum + Math.abs(p), 0) / n;
        expect(Math.abs(projected - slope)).toBeLessThan(1e-5 * sizes + 1e-6);
      },
    ),
    { numRuns: everything ? 40 : 15, seed: 1 },
  );
});

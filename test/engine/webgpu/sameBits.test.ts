import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { digits } from '../../../src/datasets/digits.ts';
import { empiricalRisk } from '../../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../../src/losses/crossEntropy.ts';
import { mlp } from '../../../src/models/mlp.ts';
import { everything } from '../../helpers/everything.ts';

const bits = (values: Float32Array | Float64Array | null) => Buffer.from(values!.buffer).toString('hex');

it.runIf(everything)(
  'the same product has the same bits: again, of examples uploaded anew, and from what is kept at θ or not',
  {
    timeout: 400_000,
  },
  async () => {
    const model = mlp({ inputs: 64, hidden: [32, 32], outputs: 10, activation: 'tanh' });
    const parts = { model, data: await digits({ train: 200 }), loss: crossEntropy, chunk: 80 };
    const [keeps, forgets] = [await empiricalRisk(parts), await empiricalRisk({ ...parts, keptBytes: 0 })];
    const weights = keeps.initialWeights(0);
    const v = Float32Array.from(weights, (_, k) => Math.cos(k + 1));
    const product = async (objective: typeof keeps, direction = v) => {
      const { product, projections } = await objective.at(weights).hessianVector(direction);
      return { product: bits(product), projections: bits(projections) };
    };
    const first = await product(keeps);
    // From what the first has left on the device, with another between.
    const other = await product(keeps, v.map(Math.abs));
    expect(await product(keeps)).toEqual(first);
    await nextTurn();
    await nextTurn();
    expect(await product(keeps)).toEqual(first);
    expect(await product(forgets)).toEqual(first);
    expect(await product(forgets)).toEqual(first);
    expect(other).not.toEqual(first);
    expect(keeps.metadata.engine).toMatchObject({ name: 'webgpu' });
  },
);

import { arrays } from '../../src/datasets/arrays.ts';
import type { Model } from '../../src/engine/Model.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { normal } from '../../src/models/initializers.ts';
import { activate, dense, normalize } from '../../src/models/layers.ts';
import { sequential } from '../../src/models/sequential.ts';

/** A smooth network of 36 parameters with batch normalisation, 3 → 4 → 2. */
export const normalizedNet: Model = sequential({
  name: 'normalizedNet',
  config: {},
  inputShape: [3],
  layers: [
    dense(4, normal(1)),
    normalize(1e-2),
    activate('tanh'),
    dense(2, normal(1)),
    normalize(1e-2),
    dense(2, normal(1)),
  ],
});

/** `count` seeded examples of three inputs and two targets. */
export const normalizedData = (count: number) =>
  arrays({
    inputShape: [3],
    inputs: normals(generator(21), 3 * count),
    targets: normals(generator(22), 2 * count),
  });

/** Those of a data set that `batch` names, as a data set of their own. */
export function subset(count: number, batch: Iterable<number>) {
  const { inputs, targets } = normalizedData(count).train;
  const rows = (array: Float32Array, width: number) =>
    Array.from(batch, (i) => [...array.subarray(i * width, (i + 1) * width)]).flat();
  return arrays({ inputShape: [3], inputs: rows(inputs, 3), targets: rows(targets, 2) });
}

/** Its L on `count` examples cut into chunks. */
export const normalizedRisk = (count: number, chunk?: number) =>
  empiricalRisk({
    model: normalizedNet,
    data: normalizedData(count),
    loss: meanSquaredError,
    ...(chunk && { chunk }),
  });

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileData } from '../../src/datasets/fileData.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { norm } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { cnn } from '../../src/models/cnn.ts';
import { mlp } from '../../src/models/mlp.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { checkpoints } from '../../src/recording/checkpoints.ts';
import { loadWeights } from '../../src/recording/loadWeights.ts';
import { saveWeights } from '../../src/recording/saveWeights.ts';
import { stepAt } from '../helpers/stepAt.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/pytorch');
const json = (name: string) => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8'));
const relative = (found: number, expected: number) => Math.abs(found / expected - 1);
/** How far an entry is from that of another vector at most, in parts of the other's largest. */
function furthest(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...found.map((entry, k) => Math.abs(entry - expected[k]!))) / largest;
}
/** What float32 leaves of sums over 96 examples, seen at 3e-7. */
const FLOAT32 = 2e-6;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-pytorch-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a run of PyTorch’s', () => {
  it('has the λ₁, interaction-aware sharpness and loss that PyTorch finds in float64', async () => {
    const model = mlp({ inputs: 64, hidden: [12], outputs: 10, activation: 'tanh' });
    const objective = await empiricalRisk({
      model,
      data: await fileData(join(FIXTURES, 'train.npz')),
      loss: crossEntropy,
    });
    const steps = checkpoints(join(FIXTURES, 'run/step-*.safetensors'), {
      objective,
      learningRate: 0.5,
      batchSize: 96,
    });
    const expected = json('run.json');
    const eigenvalues = await lastValueFrom(steps.pipe(topEigenvalues({ tolerance: 1e-4 }), toArray()));
    expect(eigenvalues.map(({ step }) => step)).toEqual([0, 40, 80]);
    for (const { step, lambda_1 } of eigenvalues) {
      expect(relative(lambda_1, expected[step].lambda1), `λ₁ at ${step}`).toBeLessThan(FLOAT32);
    }
    const asked = interactionAwareSharpness({ batchSizes: [16, 96], draws: 400, deflate: 8 });
    for (const { step, batch_size, ias, ias_standard_error } of await lastValueFrom(steps.pipe(asked, toArray()))) {
      const exact = expected[step].sharpness[batch_size];
      const what = `${batch_size} at ${step}: ${ias} ± ${ias_standard_error}, ${exact}`;
      if (batch_size === 96) expect(relative(ias, exact), what).toBeLessThan(10 * FLOAT32);
      else {
        expect(Math.abs(ias - exact), what).toBeLessThan(4.5 * ias_standard_error);
        expect(ias_standard_error, what).toBeLessThan(0.1 * exact);
      }
    }
    for (const { index, batchLoss, gradient } of await lastValueFrom(steps.pipe(toArray()))) {
      expect(relative(batchLoss, expected[index].loss)).toBeLessThan(FLOAT32);
      expect(relative(norm(gradient), expected[index].gradientNorm)).toBeLessThan(FLOAT32);
      const file = `gradient-${`${index}`.padStart(6, '0')}.safetensors`;
      expect(furthest(gradient, loadWeights(join(FIXTURES, file), model)), `∇L at ${index}`).toBeLessThan(FLOAT32);
    }
  });

  it('of convolutions has its kernels, and its images flattened, in another order: loss, ∇L and λ₁ are the same', async () => {
    const { config, loss, gradientNorm, lambda1, sharpness } = json('cnn.json');
    const model = cnn(config);
    const data = await fileData(join(FIXTURES, 'images.npz'));
    const objective = await empiricalRisk({ model, data, loss: crossEntropy });
    const weights = loadWeights(join(FIXTURES, 'cnn.safetensors'), model);
    // The same under the prefix of a network within a network, as npz.
    expect(loadWeights(join(FIXTURES, 'cnn.npz'), objective)).toEqual(weights);
    const point = objective.at(weights);
    const gradient = await point.gradient();
    expect(relative(await point.loss(), loss)).toBeLessThan(FLOAT32);
    expect(relative(norm(gradient), gradientNorm)).toBeLessThan(FLOAT32);
    expect(furthest(gradient, loadWeights(join(FIXTURES, 'cnn.gradient.safetensors'), model))).toBeLessThan(FLOAT32);
    const { product } = await point.hessianVector(gradient);
    const found = gradient.reduce((sum, g, k) => sum + g * product[k]!, 0) / norm(gradient) ** 2;
    expect(relative(found, sharpness)).toBeLessThan(10 * FLOAT32);
    const step = stepAt(weights, {}, { objective });
    const { lambda_1 } = await lastValueFrom(of(step).pipe(topEigenvalues({ tolerance: 1e-4 })));
    expect(relative(lambda_1, lambda1)).toBeLessThan(10 * FLOAT32);

    // And back: the file is PyTorch's own again, tensor by tensor.
    const path = join(folder, 'again.safetensors');
    saveWeights(path, model, weights, { layout: 'pytorch' });
    const tensors = (file: string) => {
      const all = readSafetensors('test', file, ['F32']).tensors;
      return Object.fromEntries(
        all.map(({ name, shape, values }) => [name, { shape, values: [...(values as Float32Array)] }]),
      );
    };
    expect(tensors(path)).toEqual(tensors(join(FIXTURES, 'cnn.safetensors')));
  });
});

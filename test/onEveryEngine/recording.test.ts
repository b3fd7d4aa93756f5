import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/core/Dataset.ts';
import type { Step } from '../../src/core/Step.ts';
import { arrays } from '../../src/datasets/arrays.ts';
import { chebyshev } from '../../src/datasets/chebyshev.ts';
import { digits } from '../../src/datasets/digits.ts';
import type { Model } from '../../src/engine/Model.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import { cnn6 } from '../../src/models/cnn6.ts';
import { mlp } from '../../src/models/mlp.ts';
import { resnet9 } from '../../src/models/resnet9.ts';
import { wideResnet } from '../../src/models/wideResnet.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { edge } from '../../src/probes/edge.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { fork } from '../../src/recording/fork.ts';
import { objectiveOf } from '../../src/recording/objectiveOf.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import type { GradientDescentOptions } from '../../src/training/settings.ts';
import { collect } from '../recording/plain.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-recording-'));
  path = join(folder, 'recording.arrows');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const net = mlp({ inputs: 64, hidden: [8], outputs: 10, activation: 'tanh' });
const onDigits = async () =>
  empiricalRisk({ model: net, data: await digits({ train: 48, test: 16 }), loss: crossEntropy, chunk: 20 });

/** A test set is measured, some steps are skipped, and a row hangs on the ones before: whatever could differ. */
const branches = {
  loss: (s: Observable<Step>) => s.pipe(trainingLoss({ test: true }), toParquet()),
  eigenvalues: (s: Observable<Step>) => s.pipe(throttleSteps(2), topEigenvalues({ count: 2 }), toParquet()),
  sharpness: (s: Observable<Step>) => s.pipe(interactionAwareSharpness({ batchSizes: [8, 48] }), toParquet()),
  edge: (s: Observable<Step>) => s.pipe(throttleSteps(3), edge(), toParquet()),
};
const tables = Object.keys(branches).map((name) => `${name}.parquet`);

describe('replayed probes write tables that are the same to the byte as live ones', () => {
  it.each<[string, Omit<GradientDescentOptions, 'steps'>, boolean]>([
    ['gradient descent', { learningRate: 0.3 }, false],
    ['SGD', { learningRate: 0.2, batchSize: 16 }, false],
    ["Polyak's momentum, with the gradient recorded", { learningRate: 0.1, beta1: 0.8 }, true],
    ["SGD with Nesterov's momentum", { learningRate: 0.1, batchSize: 16, beta1: 0.8, beta2: 0.8 }, false],
  ])('for %s', async (_, options, gradient) => {
    const objective = await onDigits();
    const source = gradientDescent(objective, { ...options, steps: 4, seed: 9 });
    const quiet = { progress: false };
    const live = { ...branches, recording: (s: Observable<Step>) => s.pipe(record(path, { gradient })) };
    expect((await run(source, live, { ...quiet, directory: join(folder, 'live') })).state).toBe('finished');
    for (const [name, given] of Object.entries({ again: {}, built: { objective: await objectiveOf(path) } })) {
      await run(replay(path, given), branches, { ...quiet, directory: join(folder, name) });
      for (const file of tables) {
        const [one, other] = [name, 'live'].map((directory) => readFileSync(join(folder, directory, file)));
        expect(one!.equals(other!), `${name}/${file}`).toBe(true);
      }
    }
  });
});

it('a run resumed in the middle, and a fork that changes nothing, have the bits of the whole run', async () => {
  const objective = await onDigits();
  const options = { learningRate: 0.1, steps: 8, batchSize: 16, beta1: 0.8, beta2: 0.8, seed: 1 };
  const whole = await collect(gradientDescent(objective, options).pipe(record(path, { to: 4 })));
  const own = { objective: await onDigits() };
  for (const given of [{}, own]) {
    expect(await collect(resume(path, given))).toEqual(whole.slice(4));
    expect(await collect(fork(path, { ...given, steps: 4 }))).toEqual(whole.slice(4));
  }
});

it('a run from another engine is not resumed; its replay says which engine measured', async () => {
  const objective = await onDigits();
  const source = gradientDescent(objective, { learningRate: 0.1, steps: 2 });
  const engine = { name: 'another', device: 'CPU', version: '0' };
  const other = Object.assign(await onDigits(), { metadata: { ...objective.metadata, engine } });
  await collect(gradientDescent(other, { learningRate: 0.1, steps: 2 }).pipe(record(path)));
  await expect(collect(resume(path))).rejects.toThrow(
    /^resume: .* was recorded with objective\.engine\.name "another"/,
  );
  await expect(collect(resume(path, { objective }))).rejects.toThrow('That would be another run');
  const directory = join(folder, 'again');
  await run(replay(path), { loss: branches.loss }, { directory, progress: false });
  const { metadata } = await readTable(join(directory, 'loss.parquet'));
  expect(metadata.objective).toEqual(objective.metadata);
  expect(metadata.source).toMatchObject({ objective: { engine } });
  expect(await collect(replay(path))).toEqual(await collect(source));
});

describe('objectiveOf', () => {
  const images = arrays({
    inputs: Float32Array.from({ length: 8 * 12 * 12 * 3 }, (_, k) => Math.sin(k)),
    inputShape: [12, 12, 3],
    labels: [0, 1, 2, 0, 1, 2, 0, 1],
    classes: 3,
  });
  const shapes = { inputShape: [12, 12, 3], outputs: 3 };
  const smooth = { ...shapes, activation: 'tanh', pooling: ['average'], channels: [4] } as const;

  it.each<[string, Model, Dataset]>([
    ['cnn', cnn(smooth), images],
    ['cnn6', cnn6(shapes), images],
    ['resnet9', resnet9(shapes), images],
    ['wideResnet', wideResnet({ ...shapes, depth: 10, width: 1 }), images],
    ['mlp', mlp({ inputs: 1, hidden: [5], outputs: 1, activation: 'gelu' }), chebyshev()],
  ])('rebuilds a %s with the same loss', async (name, model, data) => {
    const loss = name === 'mlp' ? meanSquaredError : crossEntropy;
    const objective = await empiricalRisk({ model, data, loss, ...(model.coupled && { chunk: 4 }) });
    await collect(gradientDescent(objective, { learningRate: 0.01, steps: 0 }).pipe(record(path)));
    const rebuilt = await objectiveOf(path, name === 'mlp' ? {} : { data });
    expect(rebuilt.metadata).toEqual(objective.metadata);
    const weights = objective.initialWeights(3);
    expect(await rebuilt.at(weights).loss()).toBe(await objective.at(weights).loss());
  });

  it('refuses other data than was recorded, naming both checksums', async () => {
    const objective = await onDigits();
    await collect(gradientDescent(objective, { learningRate: 0.1, steps: 1 }).pipe(record(path)));
    const checksum = (data: Dataset) => (data.metadata.train as { readonly inputsSha256: string }).inputsSha256;
    const [recorded, other] = [await digits({ train: 48 }), await digits({ train: 48, center: false })];
    await expect(objectiveOf(path, { data: other })).rejects.toThrow(
      `was recorded with data.train.inputsSha256 "${checksum(recorded)}", and the objective has "${checksum(other)}"`,
    );
    const mine = await empiricalRisk({ model: net, data: other, loss: crossEntropy });
    expect(() => replay(path, { objective: mine })).toThrow(checksum(other));
    const without = await empiricalRisk({ model: net, data: recorded, loss: crossEntropy, chunk: 48 });
    expect((await firstValueFrom(replay(path, { objective: without }))).run.total).toBe(2);
    const wrongLoss = await empiricalRisk({ model: net, data: recorded, loss: meanSquaredError });
    expect(() => replay(path, { objective: wrongLoss })).toThrow(
      'loss.name "crossEntropy", and the objective has "meanSquaredError"',
    );
  });

  it('takes models and losses that were brought along', async () => {
    const model = { ...net, name: 'mine' };
    const loss = { ...crossEntropy, name: 'own' };
    const data = await digits({ train: 20 });
    const objective = await empiricalRisk({ model, data, loss });
    const steps = await collect(gradientDescent(objective, { learningRate: 0.1, steps: 1 }).pipe(record(path)));
    await expect(objectiveOf(path)).rejects.toThrow("the model 'mine'");
    expect(await collect(replay(path, { objective: await objectiveOf(path, { model, loss }) }))).toEqual(steps);
  });
});

describe.runIf(process.env.BRINK_ENGINE === 'tensorflow')('a recording made operation by operation', () => {
  it.each([[false], [true]])('is measured so again: with graphs %s', async (graphs) => {
    const data = await digits({ train: 48 });
    const objective = await empiricalRisk({ model: net, data, loss: crossEntropy, graphs });
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 2, seed: 1 });
    await run(steps, { recording: (s) => s.pipe(record(path)) }, { directory: join(folder, 'run'), progress: false });
    const again = await objectiveOf(path);
    expect(again.metadata).toEqual(objective.metadata);
    expect((again.metadata.engine as { graphs?: boolean }).graphs ?? false).toBe(graphs);
  });
});

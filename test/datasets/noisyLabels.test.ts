import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import { chooseExamples } from '../../src/datasets/chooseExamples.ts';
import { digits } from '../../src/datasets/digits.ts';
import { noisyLabels } from '../../src/datasets/noisyLabels.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { mlp } from '../../src/models/mlp.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const changes = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).filter((label, i) => label !== b[i]).length;

describe('labels with noise', () => {
  const clean = Int32Array.from({ length: 6000 }, (_, i) => i % 6);

  it('are wrong as often as draws among all classes are, each class alike; others stay', () => {
    for (const share of [0.1, 0.5, 1]) {
      const noisy = noisyLabels(clean, 6, { labelNoise: share, labelSeed: 4 });
      const expected = share * 6000 * (5 / 6);
      expect(Math.abs(changes(noisy, clean) - expected)).toBeLessThan(4.5 * Math.sqrt((share * 6000 * 5) / 36));
      const counts = new Array(6).fill(0);
      for (const [i, label] of noisy.entries()) if (label !== clean[i]) counts[label]++;
      for (const count of counts) expect(Math.abs(count - expected / 6)).toBeLessThan(4.5 * Math.sqrt(expected / 6));
    }
    expect(noisyLabels(clean, 6, { labelNoise: 0 })).toEqual(clean);
    expect(changes(noisyLabels(clean, 6, { labelNoise: 1 / 6000, labelSeed: 2 }), clean)).toBeLessThanOrEqual(1);
  });

  it('are a function of share and seed', () => {
    const of = (labelNoise: number, labelSeed: number) => [...noisyLabels(clean, 6, { labelNoise, labelSeed })];
    expect(of(0.3, 1)).toEqual(of(0.3, 1));
    expect(changes(of(0.3, 1), of(0.3, 2))).toBeGreaterThan(1000);
  });

  it('are those of the training examples alone, with their targets; the metadata says how many are wrong', async () => {
    const options = { train: 500, test: 100 };
    const [plain, noisy] = await Promise.all([digits(options), digits({ ...options, labelNoise: 1, labelSeed: 3 })]);
    const wrong = changes(noisy.train.labels!, plain.train.labels!);
    expect(wrong).toBeGreaterThan(400);
    expect(noisy.metadata.labelNoise).toEqual({ share: 1, seed: 3, wrong });
    expect(noisy.train.inputs).toEqual(plain.train.inputs);
    expect(noisy.test).toEqual(plain.test);
    const { labels, targets } = noisy.train;
    labels!.forEach((label, i) => {
      expect([...targets.subarray(10 * i, 10 * i + 10)]).toEqual(
        Array.from({ length: 10 }, (_, c) => Number(c === label)),
      );
    });
    expect(plain.metadata).not.toHaveProperty('labelNoise');
  });

  it('are refused where they make no sense', async () => {
    await expect(digits({ labelNoise: 1.5 })).rejects.toThrow('digits: labelNoise is 1.5. It must be a number from 0');
    await expect(digits({ labelSeed: 0.5 })).rejects.toThrow('digits: labelSeed is 0.5.');
    const regression = { inputs: [1, 2], inputShape: [1], targets: [1, 2], labelNoise: 0.5 };
    expect(() => arrays(regression)).toThrow('arrays: labelNoise is 0.5, and there are no labels. Leave it out.');
  });
});

describe('a seeded subset', () => {
  const labels = Array.from({ length: 300 }, (_, i) => (i < 250 ? 0 : 1));

  it('is of a random order, balanced where it is to be, in the order of the files', () => {
    const first = chooseExamples('test', labels, 100, 'first', 1);
    expect(first).toEqual(first.toSorted());
    expect(new Set(first).size).toBe(100);
    expect(Math.max(...first)).toBeGreaterThan(250);
    const shared = [...chooseExamples('test', labels, 100, 'first', 2)].filter((i) => first.includes(i)).length;
    expect(Math.abs(shared - 100 / 3)).toBeLessThan(25);
    expect(chooseExamples('test', labels, 100, 'first', 1)).toEqual(first);
    const balanced = chooseExamples('test', labels, 60, 'balanced', 1);
    expect(balanced.filter((i) => labels[i] === 1).length).toBe(30);
    expect(balanced).not.toEqual(chooseExamples('test', labels, 60, 'balanced'));
    // A larger subset contains the smaller.
    const larger = new Set(chooseExamples('test', labels, 80, 'balanced', 1));
    expect([...balanced].every((i) => larger.has(i))).toBe(true);
    expect(() => chooseExamples('test', labels, 6, 'first', -1)).toThrow('test: subsetSeed is -1.');
  });

  it('stands in every table with the checksums of what was used', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'brink-subset-'));
    const data = await digits({ train: 30, subset: 'balanced', subsetSeed: 5, labelNoise: 0.5 });
    const model = mlp({ inputs: 64, hidden: [], outputs: 10, activation: 'tanh' });
    const objective = await empiricalRisk({ model, data, loss: crossEntropy });
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 1 });
    await run(
      steps,
      { loss: (s) => s.pipe(trainingLoss(), toParquet()) },
      { directory, overwrite: true, progress: false },
    );
    const { metadata } = await readTable(join(directory, 'loss.parquet'));
    expect(metadata.objective).toMatchObject({
      data: {
        subset: 'balanced',
        subsetSeed: 5,
        labelNoise: { share: 0.5, seed: 0 },
        source: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        train: { count: 30, inputsSha256: expect.stringMatching(/^[0-9a-f]{64}$/), targetsSha256: expect.any(String) },
      },
    });
    rmSync(directory, { recursive: true });
  });
});

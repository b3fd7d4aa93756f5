import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, type Observable, type OperatorFunction, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { writeSafetensors } from '../../src/files/safetensors.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';
import { edge } from '../../src/probes/edge.ts';
import { expectedLossChange } from '../../src/probes/expectedLossChange.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { lossSlice } from '../../src/probes/lossSlice.ts';
import { scalingRule } from '../../src/probes/scalingRule.ts';
import { sliceMinimum } from '../../src/probes/sliceMinimum.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { type CheckpointsOptions, checkpoints } from '../../src/recording/checkpoints.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const objective = leastSquares({
  X: [
    [1, 0],
    [0, 3],
    [1, 1],
    [2, 1],
  ],
  y: [1, 2, 3, 4],
});

let folder: string;
let all: string;
const save = (name: string, values: readonly number[]) =>
  writeSafetensors(join(folder, name), {
    tensors: [{ name: 'w', shape: [values.length], values: Float32Array.from(values) }],
    metadata: {},
  });
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brink-checkpoints-'));
  mkdirSync(join(folder, 'a'));
  const live = gradientDescent(objective, { learningRate: 0.1, steps: 12, initialWeights: [3, -2] });
  for (const { index, weights } of await lastValueFrom(live.pipe(toArray()))) {
    if (index % 3 === 0) save(`a/step-${index}.safetensors`, [...weights]);
  }
  all = join(folder, 'a', 'step-*.safetensors');
});
afterEach(() => rmSync(folder, { recursive: true }));

const steps = (options: Partial<CheckpointsOptions> = {}) => checkpoints(all, { objective, ...options });
const collected = <T>(stream: Observable<T>) => lastValueFrom(stream.pipe(toArray()));

describe('checkpoints', () => {
  it('are the steps of the run that left them, in order, and measured as those', async () => {
    const known = { learningRate: 0.1, batchSize: 4, beta1: 0, beta2: 0 };
    const live = gradientDescent(objective, { learningRate: 0.1, steps: 12, initialWeights: [3, -2] });
    for (const probe of [topEigenvalues(), trainingLoss(), edge()]) {
      const later = await collected(steps(known).pipe(probe as ReturnType<typeof trainingLoss>));
      const rows = await collected(live.pipe(probe as ReturnType<typeof trainingLoss>));
      expect(later.map(({ step }) => step)).toEqual([0, 3, 6, 9, 12]);
      // What is seen from step to step (λ₁ has risen) is another.
      const { verdict: _, rule: _rule, ...last } = { ...later.at(-1), verdict: '', rule: '' };
      expect(rows.at(-1)).toMatchObject(last);
    }
    expect((await collected(steps({ from: 4, to: 9 }))).map(({ index }) => index)).toEqual([6, 9]);
  });

  it('say of what is not known of them that it is not, and measure the rest', async () => {
    const [first] = await collected(steps());
    const { learningRate, batchSize, beta1, beta2, batchLoss, epoch, velocity, batch } = first!;
    expect([learningRate, batchSize, beta1, beta2, batchLoss, epoch]).toEqual(new Array(6).fill(Number.NaN));
    expect([velocity, batch, first!.gradient.every(Number.isNaN)]).toEqual([null, null, true]);
    const [nesterov] = await collected(steps({ batchSize: 4, beta1: 0.9, beta2: 0.9 }));
    expect([nesterov!.batchLoss, nesterov!.gradient[0]]).toEqual([Number.NaN, Number.NaN]);
    const [row] = await collected(steps().pipe(topEigenvalues()));
    expect(row!.edge).toBeNaN();
    expect(row!.lambda_1).toBeGreaterThan(1);
    const [sharpness] = await collected(steps().pipe(interactionAwareSharpness({ batchSizes: [4] })));
    expect(sharpness!.ias).toBeGreaterThan(0);
    const [loss] = await collected(steps().pipe(trainingLoss()));
    expect(loss!.loss).toBeGreaterThan(0);
    const asks = [
      lossSlice(),
      expectedLossChange({ batchSizes: [2] }),
      sliceMinimum(),
      scalingRule({ batchSizes: [2] }),
    ];
    for (const probe of asks) {
      const rows = steps({ batchSize: 4 }).pipe(probe as OperatorFunction<Step, object>);
      await expect(collected(rows)).rejects.toThrow(/step 0 doesn't say its learning rate η, and without it/);
    }
    await expect(collected(steps({ learningRate: 0.1 }).pipe(edge()))).rejects.toThrow(/its batch size b, and without/);
    const [glance] = await collected(steps({ batchSize: 4, learningRate: 0.1 }).pipe(edge()));
    expect(glance!.verdict).toBe('unknown');
    await expect(collected(steps().pipe(record(join(folder, 'x.arrows'))))).rejects.toThrow(
      'batchSize is NaN at step 0',
    );
  });

  it('know of each step what a table says, and its place from it', async () => {
    const table = join(folder, 'log.csv');
    copyFileSync(join(folder, 'a', 'step-3.safetensors'), join(folder, 'a', 'late.safetensors'));
    writeFileSync(
      table,
      'file,step,learning_rate,batch_size,beta1,loss\na/late.safetensors,70,0.1,2,0.9,x\na/step-0.safetensors,10,0.2,,,\n',
    );
    const files = ['late', 'step-0'].map((name) => join(folder, 'a', `${name}.safetensors`));
    const found = await collected(checkpoints(files, { objective, table, learningRate: 1, batchSize: 3, beta2: 0 }));
    const told = found.map(({ index, learningRate, batchSize, beta1, beta2, epoch }) => [
      ...[index, learningRate, batchSize, beta1, beta2, epoch],
    ]);
    expect(told).toEqual([
      [10, 0.2, 3, Number.NaN, 0, 7.5],
      [70, 0.1, 2, 0.9, 0, 35],
    ]);
    const more = checkpoints([...files, join(folder, 'a', 'step-6.safetensors')], { objective, table });
    await expect(collected(more)).rejects.toThrow(/log\.csv has no row of .*step-6\.safetensors/);
    for (const [text, message] of [
      ['step,beta1\n0,2\n', /line 2, column 'beta1' is '2'\. It must be a number in its range/],
      ['step\n0\n0\n', /line 3, column 'step' is '0'\. There is a row of this step/],
      ['step,batch_size\n0,2.5\n', /column 'batch_size' is '2\.5'/],
      ['time\n0\n', /has no column 'step'\. It has time\./],
      ['step\n5\n', /has no row of step 0\. It has 1;/],
    ] as const) {
      writeFileSync(table, text);
      await expect(collected(checkpoints(files.slice(1), { objective, table }))).rejects.toThrow(message);
    }
  });

  it('go through a run to tables, which say which files they were, and to a recording', async () => {
    const known = { learningRate: 0.1, batchSize: 4, beta1: 0, beta2: 0 };
    const directory = join(folder, 'out');
    await run(
      steps(known),
      { loss: (s) => s.pipe(trainingLoss(), toParquet()), recording: (s) => s.pipe(record()) },
      { directory, progress: false },
    );
    const { rows, metadata } = await readTable(join(directory, 'loss.parquet'), trainingLoss.table);
    expect(rows.map(({ step }) => step)).toEqual([0, 3, 6, 9, 12]);
    const files = { count: 5, first: 'step-0.safetensors', last: 'step-12.safetensors' };
    expect(metadata.source).toMatchObject({
      source: 'checkpoints',
      files,
      ...known,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const again = await collected(replay(join(directory, 'recording.arrows'), { objective }).pipe(trainingLoss()));
    expect(again).toEqual(rows);
  });

  it('have in a recording of them no gradient that they had not', async () => {
    const nothing = new Float32Array(2).fill(Number.NaN);
    const file = join(folder, 'recording.arrows');
    for (const [known, isKnown] of [
      [{ batchSize: 4 }, true],
      [{ batchSize: 3 }, false],
      [{ batchSize: 4, replacement: true }, false],
      [{ batchSize: 4, beta1: 0.9, beta2: 0.9 }, false],
    ] as const) {
      const live = await collected(steps({ ...known, from: 3 }).pipe(record(file, { overwrite: true })));
      const again = await collected(replay(file, { objective }));
      expect(again.map(({ gradient }) => gradient)).toEqual(live.map(({ gradient }) => gradient));
      expect(again[0]!.gradient).toEqual(isKnown ? await objective.at(live[0]!.weights).gradient() : nothing);
    }
  });

  it('say in their tables as what the weights were stored', async () => {
    const half = join(folder, 'a', 'step-12.safetensors');
    // (1.5, −2.25) in bfloat16.
    const header = JSON.stringify({ w: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(half, Buffer.concat([length, Buffer.from(header), Buffer.from([0xc0, 0x3f, 0x10, 0xc0])]));
    const all = await collected(steps());
    expect(all.at(-1)!.weights).toEqual(Float32Array.of(1.5, -2.25));
    expect(all[0]!.run.metadata).toMatchObject({ storedAs: ['BF16', 'F32'] });
    expect((await collected(steps({ to: 9 })))[0]!.run.metadata).toMatchObject({ storedAs: ['F32'] });
  });

  it('are refused at the call where no file, no step or two of a step are named', () => {
    const of =
      (files: string | string[], options: object = {}) =>
      () =>
        checkpoints(files, { objective, ...options });
    expect(of(join(folder, 'b', '*.safetensors'))).toThrow(/^checkpoints: no file fits '.*b\/\*\.safetensors' in /);
    expect(of([])).toThrow('checkpoints: files is []');
    expect(of(join(folder, 'a', '*'), { from: 13 })).toThrow(
      'checkpoints: there are steps 0 to 12, and none from 13 to the last. Choose others.',
    );
    mkdirSync(join(folder, 'b'));
    save('b/step-3.safetensors', [1, 2]);
    expect(of(join(folder, '*', '*.safetensors'))).toThrow(/are both of step 3\. They are of several runs; make a/);
    save('b/last.safetensors', [1, 2]);
    expect(of([join(folder, 'b', 'last.safetensors')])).toThrow(/last\.safetensors has no number in its name/);
    expect(of([join(folder, 'b', 'step-3.pt')])).toThrow(/there is no file .*step-3\.pt/);
    writeFileSync(join(folder, 'b', 'step-4.pt'), '');
    expect(of([join(folder, 'b', 'step-4.pt')])).toThrow(/is none of \.safetensors, \.npz\. Save weights so/);
    expect(of(all, { learningRate: -1 })).toThrow('checkpoints: learningRate is -1');
    expect(of(all, { batchSize: 5 })).toThrow('checkpoints: batchSize is 5. The objective has 4 examples.');
    expect(of(all, { momentum: 0.9 })).toThrow("checkpoints: there is no option 'momentum'.");
    expect(() => checkpoints(all, {} as never)).toThrow('checkpoints: objective is');
  });

  it('end at a file that does not fit; those before it are measured', async () => {
    save('a/step-4.safetensors', [1, 2, 3]);
    const seen: number[] = [];
    const end = new Promise((resolve) => {
      steps().subscribe({ next: ({ index }) => seen.push(index), error: resolve });
    });
    expect(String(await end)).toMatch(/step-4\.safetensors has w as \[3\]\. In the objective its shape is \[2\]\./);
    expect(seen).toEqual([0, 3]);
    save('a/step-4.safetensors', [1, Number.NaN]);
    await expect(collected(steps())).rejects.toThrow(/step-4\.safetensors: w, entry 1 is NaN/);
  });
});

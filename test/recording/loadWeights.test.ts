import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { initialWeights } from '../../src/engine/Model.ts';
import { readSafetensors, writeSafetensors } from '../../src/files/safetensors.ts';
import { mlp } from '../../src/models/mlp.ts';
import { resnet9 } from '../../src/models/resnet9.ts';
import { quadratic } from '../../src/objectives/quadratic.ts';
import { loadWeights } from '../../src/recording/loadWeights.ts';
import { record } from '../../src/recording/record.ts';
import { saveWeights } from '../../src/recording/saveWeights.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const model = mlp({ inputs: 3, hidden: [2], outputs: 4, activation: 'tanh' });
const weights = initialWeights(model, 5);

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-load-'));
  path = join(folder, 'theta.safetensors');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes the tensors of PyTorch's layout under other names, and some more. */
function rename(of: (name: string) => string, more: readonly string[] = []): void {
  saveWeights(path, model, weights, { layout: 'pytorch', overwrite: true });
  const { tensors } = readSafetensors('test', path, ['F32']);
  const renamed = tensors.map(({ name, shape, values }) => ({ name: of(name), shape, values: values as Float32Array }));
  const added = more.map((name) => ({ name, shape: [2], values: Float32Array.of(1, 2) }));
  writeSafetensors(path, { tensors: [...renamed, ...added], metadata: {} });
}

describe('loadWeights', () => {
  it('knows PyTorch’s names, behind a prefix too, and leaves running statistics out', () => {
    rename((name) => name);
    expect(loadWeights(path, model)).toEqual(weights);
    rename((name) => `module.net.${name}`, ['module.net.1.running_mean', 'module.net.1.running_var']);
    expect(loadWeights(path, model)).toEqual(weights);
  });

  it('takes other names in the order of the parameters', () => {
    const names: Record<string, string> = {
      '0.weight': 'fc1.weight',
      '0.bias': 'fc1.bias',
      '2.weight': 'out.w',
      '2.bias': 'a',
    };
    rename((name) => names[name]!);
    expect(loadWeights(path, model, { names: Object.values(names) })).toEqual(weights);
    expect(() => loadWeights(path, model)).toThrow(
      /has no dense1\/kernel, .* It has fc1\.weight, fc1\.bias, out\.w, a\. Say by names which of them are dense1\/kernel, /,
    );
    expect(() => loadWeights(path, model, { names: ['fc1.weight'] })).toThrow(
      'names has 1 entries, and mlp has 4 parameters. Name one for each of dense1/kernel [3,2], dense1/bias [2], ',
    );
    expect(() => loadWeights(path, model, { names: ['out.w', 'fc1.bias', 'fc1.weight', 'a'] })).toThrow(
      "has out.w as [4,2]. In mlp its shape is [2,3], in PyTorch's order.",
    );
    expect(() => loadWeights(path, model, { names: ['fc1.weight', 'a', 'out.w', 'a'] })).toThrow('has a as [4]');
  });

  it('comes back from PyTorch’s layout for every layer, batch normalisation included', () => {
    const net = resnet9({ inputShape: [12, 12, 3] });
    const theta = initialWeights(net, 2).map((w, k) => w + (k % 7));
    saveWeights(path, net, theta, { layout: 'pytorch' });
    const again = loadWeights(path, net);
    expect(Buffer.from(again.buffer).equals(Buffer.from(theta.buffer))).toBe(true);
    const names = readSafetensors('test', path, ['F32']).tensors.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['0.weight', '1.weight', '1.bias', '6.branch.4.bias', '16.weight']));
  });

  it('says of a model of one’s own that PyTorch’s layout is not known', () => {
    const own = { name: 'own', parameters: model.parameters.map(({ pytorch: _, ...parameter }) => parameter) };
    expect(() => saveWeights(path, own, weights, { layout: 'pytorch' })).toThrow(
      /layout is 'pytorch', and where PyTorch has dense1\/kernel of own is not known/,
    );
    const [first, ...rest] = model.parameters;
    const wrong = { ...first!, pytorch: { name: 'w', shape: [2, 3], apart: [3, 2], axes: [1, 1] } };
    expect(() =>
      saveWeights(path, { name: 'own', parameters: [wrong, ...rest] }, weights, { layout: 'pytorch' }),
    ).toThrow(
      'pytorch: w is [2,3] there, apart [3,2] with the axes [1,1], and has 6 entries. The axes must be an order',
    );
    expect(() => saveWeights(path, own, weights, { layout: 'torch' as 'brink' })).toThrow("layout is 'torch'.");
  });

  it('reads a step of a recording', async () => {
    const recording = join(folder, 'recording.arrows');
    const objective = quadratic({
      A: [
        [2, 0],
        [0, 3],
      ],
      b: [1, 1],
      c: 0,
    });
    const last = await lastValueFrom(
      gradientDescent(objective, { learningRate: 0.1, steps: 4, initialWeights: [1, 2] }).pipe(record(recording)),
    );
    expect(loadWeights(recording, objective, { step: 4 })).toEqual(last.weights);
    expect(() => loadWeights(recording, objective)).toThrow('is a recording, and step is not given.');
    expect(() => loadWeights(recording, objective, { step: 5 })).toThrow('holds steps 0 to 4, and not step 5.');
    expect(() => loadWeights(recording, model, { step: 4 })).toThrow('is of 2 parameters, and mlp has 20.');
    saveWeights(path, model, weights);
    expect(() => loadWeights(path, model, { step: 4 })).toThrow('step is 4, and ');
  });

  it('takes the weights of a network of tf.layers, which has them in the same order', () => {
    const net = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [3], units: 2, activation: 'tanh' }), tf.layers.dense({ units: 4 })],
    });
    const loaded = loadWeights(net, model);
    const theirs = net.trainableWeights.flatMap((weight) => [...weight.read().dataSync()]);
    expect([...loaded]).toEqual(theirs);
    const other = tf.sequential({ layers: [tf.layers.dense({ inputShape: [3], units: 4 })] });
    expect(() => loadWeights(other, model)).toThrow(/the network has .*\[3,4\].*, and mlp has dense1\/kernel \[3,2\]/);
    expect(() => loadWeights(3 as never, model)).toThrow(
      'loadWeights: the source is 3. It must be a path, or a network',
    );
  });
});

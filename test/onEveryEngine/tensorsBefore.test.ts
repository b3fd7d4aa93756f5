import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** What a program prints last, as JSON. */
async function run(program: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd: root });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

const RISK = `
  const inputs = Float32Array.from({ length: 32 }, (_, k) => Math.sin(k));
  const data = brink.arrays({ inputShape: [4], inputs, labels: [0, 1, 2, 0, 1, 2, 0, 1], classes: 3 });
  const net = tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 3 })] });
  const before = [...(await net.predict(tf.ones([1, 4])).data())];
  const own = tf.tensor([1, 2, 3]);
  const variable = tf.variable(tf.tensor([4, 5]));
`;
const SURVIVES = `
  const point = objective.at(objective.initialWeights(0));
  const finite = Number.isFinite(await point.loss()) && (await point.gradient()).every(Number.isFinite);
  const after = [...(await net.predict(tf.ones([1, 4])).data())];
  const same = after.every((x, k) => Math.abs(x - before[k]) < 1e-5);
  const sum = (await tf.add(own, 1).data())[2] + (await variable.data())[1];
  tf.dispose([own, variable]);
  net.dispose();
  console.log(JSON.stringify({ finite, same, sum }));
`;

it.each([
  [
    'made before anything of brink is called',
    `import * as tf from '@tensorflow/tfjs'; import * as brink from 'brink'; ${RISK}
     const model = brink.layersModel(net);
     const objective = await brink.empiricalRisk({ model, data, loss: brink.crossEntropy }); ${SURVIVES}`,
  ],
  [
    'made by a program that imports brink first',
    `import * as brink from 'brink'; import * as tf from '@tensorflow/tfjs'; ${RISK}
     const model = brink.layersModel(net);
     const objective = await brink.empiricalRisk({ model, data, loss: brink.crossEntropy }); ${SURVIVES}`,
  ],
  [
    'made while the engine opens',
    `import * as brink from 'brink'; import * as tf from '@tensorflow/tfjs';
     const opening = brink.openEngine();
     await new Promise((resolve) => setTimeout(resolve, 20)); ${RISK}
     await opening;
     const model = brink.layersModel(net);
     const objective = await brink.empiricalRisk({ model, data, loss: brink.crossEntropy }); ${SURVIVES}`,
  ],
  [
    "made with TensorFlow.js's own WebAssembly",
    `import * as tf from '@tensorflow/tfjs'; import '@tensorflow/tfjs-backend-wasm'; import * as brink from 'brink';
     await tf.setBackend('wasm'); ${RISK}
     const model = brink.layersModel(net);
     const objective = await brink.empiricalRisk({ model, data, loss: brink.crossEntropy }); ${SURVIVES}`,
  ],
])("a program's own tensors and networks live on: %s", async (_name, program) => {
  expect(await run(program)).toEqual({ finite: true, same: true, sum: 9 });
});

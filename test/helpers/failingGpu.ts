// Trains on the engine webgpu into a folder, until the GPU fails at step 2 in the way that is named: `lost`, or `full`.
import * as tf from '@tensorflow/tfjs';
import { tap } from 'rxjs';
import { digits } from '../../src/datasets/digits.ts';
import type { WebGpuBackend } from '../../src/engine/kernels/webgpu/WebGpuBackend.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { mlp } from '../../src/models/mlp.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const [way, directory] = process.argv.slice(2) as [string, string];
const model = mlp({ inputs: 64, hidden: [4], outputs: 10, activation: 'tanh' });
const objective = await empiricalRisk({ model, data: await digits({ train: 10 }), loss: crossEntropy });
const { device, bufferManager } = tf.backend() as unknown as WebGpuBackend;

/** No driver has the memory for so many of the largest buffers. */
const fill = () => {
  const size = Math.min(device.limits.maxBufferSize!, device.limits.maxStorageBufferBindingSize!);
  for (let k = 0; k < 64; k++) bufferManager.acquireBuffer(size, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
};
const fail = () => (way === 'lost' ? setImmediate(() => device.destroy()) : fill());

await run(
  gradientDescent(objective, { learningRate: 0.1, steps: 200, seed: 1 }),
  {
    loss: (s) =>
      s.pipe(
        tap(({ index }) => index === 2 && fail()),
        trainingLoss(),
        toParquet(),
      ),
  },
  { directory },
);

// Runs passes of a small network, with the argument `signals` while these arrive as fast as they can; prints how many
// did, and a hash of all results.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { arrays } from '../../src/datasets/arrays.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { mlp } from '../../src/models/mlp.ts';

const n = 1024;
const data = arrays({
  inputShape: [64],
  inputs: Float32Array.from({ length: 64 * n }, (_, k) => Math.sin(k)),
  labels: Array.from({ length: n }, (_, i) => i % 10),
  classes: 10,
});
const model = mlp({ inputs: 64, hidden: [32, 32, 32], outputs: 10, activation: 'tanh' });
const objective = await empiricalRisk({ model, data, loss: crossEntropy });

let signals = 0;
process.on('SIGUSR2', () => signals++);
const sender =
  process.argv[2] === 'signals'
    ? new Worker(`for (;;) process.kill(${process.pid}, 'SIGUSR2');`, { eval: true })
    : null;
// A busy machine may take longer to start the sender than the passes take.
if (sender) await once(process, 'SIGUSR2');
const hash = createHash('sha256');
for (let k = 0; k < 300; k++) {
  const point = objective.at(objective.initialWeights(k % 3));
  const gradient = await point.gradient();
  const { product } = await point.hessianVector(gradient);
  hash.update(gradient).update(product);
}
await sender?.terminate();
console.log(JSON.stringify({ signals, hash: hash.digest('hex') }));

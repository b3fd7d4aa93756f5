// Peak memory of a gradient and a Hessian-vector product of cnn6 with n examples in chunks of 128, each in a process
// of its own: it is to depend on the chunk, not on n (but for the data itself, 12 kB an example).
// Usage: node bench/memory.ts
import { execFileSync } from 'node:child_process';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';

const CHUNK = 128;

if (process.argv[2] === 'child') {
  const { arrays, cnn6, crossEntropy, empiricalRisk } = await import('brink');
  const n = Number(process.argv[3]);
  const inputs = Float32Array.from({ length: n * 3072 }, (_, k) => Math.sin(k));
  const labels = Uint8Array.from({ length: n }, (_, i) => i % 10);
  const data = arrays({ inputs, inputShape: [32, 32, 3], labels, classes: 10 });
  const objective = await empiricalRisk({ model: cnn6(), data, loss: crossEntropy, chunk: CHUNK });
  const point = objective.at(objective.initialWeights(0));
  await point.hessianVector(await point.gradient());
  console.log(process.resourceUsage().maxRSS / 1024 - (inputs.byteLength * 2) / 2 ** 20);
} else {
  const rows: string[][] = [];
  for (const engine of ['tensorflow', 'wasm']) {
    const peak = (n: number) =>
      Number(
        execFileSync(process.execPath, [import.meta.filename, 'child', String(n)], {
          env: { ...process.env, BRINK_ENGINE: engine },
          encoding: 'utf8',
        }),
      );
    const [small, large] = [peak(1024), peak(4096)];
    rows.push([engine, `${small.toFixed(0)} MiB`, `${large.toFixed(0)} MiB`, (large / small).toFixed(2)]);
  }
  console.log(markdownTable(['engine', 'n = 1024', 'n = 4096', 'ratio'], rows));
  console.log(conditions([]));
}

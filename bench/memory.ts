// Peak memory of a gradient and a Hessian-vector product of cnn6 with n examples in chunks of 128, each in a process
// of its own: it is to depend on the chunk, not on n, but for the data itself, 12 kB an example, and for what is kept
// at θ for further products, at most `keptBytes`.
// Usage: node bench/memory.ts
import { execFileSync } from 'node:child_process';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';

const CHUNK = 128;

if (process.argv[2] === 'child') {
  const { arrays, cnn6, crossEntropy, empiricalRisk } = await import('brink');
  const [n, keptBytes] = process.argv.slice(3).map(Number) as [number, number];
  const inputs = Float32Array.from({ length: n * 3072 }, (_, k) => Math.sin(k));
  const labels = Uint8Array.from({ length: n }, (_, i) => i % 10);
  const data = arrays({ inputs, inputShape: [32, 32, 3], labels, classes: 10 });
  const objective = await empiricalRisk({ model: cnn6(), data, loss: crossEntropy, chunk: CHUNK, keptBytes });
  const point = objective.at(objective.initialWeights(0));
  await point.hessianVector(await point.gradient());
  console.log(process.resourceUsage().maxRSS / 1024 - (inputs.byteLength * 2) / 2 ** 20);
} else {
  const rows: string[][] = [];
  for (const [label, BRINK_ENGINE, BRINK_GRAPHS, keptBytes] of [
    ['tensorflow, as graphs', 'tensorflow', 'on', 2 ** 30],
    ['the same, nothing kept at θ', 'tensorflow', 'on', 0],
    ['tensorflow, operation by operation', 'tensorflow', 'off', 2 ** 30],
    ['the same, nothing kept at θ', 'tensorflow', 'off', 0],
    ['wasm', 'wasm', 'off', 2 ** 30],
    ['the same, nothing kept at θ', 'wasm', 'off', 0],
  ] as const) {
    const peak = (n: number) =>
      Number(
        execFileSync(process.execPath, [import.meta.filename, 'child', `${n}`, `${keptBytes}`], {
          env: { ...process.env, BRINK_ENGINE, BRINK_GRAPHS },
          encoding: 'utf8',
        }),
      );
    const [small, large] = [peak(1024), peak(4096)];
    rows.push([label, `${small.toFixed(0)} MiB`, `${large.toFixed(0)} MiB`, (large / small).toFixed(2)]);
  }
  console.log(markdownTable(['engine', 'n = 1024', 'n = 4096', 'ratio'], rows));
  console.log(conditions([]));
}

// How fast are weights recorded, against writing the same bytes plainly? Both end with an fsync; the time until the
// system has the bytes and the time until the disk has them are told apart. Then how fast a recording is scanned and
// replayed.
// Usage: node bench/recording.ts [folder]   (default: the temporary folder; it needs 1 GB)
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, Subject } from 'rxjs';
import type { Step } from '../src/core/Step.ts';
import { record } from '../src/recording/record.ts';
import { replay } from '../src/recording/replay.ts';
import { stepAt } from '../test/helpers/stepAt.ts';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';
import { formatSpread, spread } from './spread.ts';

/** Weights of a step, and how many steps: an mlp's and cnn6's. */
const CASES = [
  { m: 4522, steps: 4000 },
  { m: 512118, steps: 200 },
] as const;
const ROUNDS = 7;

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'brink-bench-'));
const path = join(folder, 'recording.arrows');

/** A ring of weights, so that neither contender finds its bytes in a cache. */
function weightsOf(m: number): Float32Array[] {
  return Array.from({ length: 16 }, (_, k) => Float32Array.from({ length: m }, (__, i) => Math.sin(i + k)));
}

const stepOf = (index: number, weights: Float32Array): Step =>
  stepAt(weights, { index, gradient: weights, batchLoss: 1, epoch: index });

/** Seconds until the system has every byte, and until the disk has. */
interface Times {
  readonly written: number;
  readonly synced: number;
}

function plainly(weights: readonly Float32Array[], steps: number): Times {
  const start = performance.now();
  const file = openSync(path, 'w');
  for (let t = 0; t < steps; t++) {
    const { buffer, byteLength } = weights[t % weights.length]!;
    for (let at = 0; at < byteLength; ) at += writeSync(file, new Uint8Array(buffer, at));
  }
  const written = (performance.now() - start) / 1000;
  fsyncSync(file);
  closeSync(file);
  return { written, synced: (performance.now() - start) / 1000 };
}

function recorded(weights: readonly Float32Array[], steps: number): Times {
  const start = performance.now();
  const source = new Subject<Step>();
  source.pipe(record(path)).subscribe();
  for (let t = 0; t < steps; t++) source.next(stepOf(t, weights[t % weights.length]!));
  const written = (performance.now() - start) / 1000;
  source.complete();
  return { written, synced: (performance.now() - start) / 1000 };
}

try {
  const writing: string[][] = [];
  const reading: string[][] = [];
  for (const { m, steps } of CASES) {
    const weights = weightsOf(m);
    const megabytes = (4 * m * steps) / 1e6;
    const times: Record<'plain' | 'brink', Times[]> = { plain: [], brink: [] };
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, write] of [
        ['plain', plainly],
        ['brink', recorded],
      ] as const) {
        const result = write(weights, steps);
        if (round > 0) times[name].push(result);
        if (name === 'plain' || round < ROUNDS) rmSync(path);
      }
    }
    const rate = (name: 'plain' | 'brink', of: keyof Times) => times[name].map((time) => megabytes / time[of]);
    const ratio = (of: keyof Times) => rate('brink', of).map((r, k) => r / rate('plain', of)[k]!);
    for (const [name, label] of [
      ['plain', 'fs.writeSync'],
      ['brink', 'record'],
    ] as const) {
      writing.push([
        `${label}, m = ${m}, ${steps} steps`,
        formatSpread(rate(name, 'written'), 0),
        name === 'plain' ? '1' : formatSpread(ratio('written'), 2),
        formatSpread(rate(name, 'synced'), 0),
        name === 'plain' ? '1' : formatSpread(ratio('synced'), 2),
      ]);
    }
    const overhead = statSync(path).size / (4 * m * steps) - 1;
    const before = process.memoryUsage().rss;
    const begin = performance.now();
    // The gradient is none of what is measured here.
    const objective = {
      metadata: {},
      paramCount: m,
      coupled: false,
      at: () => ({ gradient: async () => weights[0], performance: async () => ({}) }),
    };
    const replayedSteps = replay(path, { objective: objective as never });
    const scanned = performance.now();
    await lastValueFrom(replayedSteps);
    const replayed = performance.now();
    const grown = process.memoryUsage().rss - before;
    const plain = spread(
      Array.from({ length: 3 }, () => {
        const start = performance.now();
        readFileSync(path);
        return performance.now() - start;
      }),
    ).median;
    reading.push([
      `m = ${m}, ${steps} steps`,
      `${(100 * overhead).toFixed(1)} %`,
      ((scanned - begin) / steps).toFixed(3),
      ((replayed - scanned) / steps).toFixed(3),
      (plain / steps).toFixed(3),
      (grown / 1e6).toFixed(0),
    ]);
    rmSync(path);
  }
  console.log(markdownTable(['writing', 'MB/s to the system', 'ratio', 'MB/s to the disk', 'ratio'], writing));
  console.log();
  console.log(
    markdownTable(
      [
        'reading',
        'bytes beside weights',
        'scan, ms a step',
        'replay, ms a step',
        'readFileSync, ms a step',
        'memory grown, MB',
      ],
      reading,
    ),
  );
  console.log();
  console.log(conditions([]));
} finally {
  rmSync(folder, { recursive: true });
}

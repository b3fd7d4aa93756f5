import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-gpu-'));
  for (const name of ['bench', 'bin', 'output/quickstart']) mkdirSync(join(folder, name), { recursive: true });
  copyFileSync(join(import.meta.dirname, '../../bench/gpu.sh'), join(folder, 'bench/gpu.sh'));
  addTool('git', 'echo brink 1234567');
  addTool('npm', 'exit 0');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A stand-in for a program. */
function addTool(name: string, script: string): void {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Stands in for the programs of brink: what `brink engine` says, and how often each was asked for. */
function addBrink(engines: string, more = ''): void {
  addTool(
    'npx',
    `echo "$BRINK_ENGINE $BRINK_SOFTWARE_GPU $*" >> asked
case "$*" in
  *'brink.ts engine') echo '${engines}' ;;
  *quickstart.ts) echo rows > output/quickstart/loss.parquet ;;
  ${more}
esac`,
  );
}

function report(...args: string[]) {
  // Of the system's tools all but a GPU's.
  const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, TMPDIR: folder };
  const { status, stdout, stderr } = spawnSync('bash', ['bench/gpu.sh', ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  const file = /The report is in (\S+);/.exec(stdout)?.[1];
  return { status, stdout, stderr, pasted: file ? readFileSync(file, 'utf8') : '' };
}
const asked = () => readFileSync(join(folder, 'asked'), 'utf8');

const CUDA = 'tensorflow  usable: GPU NVIDIA H100; TensorFlow 2.21.0';

describe('bench/gpu.sh', () => {
  it('refuses an engine that it does not know', () => {
    const { status, stderr } = report('wegpu');
    expect(stderr).toBe("bench/gpu.sh: the engine is 'wegpu'. It must be tensorflow or webgpu.\n");
    expect(status).toBe(2);
  });

  it.runIf(spawnSync('nvidia-smi').error)('ends at once where there is no driver, before 3 GB are downloaded', () => {
    const { status, pasted } = report();
    expect(pasted).toContain('nvidia-smi is missing: there is no driver of NVIDIA.\nFAILED with 1\n');
    expect(pasted).toMatch(/\nThe rest was not run: CUDA needs the driver\.\n1 failed: Machine\n$/);
    expect(status).toBe(1);
  });

  it('ends with a sentence where the engine computes on the CPU', () => {
    addTool('nvidia-smi', 'echo NVIDIA H100, 550.1');
    addBrink('tensorflow  usable: CPU, 2 threads; TensorFlow 2.21.0');
    const { status, pasted } = report();
    expect(pasted).toContain('The engine tensorflow does not compute on a GPU here.\nFAILED with 1\n');
    expect(pasted).toMatch(/\nThe rest was not run: it would say nothing of the GPU\.\n1 failed: Engines\n$/);
    expect(status).toBe(1);
    expect(asked()).not.toContain('verify');
  });

  it('goes through all parts on CUDA', () => {
    addTool('nvidia-smi', 'echo NVIDIA H100, 550.1');
    addBrink(CUDA);
    const { status, stdout, pasted } = report();
    expect(pasted.match(/^## .*/gm)).toEqual(
      [
        ...['Machine', 'Packages', 'Installing CUDA', 'Engines', 'Reference values', 'Tests of the engine'],
        ...['Quickstart, twice', 'Products against PyTorch and JAX'],
      ].map((title) => `## ${title}`),
    );
    expect(pasted).toContain('tables of two runs: the same bytes');
    expect(pasted).toMatch(/\nall parts passed\n$/);
    expect(stdout.startsWith(pasted)).toBe(true);
    expect(status).toBe(0);
    expect(asked()).toMatch(/^tensorflow {2}node src\/cli\/brink\.ts verify$/m);
    expect(asked()).toMatch(/^tensorflow {2}node bench\/gpuProducts\.ts$/m);
  });

  it.runIf(spawnSync('nvidia-smi').error)(
    "tests WebGPU on the GPU's own driver, and leaves PyTorch out where NVIDIA's is not there",
    () => {
      addBrink('webgpu      usable: GPU apple-m4; TensorFlow.js');
      expect(report('webgpu').status).toBe(0);
      expect(asked()).toMatch(/^ off vitest run --project webgpu$/m);
      expect(asked()).toMatch(/^webgpu {2}node bench\/gpuProducts\.ts --without-peers$/m);
      expect(asked()).not.toContain('--cuda');
    },
  );

  it('goes on where a part fails, and names those that did', () => {
    addTool('nvidia-smi', 'echo NVIDIA H100, 550.1');
    addBrink(CUDA, "*verify) echo 'failed: 1 of 19'; exit 1 ;;");
    const { status, pasted } = report();
    expect(pasted).toContain('failed: 1 of 19\nFAILED with 1\n');
    expect(pasted).toContain('## Products against PyTorch and JAX');
    expect(pasted).toMatch(/\n1 failed: Reference values\n$/);
    expect(status).toBe(1);
  });

  it('says so where two runs have not the same bytes, or a run does not come to its end', () => {
    addTool('nvidia-smi', 'echo NVIDIA H100, 550.1');
    addBrink(CUDA);
    const npx = readFileSync(join(folder, 'bin/npx'), 'utf8');
    writeFileSync(join(folder, 'bin/npx'), npx.replace('echo rows >', 'date +%N >'));
    expect(report().pasted).toContain('tables of two runs: NOT THE SAME BYTES\nFAILED with 1\n');
    writeFileSync(join(folder, 'bin/npx'), npx.replace('echo rows > output/quickstart/loss.parquet', 'exit 3'));
    expect(report().pasted).toContain('The quickstart did not come to its end.\nFAILED with 1\n');
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runSweep, type SubmitOptions, submitSweep, writePlan } from '../../src/index.ts';
import { cellsOfTask } from '../../src/sweep/slurmScript.ts';
import { brink } from '../cli/brinkProcess.ts';

let parent: string;
let directory: string;
beforeAll(async () => {
  // Without Slurm, whatever is installed.
  vi.stubEnv('PATH', '');
  parent = mkdtempSync(join(tmpdir(), 'brink-submit-'));
  directory = join(parent, "it's a sweep");
  writePlan(directory, {
    pipeline: { data: { name: 'digits', train: 16 }, steps: 1, learningRate: 0.1, probes: [{ name: 'trainingLoss' }] },
    ...{ axes: { seed: Array.from({ length: 2500 }, (_, k) => k) }, threads: 3 },
  });
  for (const index of [1, 2]) await runSweep(directory, { index, progress: false });
}, 60_000);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(parent, { recursive: true, force: true });
});

const printed = (options: SubmitOptions) => submitSweep(directory, { print: true, ...options });
const optionsOf = (script: string) => [...script.matchAll(/^#SBATCH (.*)$/gm)].map(([, option]) => option!);
const arrays = ({ jobs }: ReturnType<typeof submitSweep>) =>
  jobs.map(({ script }) =>
    optionsOf(script)
      .find((option) => option.startsWith('--array='))!
      .slice('--array='.length),
  );

describe('submitSweep', () => {
  it('asks for the cells that have not ended, in arrays that Slurm takes', () => {
    expect(printed({})).toMatchObject({ cells: 2498, queued: 0, ended: 2 });
    expect(arrays(printed({}))).toEqual(['0,3-1000', '0-1000', '0-497']);
    expect(arrays(printed({ cellsPerTask: 3, atOnce: 8 }))).toEqual(['0-833%8']);
    // What the second array adds to the numbers of its tasks, in the name of the job and in the script.
    const { script } = printed({}).jobs[1]!;
    expect(script).toContain('first=$(( (SLURM_ARRAY_TASK_ID + 1001) * 1 ))');
    expect(optionsOf(script)[0]).toMatch(/^--job-name=it_s_a_sweep-[0-9a-f]{12}-1001-1$/);
  });

  it("has the limits of a task, the plan's threads and whatever else sbatch takes", () => {
    const { script } = printed({ time: '1-12', grace: 300, requeues: 4, sbatch: ['--mem=4G', '-p gpu'] }).jobs[0]!;
    expect(optionsOf(script)).toEqual(
      expect.arrayContaining(['--time=1-12', '--signal=USR2@300', '--cpus-per-task=3', '--mem=4G', '-p gpu']),
    );
    expect(optionsOf(script)).toContain(`--chdir="${process.cwd()}"`);
    expect(script).toMatch(/SLURM_RESTART_COUNT:-0\}" -lt 4 \]/);
    // In quotes where there is a space in it.
    expect(script.replaceAll("'", '')).toContain(` ${process.execPath} `);
    expect(script).toContain(`'${directory.replace("'", "'\\''")}' --index "$first-$last"`);
  });

  it('finds the cells of a task in the name of its job', () => {
    expect(cellsOfTask('sweep-0123abcd-1001-2', 3, '0123abcd')).toEqual([2008, 2009]);
    expect(cellsOfTask('sweep-0123abcd-1001-2', 3, 'fedc9876')).toBeNull();
    expect(cellsOfTask('interactive', 3, '0123abcd')).toBeNull();
  });

  it('says where to submit if there is no Slurm, and takes no other number of threads', () => {
    expect(() => submitSweep(directory)).toThrow(/there is no squeue here.*--print.*brink sweep run/);
    vi.stubEnv('BRINK_THREADS', '2');
    expect(() => printed({})).toThrow('BRINK_THREADS is 2, and the sweep was planned with 3');
    vi.stubEnv('BRINK_THREADS', '');
  });

  it.each<[string, SubmitOptions, string]>([
    ['a time that Slurm does not know', { time: '2 hours' }, "time is '2 hours'"],
    ['no cells a task', { cellsPerTask: 0 }, 'cellsPerTask is 0'],
    ['half a task', { atOnce: 0.5 }, 'atOnce is 0.5'],
    ['an option that is none', { sbatch: ['gpu'] }, "'gpu' is no option of sbatch"],
    ['an option with a line of its own', { sbatch: ['-p a\nrm'] }, 'is no option of sbatch'],
  ])('refuses %s', (_name, options, message) => {
    expect(() => printed(options)).toThrow(message);
  });

  it('prints scripts, one after the other, and submits nothing', async () => {
    const args = ['sweep', 'submit', directory, '--slurm', '--print', '--sbatch=--mem=1G', '--sbatch=--nice'];
    const { code, stdout } = await brink(args, { PATH: '' });
    expect(code).toBe(0);
    expect(stdout.match(/^#!\/bin\/bash$/gm)).toHaveLength(3);
    expect(stdout).toContain('# The rest is another script, 2 of 3');
    expect(stdout).toContain('#SBATCH --mem=1G\n#SBATCH --nice\n');
    expect((await brink(['sweep', 'submit', directory], { PATH: '' })).code).toBe(2);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { toy } from '../../src/objectives/quadratic.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const folder = mkdtempSync(join(tmpdir(), 'brink-watching-'));
/** The processes that this one has started and that watch the folder. */
const watchers = () =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${process.pid}`], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('watch') && line.includes(folder))
    .map((line) => Number.parseInt(line, 10));

afterEach(() => {
  for (const pid of watchers()) process.kill(pid, 'SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

it('serves the page beside the run by a process of its own, which outlives it', async () => {
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  const directory = join(folder, 'run');
  try {
    const { state } = await run(
      gradientDescent(toy(), { learningRate: 0.01, steps: 20 }),
      { loss: (s) => s.pipe(trainingLoss(), toArrow()) },
      { directory, progress: false, watch: true },
    );
    expect(state).toBe('finished');
    await vi.waitUntil(() => said.join('').includes('token='), { timeout: 20_000 });
  } finally {
    spy.mockRestore();
  }
  const address = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(said.join(''))![0];
  await wait(100);
  expect(watchers()).toHaveLength(1);
  const entered = await fetch(address, { redirect: 'manual' });
  expect(entered.status).toBe(303);
  const cookie = entered.headers.get('set-cookie')!.split(';')[0]!;
  const answer = await fetch(new URL('/state', address), { headers: { cookie } });
  expect(await answer.json()).toMatchObject({ runs: [{ state: 'finished', steps: 21 }] });
}, 60_000);

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toy } from '../../src/objectives/quadratic.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { brink, program } from './brinkProcess.ts';
import { startProgram } from './startRun.ts';

let parent: string;
beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-watch-cli-'));
  await run(
    gradientDescent(toy(), { learningRate: 0.01, steps: 5 }),
    { loss: (s) => s.pipe(trainingLoss(), toArrow()) },
    { directory: join(parent, 'run'), progress: false },
  );
});
afterAll(() => rmSync(parent, { recursive: true }));

describe('brink watch', { timeout: 60_000 }, () => {
  it('says where the page is, serves it until it is told to end, and then ends well', async () => {
    const watching = startProgram(program, 'watch', join(parent, 'run'));
    await watching.said('token=');
    watching.child.kill('SIGTERM');
    const { code, stdout, stderr } = await watching.ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^watching .*run at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}\n$/);
  });

  it('warns where it can be reached from elsewhere', async () => {
    const watching = startProgram(program, 'watch', join(parent, 'run'), '--host', '0.0.0.0');
    await watching.said('token=');
    watching.child.kill('SIGINT');
    const { code, stderr } = await watching.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('watch: 0.0.0.0 can be reached from other machines');
  });

  it('writes one file that needs no other: no address in it is asked for', async () => {
    const file = join(parent, 'page.html');
    const { code, stdout } = await brink(['watch', join(parent, 'run'), '--save', file]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/page\.html: 0\.\d MB\n$/)]);
    const page = readFileSync(file, 'utf8');
    expect(page).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
    expect(page.match(/<(script|link|img|iframe)\b[^>]*\b(src|href)="(?!data:,)/g)).toBeNull();
  });

  it('says what is wrong', async () => {
    const none = await brink(['watch', join(parent, 'nowhere')]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('watch: there is no folder ')]);
    expect((await brink(['watch'])).code).toBe(2);
    expect((await brink(['watch', parent, '--port', 'x'])).code).toBe(2);
  });
});

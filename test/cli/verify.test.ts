import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brink } from './brinkProcess.ts';

const reference = join(import.meta.dirname, '../../fixtures/reference');
const literally = (text: string) => text.replace(/[{}()]/g, '\\$&');
const verify = (...args: string[]) => brink(['verify', ...args], { BRINK_ENGINE: 'wasm' });

let parent: string;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-verify-'));
});
afterAll(() => rmSync(parent, { recursive: true }));

describe('brink verify', { timeout: 120_000 }, () => {
  it('passes where the engine computes rightly, and says how far off each value is', async () => {
    const { code, stdout } = await verify();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wasm: CPU, /);
    for (const quantity of ['L', 'vᵀHv', 'λ_1', '‖H‖_{S_n}', '‖H‖_{S_1}', 'ρ_1', 'tr(H)']) {
      expect(stdout).toMatch(new RegExp(`\n${literally(quantity)} +\\d.* (relative|standard errors)\n`));
    }
    expect(stdout).toMatch(/\n\nThe reference is in double precision, .* standard errors\.\n\npassed: all 23\n$/s);
  });

  it('fails where a value is further off than float32 is, by name, and exits with 1', async () => {
    const folder = join(parent, 'wrong');
    cpSync(reference, folder, { recursive: true, filter: (file) => !/a3|a4/.test(file) });
    const file = join(folder, 'a2-mlp.json');
    const problem = JSON.parse(readFileSync(file, 'utf8'));
    problem.trained.eigenvalues_top[0] *= 1 + 1e-5;
    problem.trained.trace_H *= 1.5;
    writeFileSync(file, JSON.stringify(problem));
    const { code, stdout } = await verify('--json', '--reference', folder);
    expect(code).toBe(1);
    const { passed, checks } = JSON.parse(stdout);
    expect(passed).toBe(false);
    const failed = checks.filter((check: { passed: boolean }) => !check.passed);
    expect(failed.map(({ quantity }: { quantity: string }) => quantity)).toEqual(['λ_1', 'tr(H)']);
    expect(failed[0].error).toBeCloseTo(1e-5, 6);
    const inWords = await verify('--reference', folder);
    expect(inWords.code).toBe(1);
    expect(inWords.stdout).toMatch(/\nλ_1 .* relative +FAILED\n/);
    expect(inWords.stdout).toMatch(/\n\nfailed: 2 of 23, λ_1, tr\(H\)\n$/);
  });

  it('says where the reference values are missing', async () => {
    const { code, stderr } = await verify('--reference', join(parent, 'none'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^verify: .*none\/a2-mlp\.json can't be read: ENOENT/);
  });
});

import { describe, expect, it } from 'vitest';
import { probes } from '../../src/catalogue/probes.ts';
import { nearestName } from '../../src/core/nearestName.ts';
import { brink } from './brinkProcess.ts';

describe('brink probes', { timeout: 120_000 }, () => {
  it('lists every probe with the question that it answers', async () => {
    const { code, stdout } = await brink(['probes']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(Object.keys(probes));
    for (const line of lines) expect(line).toMatch(/^\w+ {2,}\S/);
    const asked = Object.values(probes).map(({ declaration }) => declaration.asks);
    expect(lines.map((line) => line.replace(/^\w+ +/, ''))).toEqual(asked);
  });

  it('tells of one probe: columns with type, unit and symbol, cost, options', async () => {
    const { code, stdout } = await brink(['probes', 'batchSharpness']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^batchSharpness: How sharp is the batch's own loss along its own gradient\?.*\nCost: for each b and draw/,
    );
    expect(stdout).toContain(
      'Table batch_sharpness, a row for each step and batch_size: Batch sharpness at a step, for each batch size.',
    );
    expect(stdout).toMatch(/\n {2}edge +float64 +\(2\/η\)\(1\+β₁\)\/\(1\+2β₂\) +The edge of stability/);
    expect(stdout).toMatch(/\n {2}batchSizes +each from 1 to n, at least one +must be given +The batch sizes b asked/);
    expect(stdout).toMatch(/\n {2}replacement +true or false +false +Whether batches are drawn with replacement\.\n/);
    expect(stdout).toMatch(/\n {2}draws +at least 2 +16 +K, how many independent draws\.\n/);
  });

  it('prints the declarations as JSON', async () => {
    const all = JSON.parse((await brink(['probes', '--json'])).stdout);
    expect(all.map(({ probe }: { probe: string }) => probe)).toEqual(Object.keys(probes));
    const one = JSON.parse((await brink(['probes', 'lossSlice', '--json'])).stdout);
    const { table, declaration } = probes.lossSlice!;
    expect(one).toMatchObject({ probe: 'lossSlice', table, asks: declaration.asks, cost: declaration.cost });
    expect(Object.keys(one.options.properties)).toEqual(['alphas', 'directional', 'relative']);
  });

  it('names the nearest where there is no such probe, and exits with 2', async () => {
    const { code, stdout, stderr } = await brink(['probes', 'topeigenvalue']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^probes: there is no probe 'topeigenvalue'\. Did you mean topEigenvalues\? There are alignment, /,
    );
  });
});

describe('nearestName', () => {
  const names = ['count', 'maxCount', 'tolerance'];

  it.each([
    ['cuont', 'count'],
    ['tolerence', 'tolerance'],
    ['maxcount', 'maxCount'],
    ['counts', 'count'],
  ])('takes %s for %s', (written, meant) => expect(nearestName(written, names)).toBe(meant));

  it('guesses nothing where nothing is near', () => {
    expect(nearestName('zzzzz', names)).toBeUndefined();
    expect(nearestName('', names)).toBeUndefined();
    expect(nearestName('count', [])).toBeUndefined();
  });
});

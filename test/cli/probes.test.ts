import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/catalogue/probes.ts';
import { nearestName } from '../../src/runs/requireName.ts';
import { brink } from './brinkProcess.ts';

describe('brink probes', { timeout: 120_000 }, () => {
  it('lists every probe with what a row of it is', async () => {
    const { code, stdout } = await brink(['probes']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(Object.keys(catalogue));
    for (const line of lines) expect(line).toMatch(/^\w+ {2,}\S.*\.$/);
  });

  it('tells of one probe: columns with type, unit and symbol, cost, options', async () => {
    const { code, stdout } = await brink(['probes', 'batchSharpness']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^batchSharpness: Batch sharpness at a step, for each batch size\.\nCost: for each b and draw/,
    );
    expect(stdout).toContain('Table batch_sharpness, a row for each step and batch_size');
    expect(stdout).toMatch(/\n {2}edge +float64 +2\/η +The edge of stability/);
    expect(stdout).toMatch(/\n {2}batchSizes +numbers, 1,2,… +needed\n/);
    expect(stdout).toMatch(/\n {2}replacement +true or false\n/);
  });

  it('prints the declarations as JSON', async () => {
    const all = JSON.parse((await brink(['probes', '--json'])).stdout);
    expect(all.map(({ probe }: { probe: string }) => probe)).toEqual(Object.keys(catalogue));
    const one = JSON.parse((await brink(['probes', 'lossSlice', '--json'])).stdout);
    const { table, cost } = catalogue.lossSlice!;
    expect(one).toMatchObject({ probe: 'lossSlice', table, cost });
    expect(Object.keys(one.options.properties)).toEqual(['alphas', 'directional']);
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

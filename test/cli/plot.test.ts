import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { edge } from '../../src/probes/edge.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { run } from '../../src/runs/run.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { textsOf } from '../plots/drawn.ts';
import { brink } from './brinkProcess.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brink-plot-'));
  await run(
    gradientDescent(regression(), { learningRate: 0.01, steps: 20, seed: 7 }),
    {
      sharpness: (s) => s.pipe(interactionAwareSharpness({ batchSizes: [1, 2, 4] }), toParquet()),
      edge: (s) => s.pipe(edge(), toArrow()),
    },
    { directory: folder, progress: false },
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('brink plot', { timeout: 120_000 }, () => {
  it.each(['sharpness.parquet', 'edge.arrows'])('draws %s as an SVG beside it', async (file) => {
    const { code, stdout } = await brink(['plot', join(folder, file)]);
    expect(code).toBe(0);
    const path = join(folder, file.replace(/\.\w+$/, '.svg'));
    expect(stdout).toMatch(new RegExp(`^${path}: \\d+ rows of `));
    const svg = readFileSync(path, 'utf8');
    expect(svg).toMatch(/^<svg role="img"/);
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['step t', '(a)', '2ρb/η']));
  });

  it('draws chosen columns of chosen rows, as a Vega-Lite specification too', async () => {
    const output = join(folder, 'made', 'ias.json');
    const chosen = ['--y', 'ias,bound', '--where', 'batch_size=2', '--where', 'step>=10', '--log', 'y'];
    const { code, stdout } = await brink(['plot', join(folder, 'sharpness.parquet'), ...chosen, '-o', output]);
    expect(code).toBe(0);
    expect(stdout).toContain('11 rows of sharpness');
    const spec = JSON.parse(readFileSync(output, 'utf8'));
    expect(spec.$schema).toContain('vega-lite');
    expect(spec.description).toContain('batch size b is 2 throughout.');
    expect(JSON.stringify(spec)).toContain('"type":"log"');
  });

  it.each<[number, RegExp, string[]]>([
    [2, /y is 'iass'.*Did you mean ias\?/, ['--y', 'iass']],
    [2, /the condition is 'step'\. It must be like batch_size=32/, ['--where', 'step']],
    [2, /'sharpness' has no column 'b'\./, ['--where', 'b=2']],
    [2, /'step' is compared with 'ten'\. It must be a number\./, ['--where', 'step>ten']],
    [2, /none of the 63 rows of .* meets step>1000\./, ['--where', 'step>1000']],
    [2, /log is 'z'/, ['--log', 'z']],
    [2, /It must end in '\.svg' or '\.json'/, ['-o', 'picture.png']],
  ])('ends with %i and says %s', async (expected, message, options) => {
    const { code, stderr } = await brink(['plot', join(folder, 'sharpness.parquet'), ...options]);
    expect(stderr).toMatch(message);
    expect(code).toBe(expected);
  });

  it('ends with 1 where there is no such table', async () => {
    const { code, stderr } = await brink(['plot', join(folder, 'none.parquet')]);
    expect(stderr).toContain('none.parquet');
    expect(code).toBe(1);
  });
});

import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimsTable } from '../../src/figures/judgedClaims.ts';
import { figure, interactionAwareSharpness, makeFigure, readTable, verifyReport } from '../../src/index.ts';
import { program } from '../cli/brinkProcess.ts';
import { everything } from '../helpers/everything.ts';
import twoRuns from './twoRuns.ts';

const FILE = join(import.meta.dirname, 'twoRuns.ts');
let parent: string;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-figure-'));
});
afterAll(() => rmSync(parent, { recursive: true }));

const smoke = (directory: string, options = {}) =>
  makeFigure(FILE, { scale: 'smoke', directory: join(parent, directory), progress: false, ...options });

/** Every table and picture of a figure, byte by byte. */
function bytesIn(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(parquet|svg)$/.test(file),
  );
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(join(folder, file), 'base64')]));
}

/** A copy of the figure's file that differs by a word, with imports that still find brink. */
function edited(name: string, change: (text: string) => string): string {
  const path = join(parent, name);
  const src = join(import.meta.dirname, '../../src');
  writeFileSync(path, change(readFileSync(FILE, 'utf8')).replace("'../../src/index.ts'", `'${src}/index.ts'`));
  return path;
}

describe('makeFigure', () => {
  it('leaves tables, claims, picture, report and record, and says of each claim what was measured', async () => {
    const { directory, claims, wasThere } = await smoke('first');
    expect(wasThere).toBe(false);
    expect(readdirSync(directory).sort()).toEqual([
      'claims.parquet',
      'figure.json',
      'figure.svg',
      'report.html',
      'runs',
    ]);
    expect(readdirSync(join(directory, 'runs')).sort()).toEqual(['eta-0.05-seed-0', 'eta-0.1-seed-0']);
    expect(claims.map(({ verdict }) => verdict)).toEqual([
      ...['holds', 'does not hold', 'not decidable'],
      ...['holds', 'does not hold', 'not decidable'],
    ]);
    const { rows } = await readTable(join(directory, 'claims.parquet'), claimsTable);
    expect(rows).toEqual(claims);

    const table = join(directory, 'runs', 'eta-0.1-seed-0', 'sharpness.parquet');
    const { rows: sharpness } = await readTable(table, interactionAwareSharpness.table);
    const sum = (of: (row: (typeof sharpness)[number]) => number) =>
      sharpness.reduce((total, row) => total + of(row), 0);
    const ratio = sum((row) => row.trace_S_n) / sum((row) => row.trace_S_b);
    expect(claims[3]!.value).toBeCloseTo(ratio, 12);
    expect(claims[3]!.size).toBe(sharpness.length);
    expect(claims[2]!.reason).toBe('Not measured: there is nothing to measure.');
  });

  it('does not make it again, unless it is told to or its definition is another', async () => {
    const { directory, claims } = await smoke('again');
    const before = bytesIn(directory);
    const second = await smoke('again');
    expect(second).toEqual({ ...second, claims, wasThere: true });
    expect((await smoke('again', { again: true })).wasThere).toBe(false);
    expect(bytesIn(directory)).toEqual(before);
    const file = edited('other.ts', (text) => text.replace('steps: 20 }', 'steps: 25 }'));
    const other = await makeFigure(file, { scale: 'smoke', directory: join(parent, 'again'), progress: false });
    expect([other.wasThere, other.claims[0]!.size]).toEqual([false, 26]);
  });

  it('makes it anew with other data', async () => {
    const [file, folder] = [join(parent, 'data.bin'), join(parent, 'data')];
    mkdirSync(folder);
    for (const path of [file, join(folder, 'a.bin')]) writeFileSync(path, 'one');
    const ofFile = await smoke('of data', { data: file });
    expect((await smoke('of data', { data: file })).wasThere).toBe(true);
    const ofFolder = await smoke('of data', { data: folder });
    expect([ofFolder.directory, ofFolder.wasThere]).toEqual([ofFile.directory, false]);
    expect(JSON.parse(readFileSync(join(ofFolder.directory, 'figure.json'), 'utf8')).data).toBe(folder);
    const report = readFileSync(join(ofFolder.directory, 'report.html'), 'utf8');
    expect(report).toMatch(
      new RegExp(`<code>npx brink figure \\S+twoRuns.ts --scale smoke --seeds 1 --data ${folder}</code>`),
    );
    expect((await smoke('of data', { data: folder })).wasThere).toBe(true);
    // The path is the same, and what lies there is not.
    writeFileSync(join(folder, 'a.bin'), 'two');
    expect((await smoke('of data', { data: folder })).wasThere).toBe(false);
    expect((await smoke('of data')).wasThere).toBe(false);
  });

  it('refuses data that are not there', async () => {
    await expect(smoke('no data', { data: join(parent, 'nowhere') })).rejects.toThrow(/there is nothing at .*nowhere/);
  });

  it('takes a file that a comment names for no part of the definition', async () => {
    const file = edited('named.ts', (text) => `// It came from './gone.ts'\n${text}`);
    const made = await makeFigure(file, { scale: 'smoke', directory: join(parent, 'named'), progress: false });
    expect(made.wasThere).toBe(false);
  });

  it('is made by one process at a time', async () => {
    const out = join(parent, 'twice');
    const child = spawn(process.execPath, [program, 'figure', FILE, '--out', out], { stdio: 'ignore' });
    const exit = new Promise((resolve) => child.on('exit', resolve));
    const first = join(out, 'laptop/two-runs/runs/eta-0.05-seed-0/run.json');
    while (!existsSync(first)) await setTimeout(5);
    await expect(makeFigure(FILE, { directory: out, progress: false })).rejects.toThrow(
      new RegExp(`two-runs is being made by process ${child.pid} on .*Two would mix their runs`),
    );
    expect(await exit).toBe(0);
    expect((await makeFigure(FILE, { directory: out, progress: false })).wasThere).toBe(true);
    expect(readdirSync(join(out, 'laptop/two-runs')).filter((name) => name.includes('lock'))).toEqual([]);
  }, 300_000);

  it('draws anew from the tables that are there, where it is told to', async () => {
    const { directory, claims } = await smoke('redrawn');
    const { mtimeMs } = await import('node:fs').then(({ statSync }) =>
      statSync(join(directory, 'runs/eta-0.1-seed-0/run.json')),
    );
    const file = edited('redrawn.ts', (text) => text.replace('region: { low: 2, why', 'region: { high: 2, why'));
    const drawn = await makeFigure(file, {
      scale: 'smoke',
      directory: join(parent, 'redrawn'),
      redraw: true,
      progress: false,
    });
    expect(drawn.claims[1]).toEqual({ ...claims[1], ...drawn.claims[1], verdict: 'holds', value: claims[1]!.value });
    const { statSync } = await import('node:fs');
    expect(statSync(join(directory, 'runs/eta-0.1-seed-0/run.json')).mtimeMs).toBe(mtimeMs);
    // Its runs are another definition's: it is not taken for made.
    const anew = await makeFigure(file, { scale: 'smoke', directory: join(parent, 'redrawn'), progress: false });
    expect(anew.wasThere).toBe(false);
    await expect(
      makeFigure(file, { scale: 'smoke', directory: join(parent, 'none'), redraw: true, progress: false }),
    ).rejects.toThrow(/2 runs of figure two-runs have not been made, runs\/eta-0.05-seed-0 first/);
  });

  it('trains anew after it was drawn anew by another definition, and the report says which runs are not its own', async () => {
    const { directory } = await smoke('not-its-own');
    const file = edited('not-its-own.ts', (text) => text.replace('steps: 20 }', 'steps: 30 }'));
    const options = { scale: 'smoke', directory: join(parent, 'not-its-own'), progress: false };
    const report = () => readFileSync(join(directory, 'report.html'), 'utf8');
    const drawn = await makeFigure(file, { ...options, redraw: true });
    expect(drawn.claims[0]!.size).toBe(21);
    expect(report()).toContain('2 of 2 runs were made by another definition');
    const made = await makeFigure(file, options);
    expect([made.wasThere, made.claims[0]!.size]).toEqual([false, 31]);
    expect(report()).not.toContain('another definition');
    expect((await makeFigure(file, options)).wasThere).toBe(true);
  });

  it('leaves the figure that is there where it refuses to make it', async () => {
    const { directory } = await smoke('left');
    const before = readFileSync(join(directory, 'figure.json'), 'utf8');
    const file = edited('left.ts', (text) => text.replace('rates: [0.05, 0.1], steps: 20', 'rates: [0.2], steps: 20'));
    const options = { scale: 'smoke', directory: join(parent, 'left'), progress: false };
    await expect(makeFigure(file, { ...options, redraw: true })).rejects.toThrow(/eta-0.2-seed-0 first/);
    expect(readFileSync(join(directory, 'figure.json'), 'utf8')).toBe(before);
    expect(readdirSync(directory)).toHaveLength(5);
  });

  it.skipIf(process.platform !== 'linux')('says which file a full disk does not take, and goes on later', async () => {
    const { directory } = await smoke('full');
    for (const file of ['figure.svg', 'report.html', 'figure.json']) {
      // What is written there finds no space left.
      symlinkSync('/dev/full', join(directory, `${file}.tmp`));
      await expect(smoke('full', { redraw: true })).rejects.toThrow(
        new RegExp(`^(makeFigure|report): .*${file} can't be written: ENOSPC`),
      );
      expect((await smoke('full')).wasThere).toBe(false);
    }
  });

  it('refuses a file that has changed since it was imported', async () => {
    const file = edited('changed.ts', (text) => text);
    const options = { scale: 'smoke', directory: join(parent, 'changed'), progress: false };
    await makeFigure(file, options);
    edited('changed.ts', (text) => text.replace('steps: 20 }', 'steps: 25 }'));
    await expect(makeFigure(file, options)).rejects.toThrow(/has changed since this process imported it/);
  });

  it('refuses runs that lie in the folder of another', async () => {
    const { directory } = await smoke('swapped');
    const [a, b] = ['eta-0.05-seed-0', 'eta-0.1-seed-0'].map((run) => join(directory, 'runs', run)) as [string, string];
    renameSync(a, `${a}.aside`);
    renameSync(b, a);
    renameSync(`${a}.aside`, b);
    await expect(smoke('swapped', { redraw: true })).rejects.toThrow(
      /eta-0.05-seed-0 holds the run eta-0.1, seed 0, not eta-0.05, seed 0/,
    );
  });

  it('does not take one value in all seeds for certain', async () => {
    const file = edited('shares.ts', (text) =>
      text
        .replace(
          /ratioOfSums\(\n.*,\n.*trace_S_n,\n.*trace_S_b,\n\s*\)/,
          "blockInterval(runs.named(name(rate)).rows(interactionAwareSharpness).map((row) => row.trace_S_b), 'share')",
        )
        .replace('chart,', 'blockInterval, chart,'),
    );
    const { claims } = await makeFigure(file, {
      scale: 'smoke',
      directory: join(parent, 'shares'),
      seeds: 2,
      progress: false,
    });
    expect(claims[0]).toMatchObject({ value: 1, high: 1 });
    expect(claims[0]!.low).toBeLessThan(0.9);
  });

  it('speaks of the difference between seeds where there are several', async () => {
    const { directory, claims } = await smoke('seeds', { seeds: 3 });
    expect(readdirSync(join(directory, 'runs'))).toHaveLength(6);
    expect(claims[0]).toMatchObject({ seeds: 3, size: 3, method: "Student's t between 3 seeds" });
    const alone = await Promise.all(
      [0, 1, 2].map(async (seed) => {
        const path = join(directory, 'runs', `eta-0.05-seed-${seed}`, 'sharpness.parquet');
        const { rows } = await readTable(path, interactionAwareSharpness.table);
        return rows.reduce((sum, row) => sum + row.trace_S_n, 0) / rows.reduce((sum, row) => sum + row.trace_S_b, 0);
      }),
    );
    expect(new Set(alone).size).toBe(3);
    expect(claims[0]!.value).toBeCloseTo((alone[0]! + alone[1]! + alone[2]!) / 3, 12);
  });

  it('refuses a claim that is not the same when it is measured again, and keeps the runs', async () => {
    const chancy = edited('chancy.ts', (text) =>
      text.replace("measure: () => 'there is nothing to measure'", 'measure: () => String(Math.random())'),
    );
    const directory = join(parent, 'chancy');
    await expect(makeFigure(chancy, { scale: 'smoke', directory, progress: false })).rejects.toThrow(
      /^makeFigure: the claim unknown-0.05 of figure two-runs has reason Not measured: 0\.\d+\., and measured again/,
    );
    const [figure] = readdirSync(join(directory, 'smoke'));
    expect(readdirSync(join(directory, 'smoke', figure!))).toEqual(['runs']);
  });

  it('takes divergence for what came out, not for a failure', async () => {
    const before = process.exitCode;
    const { directory, claims } = await smoke('diverged', { scale: 'paper' });
    const run = JSON.parse(readFileSync(join(directory, 'runs/eta-1000000-seed-0/run.json'), 'utf8'));
    expect(run.state).toBe('diverged');
    expect(claims).toHaveLength(3);
    expect(readFileSync(join(directory, 'report.html'), 'utf8')).toContain('1 of 1 runs did not finish as planned');
    expect(process.exitCode).toBe(before);
  });

  it.runIf(everything)(
    'goes on after kill -9 in the middle, and leaves the same files',
    async () => {
      const whole = await makeFigure(FILE, { directory: join(parent, 'whole'), progress: false });
      const out = join(parent, 'killed');
      const args = [program, 'figure', FILE, '--out', out];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      const second = join(out, 'laptop/two-runs/runs/eta-0.1-seed-0/run.json');
      const exit = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
      while (!existsSync(second)) await setTimeout(5);
      child.kill('SIGKILL');
      expect(await exit).toBe('SIGKILL');
      expect(JSON.parse(readFileSync(second, 'utf8')).state).toBe('running');
      const firstRun = readFileSync(join(out, 'laptop/two-runs/runs/eta-0.05-seed-0/run.json'), 'utf8');

      const made = await makeFigure(FILE, { directory: out, progress: false });
      expect(bytesIn(made.directory)).toEqual(bytesIn(whole.directory));
      expect(made.claims).toEqual(whole.claims);
      // The run that had ended was not made again.
      expect(readFileSync(join(out, 'laptop/two-runs/runs/eta-0.05-seed-0/run.json'), 'utf8')).toBe(firstRun);
    },
    300_000,
  );

  it('goes on with a run that has a checkpoint, as often as it is cut off, and each row is there once', async () => {
    const checkpoint = (text: string) => text.replace('branches: {', 'checkpoint: { every: 7 },\n      branches: {');
    const file = edited('checkpoint.ts', (text) =>
      checkpoint(text).replace('laptop: { rates: [0.05, 0.1], steps: 600', 'laptop: { rates: [0.1], steps: 1200'),
    );
    const whole = await makeFigure(file, { directory: join(parent, 'uncut'), progress: false });
    const out = join(parent, 'cut');
    const runs = join(out, 'laptop/two-runs/runs');
    for (const folder of ['eta-0.1-seed-0', 'eta-0.1-seed-0.2']) {
      const child = spawn(process.execPath, [program, 'figure', file, '--out', out], { stdio: 'ignore' });
      const exit = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
      while (!existsSync(join(runs, folder, 'run.json'))) await setTimeout(5);
      await setTimeout(400);
      child.kill('SIGKILL');
      expect(await exit).toBe('SIGKILL');
    }
    const made = await makeFigure(file, { directory: out, progress: false });
    expect(readdirSync(runs).sort()).toEqual(['eta-0.1-seed-0', 'eta-0.1-seed-0.2', 'eta-0.1-seed-0.3']);
    const rowsOf = async (folder: string, parts: readonly string[]) => {
      const pieces = parts.map((part) => join(folder, 'runs', `eta-0.1-seed-0${part}`, 'sharpness.parquet'));
      const tables = await Promise.all(pieces.map((path) => readTable(path, interactionAwareSharpness.table)));
      expect(tables.every(({ rows }) => rows.length > 0)).toBe(true);
      return tables.flatMap(({ rows }) => rows);
    };
    const [rows, uncut] = [await rowsOf(made.directory, ['', '.2', '.3']), await rowsOf(whole.directory, [''])];
    const exact = ({ step, rho, trace_S_b, trace_S_n }: (typeof rows)[number]) => ({ step, rho, trace_S_b, trace_S_n });
    expect(rows.map(exact)).toEqual(uncut.map(exact));
    // The search for eigenpairs begins afresh, and meets its tolerance.
    for (const [k, { ias }] of rows.entries()) expect(ias / uncut[k]!.ias).toBeCloseTo(1, 5);
    expect(made.claims).toEqual(whole.claims);
    const report = join(made.directory, 'report.html');
    expect(readFileSync(report, 'utf8')).toContain('Runs were cut off 2 times and went on');
    expect((await verifyReport(report, { definition: file })).problems).toEqual([]);
    expect((await makeFigure(file, { directory: out, progress: false })).wasThere).toBe(true);

    // Made again, nothing of the parts is left.
    await makeFigure(file, { directory: out, progress: false, again: true });
    expect(readdirSync(runs)).toEqual(['eta-0.1-seed-0']);
  }, 300_000);

  it('does not go on where rows would be missing or there twice, but where nothing was recorded it begins anew', async () => {
    const begun = (text: string) => text.replace('branches: {', 'checkpoint: { every: 7 },\n      branches: {');
    const long = edited('long.ts', (text) => begun(text).replace('steps: 600', 'steps: 1200'));
    const keyless = edited('keyless.ts', (text) =>
      begun(text)
        .replace('steps: 600', 'steps: 1200')
        .replace("name: 'two-runs'", "name: 'keyless'")
        .replace('  chart,', '  chart,\n  defineTable,\n  float64,')
        .replace('branches: {', 'branches: { own: (s) => s.pipe(map(({ weights: [w] }) => ({ w })), toParquet(OWN)),')
        .replace(
          'interface Preset',
          `const OWN = defineTable({ name: 'own', description: 'w', key: ['w'], columns: { w: float64({ symbol: '', description: 'w' }) } });\ninterface Preset`,
        )
        .replace(/^/, `import { map } from '${import.meta.resolve('rxjs')}';\n`),
    );
    const out = join(parent, 'unjoined');
    const runOf = (name: string) => join(out, 'laptop', name, 'runs/eta-0.05-seed-0');
    const killed = async (file: string, name: string) => {
      const child = spawn(process.execPath, [program, 'figure', file, '--out', out], { stdio: 'ignore' });
      const exit = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
      while (!existsSync(join(runOf(name), 'recording.arrows'))) await setTimeout(5);
      await setTimeout(100);
      child.kill('SIGKILL');
      expect(await exit).toBe('SIGKILL');
    };
    const goOn = (file: string) => makeFigure(file, { directory: out, progress: false });

    await killed(keyless, 'keyless');
    await expect(goOn(keyless)).rejects.toThrow(
      /^makeFigure: the run eta-0.05, seed 0, can't go on: the key of own names no step/,
    );

    await killed(long, 'two-runs');
    const blocked = join(runOf('two-runs'), 'sharpness.parquet.tmp');
    mkdirSync(blocked);
    await expect(goOn(long)).rejects.toThrow(/seed 0, can't go on: .*sharpness\.arrows can't be finished/);
    rmdirSync(blocked);
    // As a process leaves it that is killed before its first step.
    writeFileSync(join(runOf('two-runs'), 'recording.arrows'), '');
    const { directory, claims } = await goOn(long);
    expect(readdirSync(join(directory, 'runs')).sort()).toEqual(['eta-0.05-seed-0', 'eta-0.1-seed-0']);
    expect(claims[0]!.size).toBe(1201);
  }, 300_000);

  it('is not taken for whole where it was cut off before its end', async () => {
    const { directory } = await smoke('cut');
    rmSync(join(directory, 'figure.json'));
    expect((await smoke('cut')).wasThere).toBe(false);
    expect((await smoke('cut')).wasThere).toBe(true);
  });

  it('refuses what would take too long, with an estimate, before anything runs', async () => {
    const file = edited('costly.ts', (text) =>
      text.replace('branches: {', 'work: { gradients: 1e12, products: 1e12 },\n      branches: {'),
    );
    const directory = join(parent, 'costly');
    await expect(makeFigure(file, { scale: 'smoke', directory, progress: false })).rejects.toThrow(
      /^makeFigure: figure two-runs, smoke, would take about .* hours and .* GiB of memory on these \d+ cores, more than the 2 hours allowed/,
    );
    expect(existsSync(join(directory, 'smoke/two-runs/runs'))).toBe(false);
    // Within the time that is allowed it is made.
    const small = edited('cheap.ts', (text) =>
      text.replace('branches: {', 'work: { gradients: 1, products: 1 },\n      branches: {'),
    );
    await expect(makeFigure(small, { scale: 'smoke', directory, progress: false })).resolves.toMatchObject({
      wasThere: false,
    });
  });

  it('says which folder it can not write, and why', async () => {
    writeFileSync(join(parent, 'a file'), '');
    await expect(smoke('a file')).rejects.toThrow(
      /^makeFigure: .*a file\/smoke\/two-runs can't be written: ENOTDIR.* Name a folder that can\.$/,
    );
  });

  it('refuses a file that exports no figure, a scale that there is not, and options that there are not', async () => {
    await expect(makeFigure(join(parent, 'no.ts'))).rejects.toThrow(/^figure: there is no file/);
    copyFileSync(join(import.meta.dirname, '../helpers/stepAt.ts'), join(parent, 'none.ts'));
    writeFileSync(join(parent, 'none.ts'), 'export default 3;\n');
    await expect(makeFigure(join(parent, 'none.ts'))).rejects.toThrow(/exports no figure/);
    await expect(smoke('refused', { scale: 'huge' })).rejects.toThrow(
      "figure: figure two-runs has no scale 'huge'. It has smoke, laptop, paper.",
    );
    await expect(smoke('refused', { seed: 3 })).rejects.toThrow(/seed/);
    await expect(smoke('refused', { seeds: 0 })).rejects.toThrow(/seeds is 0/);
    expect(existsSync(join(parent, 'refused'))).toBe(false);
  });
});

describe('figure', () => {
  it('refuses names that no folder can have, two claims of one name, and a missing scale', () => {
    expect(() => figure({ ...twoRuns, name: 'a/b' })).toThrow(/Its name is that of a folder/);
    expect(() =>
      figure({
        ...twoRuns,
        claims: () => [...twoRuns.claims(twoRuns.presets.smoke), ...twoRuns.claims(twoRuns.presets.smoke)],
      }),
    ).toThrow("two claims of figure two-runs, smoke, are named 'concentrated-0.05'");
    const { smoke: _, ...presets } = twoRuns.presets;
    expect(() => figure({ ...twoRuns, presets: presets as never })).toThrow("has no preset 'smoke'");
  });
});

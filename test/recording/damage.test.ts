import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { lastValueFrom, map, type Observable, of, takeWhile, tap, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { openStep, type Step } from '../../src/core/Step.ts';
import type { StepData } from '../../src/core/StepData.ts';
import { generator } from '../../src/linalg/random.ts';
import { fork } from '../../src/recording/fork.ts';
import { openRecording } from '../../src/recording/openRecording.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import { describeRun } from '../../src/runs/describeRun.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';
import { collect, held, plain } from './plain.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-damage-'));
  path = join(folder, 'recording.arrows');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fixtures = join(import.meta.dirname, '../../fixtures/recording');
const objective = regression();
const train = (options: object = {}) =>
  gradientDescent(objective, { learningRate: 0.05, steps: 9, batchSize: 3, beta1: 0.4, seed: 3, ...options });

/** Where the steps of the recording lie. */
function places(): readonly { readonly start: number; readonly end: number }[] {
  const { indices, close, isSound } = openRecording('test', path);
  expect(indices.every((_, k) => isSound(k))).toBe(true);
  close();
  const bytes = readFileSync(path);
  const size = (bytes.length - 8 - held(path).tornBytes - firstStart(bytes)) / indices.length;
  return indices.map((_, k) => ({ start: firstStart(bytes) + k * size, end: firstStart(bytes) + (k + 1) * size }));
}
/** The schema's message has no body. */
const firstStart = (bytes: Buffer) => 8 + bytes.readInt32LE(4);

function damage(change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}
/** What a stream brings before its error, and that. */
async function untilError(make: () => Observable<Step>): Promise<[StepData[], string | null]> {
  const steps: StepData[] = [];
  try {
    await lastValueFrom(make().pipe(tap((step) => steps.push(plain(step)))), { defaultValue: null });
    return [steps, null];
  } catch (error) {
    return [steps, (error as Error).message];
  }
}

describe.each(['recomputed', 'recorded'])(
  'a step that the disk changed, of a recording with gradients %s',
  (gradients) => {
    const options = { gradient: gradients === 'recorded' };

    it('is an error at that step; those before it are emitted, and those behind can be asked for', async () => {
      const live = await collect(train().pipe(record(path, options)));
      const { end } = places()[6]!;
      damage((bytes) => {
        bytes[end - 9]! ^= 1;
      });
      const [steps, message] = await untilError(() => replay(path));
      expect(steps).toEqual(live.slice(0, 6));
      expect(message).toMatch(/^replay: step 6 of .*recording\.arrows is damaged: its bytes are not those/);
      expect(await collect(replay(path, { from: 7 }))).toEqual(live.slice(7));
      for (const again of [() => resume(path, { step: 6 }), () => fork(path, { step: 6, steps: 1 })]) {
        expect(again).toThrow(/^(resume|fork): step 6 of .* is damaged/);
      }
      expect(await collect(resume(path, { step: 5 }))).toEqual(live.slice(5));
    });

    it('is noticed at whatever bit it was changed', async () => {
      const live = await collect(train({ steps: 2 }).pipe(record(path, options)));
      const whole = readFileSync(path);
      const { start, end } = places()[1]!;
      for (let at = start; at < end; at += 7) {
        const copy = Buffer.from(whole);
        copy[at]! ^= 1 << (at % 8);
        writeFileSync(path, copy);
        const [steps, message] = await untilError(() => replay(path));
        expect(steps, `byte ${at - start}`).toEqual(live.slice(0, 1));
        expect(message).toMatch(/ is damaged: /);
        await expect(async () => collect(resume(path, { step: 1 }))).rejects.toThrow(/^resume: .* is damaged: /);
      }
    });
  },
);

function writeRunJson(): void {
  const run = { state: 'finished', metadata: { source: null }, started: 'then', finished: 'now', files: [] };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run));
}

it('show says how many steps there are, and which are damaged', async () => {
  await collect(train().pipe(record(path)));
  writeRunJson();
  const shown = async () => (await describeRun(folder)).tables;
  expect(await shown()).toMatchObject([{ state: 'recording', rows: 10, problem: null }]);
  const ends = [places()[2]!.end, places()[7]!.end];
  damage((bytes) => {
    for (const end of ends) bytes[end - 20]! ^= 4;
  });
  expect(await shown()).toMatchObject([{ state: 'recording', rows: 10, problem: '2 of 10 steps are damaged: 2, 7' }]);
});

it('a step that does not follow from the one before it is noticed by resume, on the same engine and machine', async () => {
  const moved = train().pipe(
    map((step) =>
      step.index < 6 ? step : openStep({ ...step, weights: step.weights.map((w) => w + 0.01) }, step.run).step,
    ),
  );
  await collect(moved.pipe(record(path)));
  const [steps, message] = await untilError(() => resume(path, { step: 4 }));
  expect(steps.map(({ index }) => index)).toEqual([4, 5]);
  expect(message).toMatch(/^resume: entry 0 of θ at step 6 is .* has .* not the one that was recorded/);
});

it('a step that is missing, there twice or in another place is an error, and those before it are emitted', async () => {
  const live = await collect(train().pipe(record(path)));
  const whole = readFileSync(path);
  const all = places();
  for (const order of [
    [0, 1, 3, 4],
    [0, 1, 1, 2],
    [0, 1, 4, 3, 2],
  ]) {
    const steps = order.map((k) => whole.subarray(all[k]!.start, all[k]!.end));
    writeFileSync(path, Buffer.concat([whole.subarray(0, all[0]!.start), ...steps, whole.subarray(-8)]));
    const [emitted, message] = await untilError(() => replay(path));
    expect(emitted).toEqual(live.slice(0, 2));
    expect(message).toMatch(/^replay: the step behind step 1 of .* the message at byte \d+ belongs to another place/);
    expect(() => resume(path)).toThrow(/^resume: the step behind step 1 of .* is damaged/);
  }
});

it('a damaged step between the one to begin with and the last is made again', async () => {
  const live = await collect(train().pipe(record(path)));
  const { end } = places()[6]!;
  damage((bytes) => {
    bytes[end - 9]! ^= 1;
  });
  expect(await collect(resume(path, { step: 5 }))).toEqual(live.slice(5));
});

it('a flip in the last step of one that is not ended counts as a torn end: nothing is wrong, and it is said', async () => {
  const live = await collect(train().pipe(record(path)));
  const whole = readFileSync(path);
  const { end } = places()[9]!;
  const copy = Buffer.from(whole.subarray(0, end));
  copy[end - 9]! ^= 1;
  writeFileSync(path, copy);
  const run = { state: 'finished', metadata: { source: null }, started: 'then', finished: 'now', files: [] };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run));
  expect((await describeRun(folder)).tables).toMatchObject([
    {
      rows: 9,
      problem: expect.stringMatching(
        /^\d+ bytes at the end are of a step that is not whole, or damaged; its end is not marked/,
      ),
    },
  ]);
  expect(await collect(replay(path))).toEqual(live.slice(0, 9));
  const resumed = await lastValueFrom(resume(path).pipe(record(), toArray()));
  expect(resumed[0]!.run.resumes!.note).toMatch(
    / was cut off: the \d+ bytes behind its last whole step are left out\./,
  );
  expect(readFileSync(path).equals(whole)).toBe(true);
});

it('the last step of a whole recording is no torn end where it is damaged', async () => {
  await collect(train().pipe(record(path)));
  const { start } = places()[9]!;
  damage((bytes) => {
    bytes.fill(0, start, start + 100);
  });
  const [steps, message] = await untilError(() => replay(path));
  expect(steps).toHaveLength(9);
  expect(message).toMatch(/^replay: the step behind step 8 of .* is damaged: the message at byte/);
  expect(() => resume(path)).toThrow(/^resume: the step behind step 8 of .* is damaged/);
  await expect(collect(resume(path, { step: 8 }).pipe(record()))).rejects.toThrow(/^record: the step behind step 8/);
});

it('one that a copy left without its end is replayed as far as it goes, with a warning, and show says so', async () => {
  await collect(train().pipe(record(path)));
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const all = (await collect(replay(path))).length;
  expect(warned).not.toHaveBeenCalled();
  truncateSync(path, readFileSync(path).length - 100);
  expect(await collect(replay(path))).toHaveLength(all - 1);
  expect(warned).toHaveBeenCalledWith(
    expect.stringMatching(/is replayed as far as it goes, and its end is not marked behind step \d+: the run was cut/),
    'BrinkWarning',
  );
  writeRunJson();
  const problem = expect.stringMatching(
    /^\d+ bytes .*; its end is not marked behind step \d+: the run was cut off there, or the file/,
  );
  expect((await describeRun(folder)).tables).toMatchObject([{ state: 'recording', rows: all - 1, problem }]);
  warned.mockClear();
  await collect(replay(path, { to: 2 }));
  expect(warned).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

it('zeros at the end of one that is not ended, as after a power cut, are a torn end, and cut off', async () => {
  const live = await collect(train().pipe(record(path)));
  const whole = readFileSync(path);
  const { start, end } = places()[8]!;
  for (const from of [start + 1, start + 400, end - 100, end - 8, end]) {
    writeFileSync(path, Buffer.concat([whole.subarray(0, from), Buffer.alloc(whole.length - 8 - from)]));
    const isWhole = from === end;
    expect(held(path).indices).toHaveLength(isWhole ? 9 : 8);
    expect(await collect(replay(path))).toEqual(live.slice(0, isWhole ? 9 : 8));
    await collect(resume(path).pipe(record()));
    expect(readFileSync(path).equals(whole)).toBe(true);
  }
});

it('a schema that is damaged is told of, as damage', async () => {
  await collect(train().pipe(record(path)));
  const whole = readFileSync(path);
  for (const at of [0, 4, 9, 300, 900, firstStart(whole) - 20]) {
    const copy = Buffer.from(whole);
    copy[at]! ^= 16;
    writeFileSync(path, copy);
    expect(() => replay(path)).toThrow(/^replay: the schema of .* is damaged: /);
  }
});

it('damage at random gives an error, or steps that were recorded', async () => {
  const live = await collect(train({ steps: 5 }).pipe(record(path)));
  const whole = readFileSync(path);
  const random = generator(21);
  const between = (least: number, most: number) => uniformInt(random, least, most);
  let errors = 0;
  for (let round = 0; round < 200; round++) {
    let copy = Buffer.from(whole);
    const kind = round % 4;
    const at = between(0, whole.length - 1);
    if (kind === 0) copy[at]! ^= 1 << between(0, 7);
    if (kind === 1) copy.fill(0, at, Math.min(whole.length, at + between(1, 4096)));
    if (kind === 2) copy = copy.subarray(0, at);
    if (kind === 3) for (let k = 0; k < 5; k++) copy[between(0, whole.length - 1)]! ^= 1 << between(0, 7);
    writeFileSync(path, copy);
    for (const again of [() => replay(path, { objective }), () => resume(path, { objective })]) {
      const [steps, message] = await untilError(again);
      const first = steps[0]?.index ?? 0;
      expect(steps, `round ${round}`).toEqual(live.slice(first, first + steps.length));
      if (message !== null) expect(message, `round ${round}`).toMatch(/^(replay|resume): .*recording\.arrows/);
      // Only what a cut left is taken for whole.
      if (message === null && [0, 3].includes(kind)) expect(steps.at(-1), `round ${round}`).toEqual(live.at(-1));
      if (message !== null) errors++;
    }
  }
  expect(errors).toBeGreaterThan(200);
}, 60_000);

/** What says that it is the objective, and computes a little else. */
function edited(by: number): Objective {
  const inner = regression();
  return { ...inner, metadata: objective.metadata, at: (weights) => inner.at(weights.map((w) => w + by)) };
}

describe('a model whose forward was edited since it was recorded', () => {
  it('is noticed by its loss, to the bit on the same engine and machine', async () => {
    const live = await collect(train().pipe(record(path)));
    await expect(collect(replay(path, { objective: edited(1e-6) }))).rejects.toThrow(
      /^replay: the loss of step 0 in .* is .*, and it is .* when it is computed again, on the engine and machine/,
    );
    for (const again of [resume, fork]) {
      const source = again(path, { step: 4, steps: 9, objective: edited(1e-6) });
      await expect(collect(source)).rejects.toThrow(/^(resume|fork): the loss of step 4 in /);
    }
    expect(await collect(fork(path, { step: 9, steps: 0, batchSize: 4, objective }))).toMatchObject([
      { index: 9, weights: live[9]!.weights },
    ]);
  });

  it('is noticed with a tolerance on another engine, which rounds differently', async () => {
    await collect(train().pipe(record(path)));
    const other = (by: number) => Object.assign(edited(by), { metadata: { ...objective.metadata, engine: 'other' } });
    // Says that it is another engine by what is no part of L.
    expect(await collect(replay(path, { objective: other(1e-7) }))).toHaveLength(10);
    await expect(collect(replay(path, { objective: other(0.01) }))).rejects.toThrow(
      'which is more than another engine or machine explains (0.0001 of it)',
    );
  });

  it('is no matter for steps of a source of one’s own, whose loss may be anything', async () => {
    const step = stepAt(new Float32Array(5), { index: 0, batchLoss: 7 });
    await collect(of(step).pipe(record(path)));
    expect(await collect(replay(path, { objective }))).toMatchObject([{ index: 0, batchLoss: 7 }]);
  });
});

describe('a recording of format version 1', () => {
  const take = (name: string) => copyFileSync(join(fixtures, `${name}.arrows`), path);

  it('that draws batches is replayed, and neither resumed nor forked', async () => {
    take('nesterov');
    expect((await collect(replay(path))).length).toBeGreaterThan(2);
    for (const again of [() => resume(path), () => fork(path, { steps: 2 })]) {
      expect(again).toThrow(
        /^(resume|fork): .* was recorded by an older brink, which drew other batches from the same/,
      );
    }
  });

  it('of all examples is gone on with, in its own format', async () => {
    take('torn');
    const before = held(path).indices.length;
    const steps = await collect(resume(path, { steps: 30 }).pipe(record()));
    const whole = await lastValueFrom(replay(path).pipe(toArray()));
    expect(whole.slice(before - 1).map(plain)).toEqual(steps);
    expect(readFileSync(path).includes('brink.crc32')).toBe(false);
  });

  it('whose schema is damaged, which nothing seals, gives an error or the same steps', async () => {
    take('torn');
    const whole = readFileSync(path);
    const until = 3 + held(path).indices.at(-1)!;
    const go = (again: () => Observable<Step>) =>
      untilError(() => again().pipe(takeWhile(({ index }) => index < until)));
    const [replayed] = await go(() => replay(path));
    const [resumed] = await go(() => resume(path, { steps: until }));
    expect([replayed.length, resumed.length]).toEqual([held(path).indices.length, 3]);
    const random = generator(8);
    let errors = 0;
    for (let at = 8; at < firstStart(whole); at += 9) {
      const copy = Buffer.from(whole);
      copy[at]! ^= 1 << uniformInt(random, 0, 7);
      writeFileSync(path, copy);
      for (const [again, right] of [
        [() => replay(path), replayed],
        [() => resume(path, { steps: until }), resumed],
      ] as const) {
        const [steps, message] = await go(again);
        if (message === null) expect(steps, `byte ${at}`).toEqual(right);
        else {
          expect(steps, `byte ${at}`).toEqual(right.slice(0, steps.length));
          errors++;
        }
      }
    }
    expect(errors).toBeGreaterThan(50);
  }, 60_000);

  it('is not gone on with where its header contradicts its steps', async () => {
    take('torn');
    const text = readFileSync(path, 'latin1');
    const rate = /"learningRate":([\d.]+)/.exec(text)!;
    const other = rate[1]!.replace(/\d$/, (digit) => `${(Number(digit) + 1) % 10}`);
    writeFileSync(path, text.replace(rate[0], `"learningRate":${other}`), 'latin1');
    await expect(collect(resume(path, { steps: 30 }))).rejects.toThrow(
      `was taken with learningRate ${Number(rate[1])}, and the run is said to have ${Number(other)} there.`,
    );
  });

  it('has the loss alone to notice damage by', async () => {
    take('torn');
    const { indices } = held(path);
    const bytes = readFileSync(path);
    // The last weight of the step in the middle, whose exponent changes.
    const { read, end, close } = openRecording('test', path);
    close();
    expect(read).toBeTypeOf('function');
    const size = (end - firstStart(bytes)) / indices.length;
    bytes[firstStart(bytes) + 3 * size - 5]! ^= 8;
    writeFileSync(path, bytes);
    const [steps, message] = await untilError(() => replay(path));
    expect(steps.length).toBeLessThan(indices.length);
    expect(message).toMatch(/^replay: the loss of step \d+ in /);
  });
});

describe('record refuses', () => {
  it.each([
    ['an index above 2³¹ − 1', { index: 2 ** 31 }, 'index is 2147483648 at step 2147483648'],
    ['a batch size above 2³¹ − 1', { batchSize: 2 ** 31 }, 'batchSize is 2147483648 at step 0'],
  ])('%s, and keeps the steps before', async (_, more, message) => {
    const step = stepAt(new Float32Array(5), { index: 0, ...more } as never);
    await expect(collect(of(step).pipe(record(path)))).rejects.toThrow(`record: ${message}`);
    const last = stepAt(new Float32Array(5), { index: 2 ** 31 - 1 });
    await collect(of(last).pipe(record(path)));
    expect((await collect(replay(path, { objective }))).map(({ index }) => index)).toEqual([2 ** 31 - 1]);
  });
});

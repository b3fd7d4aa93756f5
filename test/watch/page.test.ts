import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandsAt, quoted, recordedNear } from '../../src/watch/page/commandsAt.ts';
import { contour } from '../../src/watch/page/contours.ts';
import { distinctNames } from '../../src/watch/page/distinctNames.ts';
import { GrownColumn } from '../../src/watch/page/Grown.ts';
import { isOnPlane, liesAlongX } from '../../src/watch/page/onPlane.ts';
import { Points } from '../../src/watch/page/Points.ts';
import { placesApart } from '../../src/watch/page/placesApart.ts';
import {
  linearOver,
  rangeOf,
  type ScaleKind,
  scaleOf,
  shortNumber,
  stepTicksOf,
  ticksOf,
} from '../../src/watch/page/scales.ts';
import { sparkLine } from '../../src/watch/page/sparkLine.ts';
import { slotsOf, stretchesOf } from '../../src/watch/page/stretches.ts';
import { View } from '../../src/watch/page/View.ts';
import { reading, stateSentence } from '../../src/watch/page/words.ts';
import type { WatchedRun, WatchedTable } from '../../src/watch/WatchState.ts';

const run = (more: Partial<WatchedRun>): WatchedRun => ({
  id: 'r0',
  name: '.',
  state: 'running',
  error: null,
  started: null,
  finished: null,
  heartbeat: null,
  step: null,
  steps: null,
  seconds: null,
  source: { steps: 480 },
  branches: {},
  tables: [],
  recordings: [],
  ...more,
});

describe('a run in words', () => {
  const now = Date.parse('2026-01-01T00:10:00Z');
  it.each([
    [run({}), 212, 'running, at step 212 of 480'],
    [run({ step: 3 }), null, 'running, at step 3 of 480'],
    [run({ heartbeat: '2026-01-01T00:09:50Z' }), 212, 'running, at step 212 of 480'],
    [run({ heartbeat: '2026-01-01T00:05:00Z' }), 212, 'running, at step 212 of 480; it last said so 5 min ago'],
    [run({ source: null }), null, 'running, before its first row'],
    [run({ tables: [{ rows: 1 }, { rows: 0 }] as unknown as WatchedTable[] }), null, 'running, with 1 row'],
    [
      run({ state: 'cut off', tables: [{ rows: 50 }] as unknown as WatchedTable[] }),
      null,
      'cut off with 50 rows: its process is gone',
    ],
    [run({ state: 'cut off' }), null, 'cut off before its first row: its process is gone'],
    [run({ state: 'cut off' }), 212, 'cut off at step 212 of 480: its process is gone'],
    [run({ state: 'finished', steps: 481, seconds: 12.57 }), 480, 'finished: 481 steps in 13 s'],
    [run({ state: 'diverged', steps: 36, seconds: 9000 }), 35, 'diverged after step 35: 36 steps in 2.5 h'],
    [run({ state: 'stopped', steps: 1, seconds: 0.5 }), 0, 'stopped: 1 step in 0.5 s'],
  ])('says how it stands', (state, step, sentence) => {
    expect(stateSentence(state, step, now)).toBe(sentence);
  });

  it('reads a number off with its step, and how far that is from the cursor', () => {
    expect(reading('λ₁', 10.8123, 222, 224)).toBe('λ₁ 10.81 at step 222, 2 before the cursor');
    expect(reading('λ₁', 10.8123, 222, 220)).toBe('λ₁ 10.81 at step 222, 2 after the cursor');
    expect(reading('ρ', null, 7, 7)).toBe('ρ has no value at step 7');
  });
});

describe('an axis', () => {
  it.each(['linear', 'log', 'asinh'] as const)('keeps the order, and leads back: %s', (kind: ScaleKind) => {
    const scale = scaleOf(kind, 0.01);
    const values = kind === 'log' ? [1e-9, 0.1, 1, 1e6] : [-1e6, -1, -0.001, 0, 0.001, 1, 1e6];
    const places = values.map(scale.to);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    for (const value of values) expect(scale.from(scale.to(value))).toBeCloseTo(value, 6);
  });

  it('has round ticks within its range, whatever that is', () => {
    expect(ticksOf(0, 10, scaleOf('linear'), 5)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(ticksOf(-3, 1, scaleOf('log'), 6).map((tick) => shortNumber(tick))).toEqual([
      '0.001',
      '0.01',
      '0.1',
      '1',
      '10',
    ]);
    expect(ticksOf(0, 1, scaleOf('log'), 6)).toEqual([1, 2, 5, 10]);
    expect(ticksOf(-20, 20, scaleOf('log'), 6).length).toBeLessThanOrEqual(7);
    const asinh = scaleOf('asinh', 1);
    const ticks = ticksOf(asinh.to(-1000), asinh.to(1000), asinh, 7);
    expect(ticks).toContain(0);
    expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
    for (const [low, high] of [
      [0, 1e-300],
      [5, 5 + 1e-12],
      [-1e308, 1e308],
    ]) {
      expect(ticksOf(low!, high!, scaleOf('linear'), 5).length).toBeLessThanOrEqual(200);
    }
  });

  it.each(['linear', 'log', 'asinh'] as const)(
    'has ticks that are numbers, up to the ends of all numbers: %s',
    (kind) => {
      const value = fc.double({ min: kind === 'log' ? Number.MIN_VALUE : -1e307, max: Number.MAX_VALUE, noNaN: true });
      fc.assert(
        fc.property(value, value, (a, b) => {
          const scale = scaleOf(kind, 1e-3);
          const [low, high] = rangeOf(Math.min(a, b), Math.max(a, b), scale);
          const ticks = ticksOf(low, high, scale, 6);
          expect([low, high, ...ticks].every(Number.isFinite)).toBe(true);
          expect(ticks.length).toBeLessThan(220);
        }),
        { numRuns: 1000, examples: [[1e293, Number.MAX_VALUE]] },
      );
    },
  );

  it('keeps values apart whose distance is no number', () => {
    const scale = linearOver(-1e308, 1e308);
    const [low, high] = rangeOf(-1e308, 1e308, scale);
    const share = (value: number) => (scale.to(value) - low) / (high - low);
    expect(share(0)).toBeCloseTo(0.5, 6);
    expect(share(1e308) - share(-1e308)).toBeGreaterThan(0.8);
    const ticks = ticksOf(low, high, scale, 6);
    expect(ticks).toContain(0);
    expect(ticks.length).toBeGreaterThan(2);
    expect(linearOver(-5, 10).to(3)).toBe(3);
  });

  it('has whole numbers for steps, of one row too', () => {
    expect(stepTicksOf(-0.5, 0.5, scaleOf('linear'), 8)).toEqual([0]);
    expect(stepTicksOf(0, 3, scaleOf('linear'), 10)).toEqual([0, 1, 2, 3]);
    expect(stepTicksOf(0, 400, scaleOf('linear'), 4)).toEqual([0, 100, 200, 300, 400]);
    expect(stepTicksOf(-0.3, 1, scaleOf('log'), 8)).toEqual([1, 2, 5, 10]);
  });

  it('has a length, also where all values are one, none is positive, or there is none', () => {
    for (const kind of ['linear', 'log', 'asinh'] as const) {
      for (const [least, most] of [
        [3, 3],
        [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      ] as const) {
        const [low, high] = rangeOf(least, most, scaleOf(kind));
        expect(high).toBeGreaterThan(low);
      }
    }
    expect(rangeOf(0, 0, scaleOf('linear'))).toEqual([-1, 1]);
  });

  it('writes numbers short', () => {
    const all = [
      0,
      12.3456,
      -0.5,
      123_456,
      1.5e-7,
      1e9,
      -1e9,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ];
    expect(all.map((value) => shortNumber(value))).toEqual([
      '0',
      '12.35',
      '−0.5',
      '123500',
      '1.5·10⁻⁷',
      '10⁹',
      '−10⁹',
      'NaN',
      '∞',
      '−∞',
    ]);
  });
});

describe('the labels at the ends of lines', () => {
  it('stay where they are wanted, if they are far enough apart, and share what is missing if not', () => {
    expect(placesApart([10, 30, 80], [0, 100], 12)).toEqual([10, 30, 80]);
    expect(placesApart([50, 50, 50], [0, 100], 10)).toEqual([40, 50, 60]);
    expect(placesApart([0, 0, 90], [0, 100], 10)).toEqual([0, 10, 90]);
    expect(placesApart([40, 100, 100], [0, 100], 10)).toEqual([40, 90, 100]);
    expect(placesApart([], [0, 100], 10)).toEqual([]);
  });

  it('are none where there is no room for all', () => {
    expect(placesApart([1, 2, 3], [0, 20], 10)).toEqual([0, 10, 20]);
    expect(placesApart([1, 2, 3], [0, 19], 10)).toBeNull();
  });

  it('keep their order and distance, whatever is wanted', () => {
    const wanted = fc.array(fc.double({ min: -50, max: 150, noNaN: true }), { maxLength: 11 });
    fc.assert(
      fc.property(wanted, (some) => {
        const places = placesApart(
          some.toSorted((a, b) => a - b),
          [0, 100],
          10,
        )!;
        for (const [k, place] of places.entries()) {
          expect(place).toBeGreaterThanOrEqual(k === 0 ? 0 : places[k - 1]! + 10 - 1e-9);
          expect(place).toBeLessThanOrEqual(100 + 1e-9);
        }
      }),
    );
  });

  it('leave out the words that the runs share', () => {
    expect(distinctNames(['learning-rate-0.01', 'learning-rate-0.12'])).toEqual(['0.01', '0.12']);
    expect(distinctNames(['cells/seed=1', 'cells/seed=12', 'cells/b'])).toEqual(['seed=1', 'seed=12', 'b']);
    expect(distinctNames(['one', 'other'])).toEqual(['one', 'other']);
    expect(distinctNames(['a/b', 'a/b/c'])).toEqual(['b', 'b/c']);
    expect(distinctNames(['a-', 'a-b'])).toEqual(['a-', 'b']);
    expect(distinctNames(['a/run'])).toEqual(['a/run']);
    expect(distinctNames([])).toEqual([]);
  });
});

describe('the steps that are shown', () => {
  const shownAfter = (...turns: readonly ((view: View) => void)[]) => {
    const view = new View();
    view.extend(0, 100);
    for (const turn of turns) turn(view);
    return view.range;
  };
  const grow = (view: View) => view.extend(0, 120);
  const zoom = (view: View) => view.choose(80, 100);
  const follow = (view: View) => view.follow();

  it('follow the newest one, or stay: as many as there are, too', () => {
    expect(shownAfter(grow)).toEqual([0, 120]);
    expect(shownAfter(follow, grow)).toEqual([0, 100]);
    expect(shownAfter(follow, follow, grow)).toEqual([0, 120]);
    expect(shownAfter(follow, grow, follow)).toEqual([20, 120]);
    expect(shownAfter(zoom, grow)).toEqual([100, 120]);
    expect(shownAfter(zoom, follow, grow)).toEqual([80, 100]);
    expect(shownAfter(zoom, follow, grow, follow)).toEqual([100, 120]);
  });
});

describe('contour lines', () => {
  it('lie where the values have the level: on a circle of a paraboloid', () => {
    // No point of the grid lies on the circle.
    const [size, middle, radius] = [41, 20, Math.sqrt(100.5)];
    const pieces = contour(size, size, (x, y) => (x - middle) ** 2 + (y - middle) ** 2, radius ** 2);
    expect(pieces.length).toBeGreaterThan(50);
    for (const [x0, y0, x1, y1] of pieces) {
      for (const [x, y] of [
        [x0, y0],
        [x1, y1],
      ] as const) {
        expect(Math.abs(Math.hypot(x - middle, y - middle) - radius)).toBeLessThan(0.02);
      }
    }
    // They close: each end is that of two pieces.
    const ends = Map.groupBy(
      pieces.flatMap(([x0, y0, x1, y1]) => [`${x0.toFixed(6)} ${y0.toFixed(6)}`, `${x1.toFixed(6)} ${y1.toFixed(6)}`]),
      (end) => end,
    );
    for (const all of ends.values()) expect(all.length).toBe(2);
  });

  it('pass a saddle on two sides, and avoid what is not finite', () => {
    const saddle = [
      [1, 0],
      [0, 1],
    ];
    expect(contour(2, 2, (x, y) => saddle[x]![y]!, 0.5)).toHaveLength(2);
    expect(contour(2, 2, (x, y) => (x + y === 2 ? Number.NaN : x), 0.5)).toEqual([]);
  });
});

describe('what is offered at the cursor', () => {
  const recording = { path: 'output/run/recording.arrows', count: 11, first: 0, last: 100, every: 10 };
  it('is for a step that was recorded', () => {
    for (const [cursor, step] of [
      [null, 100],
      [-3, 0],
      [44, 40],
      [46, 50],
      [500, 100],
    ] as const) {
      expect(recordedNear(recording, cursor)).toBe(step);
    }
    expect(recordedNear({ ...recording, first: null }, 4)).toBeNull();
  });

  it('is a command that a shell takes as it stands', () => {
    for (const path of ["it's a run/$(rm)/`x`;&.arrows", '-dash/λ.arrows']) {
      for (const command of Object.values(commandsAt({ ...recording, path }, 20))) {
        const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' }).split('\n');
        expect([words[0], words[1], words[3]]).toEqual(['npx', 'brink', path.replace(/^-/, './-')]);
      }
    }
    expect(commandsAt(recording, 40)).toEqual({
      replay:
        'npx brink replay output/run/recording.arrows --from 40 --to 40 --probe spectralDensity --out output/replay-40',
      fork: 'npx brink fork output/run/recording.arrows --step 40 --steps 50 --out output/fork-40',
    });
    expect(quoted("it's here/$HOME")).toBe("'it'\\''s here/$HOME'");
  });
});

it('knows when the next step lies along x of a loss plane: full batches, no momentum, the usual directions', () => {
  const source = {
    optimizer: 'gradientDescent',
    batchSize: 8,
    replacement: false,
    beta1: 0,
    beta2: 0,
    objective: { n: 8 },
  };
  const options = { directions: null };
  expect(liesAlongX({ source }, { options })).toBe(true);
  for (const other of [{ batchSize: 4 }, { replacement: true }, { beta1: 0.9 }, { beta2: 0.1 }, { weightDecay: 0.1 }]) {
    expect(liesAlongX({ source: { ...source, ...other } }, { options })).toBe(false);
  }
  expect(liesAlongX({ source }, { options: { directions: 'own' } })).toBe(false);
  expect(liesAlongX({ source }, { options: null })).toBe(false);
  expect(liesAlongX({ source: null }, { options })).toBe(false);
});

describe('the small line of a run', () => {
  const line = (values: readonly number[], steps = values.map((_, k) => k)) =>
    sparkLine(Float64Array.from(steps), Float64Array.from(values), values.length);

  it('goes through the least and the largest of each part, and as far along as its steps', () => {
    expect(line([0, 1]).line).toBe('M0.5,22.0L0.5,22.0L119.5,2.0L119.5,2.0');
    const many = Array.from({ length: 12_000 }, (_, k) => (k === 6_050 ? 7 : k % 2));
    const { line: drawn, lost } = line(many);
    expect(drawn.match(/,2\.0/g)).toHaveLength(1);
    expect(lost).toBe('');
    // Rows that are not evenly apart.
    expect(line([0, 1, 0], [0, 10, 1000]).line).toContain('L1.5,2.0');
  });

  it('passes over what was not measured, and takes rows in the order of their steps', () => {
    const [steps, values] = [Float64Array.of(2, 3, 0, 1), Float64Array.of(1, 1, 0, Number.NaN)];
    const { line, lost } = sparkLine(steps, values, 4, (row) => row === 3);
    expect(lost).toBe('');
    expect(line.match(/M/g)).toHaveLength(1);
    expect(line.startsWith('M0.5,')).toBe(true);
  });

  it('has a mark where the loss has left the numbers, and does not go on across it', () => {
    const { line: drawn, lost } = line([1, 2, Number.NaN, 1, Number.POSITIVE_INFINITY]);
    expect(lost.match(/M/g)).toHaveLength(2);
    expect(drawn.match(/M/g)).toHaveLength(2);
    expect(line([Number.NaN, Number.NaN])).toMatchObject({ line: '' });
    expect(line([])).toEqual({ line: '', lost: '' });
    expect(line([5]).line).toBe('M0.5,12.0L0.5,12.0');
    for (const all of [
      [1e308, -1e308],
      [3, 3],
    ])
      expect(line(all).line).not.toMatch(/NaN|Infinity/);
  });
});

it('takes a path for that on a plane where neither names directions of its own', () => {
  const [plain, own, unknown] = [
    { options: { directions: null } },
    { options: { directions: 'own' } },
    { options: null },
  ];
  expect(isOnPlane(plain, plain)).toBe(true);
  for (const [path, planes] of [
    [own, own],
    [plain, own],
    [own, plain],
    [unknown, plain],
    [plain, unknown],
  ] as const) {
    expect(isOnPlane(path, planes)).toBe(false);
  }
});

it('gives each part of the steps the shares that verdicts have of it', () => {
  const steps = Array.from({ length: 101 }, (_, k) => k);
  const stretches = stretchesOf(
    steps,
    steps.map((step) => (step < 50 ? (step % 2 ? 'odd' : 'even') : 'late')),
  );
  const slots = slotsOf(stretches, 0, 100, 4);
  expect(slots.map(({ from, to }) => [from, to])).toEqual([
    [0, 25],
    [25, 50],
    [50, 75],
    [75, 100],
  ]);
  expect(slots[0]!.parts).toEqual([
    { verdict: 'even', low: 0, high: expect.closeTo(13 / 25, 12) },
    { verdict: 'odd', low: expect.closeTo(13 / 25, 12), high: expect.closeTo(1, 12) },
  ]);
  expect(slots[3]!.parts).toEqual([{ verdict: 'late', low: 0, high: 1 }]);
});

describe('the points of a line', () => {
  /** A table as far as points ask it, of some columns. */
  const tableOf = (columns: Readonly<Record<string, number[]>>) => {
    const grown = new Map<string, GrownColumn>();
    const table = { edition: 1, rows: 0, column: (name: string) => grown.get(name) };
    const take = (rows: number) => {
      for (const [name, values] of Object.entries(columns)) {
        const column = grown.get(name) ?? new GrownColumn();
        grown.set(name, column);
        column.push({ kind: 'numbers', values: Float64Array.from(values.slice(table.rows, rows)), nulls: null });
      }
      table.rows = rows;
    };
    return { table, take };
  };
  const plan = { column: 'y', place: null, of: {}, error: null, draws: null };

  it('are the columns themselves, where all rows are wanted in their order: nothing is held twice', () => {
    const { table, take } = tableOf({ step: [0, 1, 2, 3], y: [5, 6, 7, 8] });
    const points = new Points(table, plan);
    take(2);
    points.update();
    take(4);
    // What came since is not drawn before it is taken.
    expect([points.length, points.before(9), points.largest]).toEqual([2, 1, 6]);
    points.update();
    expect([points.length, points.before(9), points.largest]).toEqual([4, 3, 8]);
    expect(points.x.values.buffer).toBe(table.column('step')!.numbers.values.buffer);
    expect(points.y.values.buffer).toBe(table.column('y')!.numbers.values.buffer);
  });

  it('come in the order of their steps, whatever that of the rows, and leave the table as it is', () => {
    const { table, take } = tableOf({ step: [4, 5, 0, 1, 6], y: [40, 50, 0, 10, 60] });
    const points = new Points(table, plan);
    for (const rows of [2, 4, 5]) {
      take(rows);
      points.update();
    }
    expect([...points.x.values.subarray(0, points.length)]).toEqual([0, 1, 4, 5, 6]);
    expect([...points.y.values.subarray(0, points.length)]).toEqual([0, 10, 40, 50, 60]);
    expect([...table.column('y')!.numbers.values.subarray(0, 5)]).toEqual([40, 50, 0, 10, 60]);
    expect(points.y.values[points.nearest(2)]).toBe(10);
  });
});

it('joins verdicts that follow on each other', () => {
  expect(stretchesOf([0, 3, 6, 9], ['stable', 'stable', 'unstable', null])).toEqual([
    { verdict: 'stable', from: 0, to: 6 },
    { verdict: 'unstable', from: 6, to: 9 },
    { verdict: 'unknown', from: 9, to: 9 },
  ]);
});

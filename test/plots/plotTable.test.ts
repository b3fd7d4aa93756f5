import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Table } from '../../src/core/Table.ts';
import { bool, defineTable, float64, int32, list, nullable, utf8 } from '../../src/core/Table.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { plotTable } from '../../src/plots/plotTable.ts';
import { toSvg } from '../../src/plots/toSvg.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { asked, everyProbe } from '../helpers/everyProbe.ts';
import { regression } from '../helpers/regression.ts';
import { pathsOf, pointsOf, seen, textsOf } from './drawn.ts';

/**
 * Columns that a picture of the table should tell of: numbers that some row has, beside those that belong to others.
 */
function toldOf({ key, columns }: Table, rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  return Object.entries(columns)
    .filter(([name, { type, list }]) => type === 'float64' && !list && !key.includes(name))
    .map(([name]) => name)
    .filter((name) => !/_(standard_error|low|high)$/.test(name))
    .filter((name) => rows.some((row) => Number.isFinite(row[name])));
}

describe.each(everyProbe)('the table of %s', (_, probe) => {
  const { table } = probe;
  const measured = async () => {
    const steps = gradientDescent(regression(), { learningRate: 0.02, steps: 8, batchSize: 3, beta1: 0.2 });
    return lastValueFrom(steps.pipe(throttleSteps(2), asked(probe), toArray()));
  };

  it('is drawn with its symbols, its key, its marks and a legend', async () => {
    const rows = await measured();
    const spec = plotTable(table, rows);
    const svg = await toSvg(spec);
    expect(svg.length).toBeLessThan(300_000);
    const marks = (['line', 'symbol', 'rect'] as const).flatMap((kind) => pathsOf(svg, kind));
    expect(marks.filter((d) => d !== '').length).toBeGreaterThan(0);
    for (const d of marks) expect(d).not.toContain('NaN');

    const texts = textsOf(svg).join('\n');
    for (const name of toldOf(table, rows)) {
      const { symbol } = table.columns[name]!;
      expect(texts, name).toContain(seen(symbol || name.replaceAll('_', ' ')));
    }
    for (const name of table.key) expect(`${texts}${spec.description}`).toContain(seen(table.columns[name]!.symbol));
    expect(svg).toContain('role-legend');
    expect(spec.description?.startsWith(table.description)).toBe(true);
  });

  it('is drawn the same way from a single row', async () => {
    const [row] = await measured();
    const svg = await toSvg(plotTable(table, [row!]));
    expect((['line', 'symbol', 'rect'] as const).flatMap((kind) => pathsOf(svg, kind)).length).toBeGreaterThan(0);
  });
});

const table = defineTable({
  name: 'any_table',
  description: 'Rows of all kinds.',
  key: ['step', 'batch_size'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'Examples in a batch.' }),
    speed: float64({ symbol: 'v_s', description: 'How fast.', unit: 'm/s', scale: 'speed' }),
    speed_standard_error: float64({ symbol: '', description: 'Of speed.' }),
    limit: float64({ symbol: 'v*', description: 'Not faster.', unit: 'm/s', scale: 'speed', isReference: true }),
    heat: nullable(float64({ symbol: '', description: 'How hot.' })),
    fixed: float64({ symbol: 'c', description: 'Always the same.' }),
    parts: list(float64({ symbol: 'p', description: 'Of speed.' })),
    good: bool({ symbol: '', description: 'Whether it is.' }),
    verdict: utf8({ symbol: '', description: 'What it is.' }),
  },
});
const rowsOf = (batchSizes: readonly number[], steps = 20) =>
  Array.from({ length: steps }, (_, step) => step).flatMap((step) =>
    batchSizes.map((batch_size) => ({
      step,
      batch_size,
      speed: batch_size + step / 10,
      speed_standard_error: 0.5,
      limit: 12,
      heat: step < 5 ? null : 10 ** step,
      fixed: 7,
      parts: [batch_size, -step],
      good: true,
      verdict: 'stable',
    })),
  );

describe('plotTable', () => {
  it('draws one line for each value of the rest of the key, a band of one standard error, an edge dashed', async () => {
    const svg = await toSvg(plotTable(table, rowsOf([4, 8]), { y: ['speed', 'limit'] }));
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['any table', 'step t', 'vs [m/s]', 'b = 4', 'b = 8', 'v*']));
    expect(pathsOf(svg, 'area')).toHaveLength(2);
    const lines = pathsOf(svg, 'line');
    expect(lines).toHaveLength(3);
    expect(svg.match(/stroke-dasharray="6,4"[^>]*\/>|d="[^"]*" [^>]*stroke-dasharray="6,4"/g)?.length).toBeGreaterThan(
      0,
    );
    // The limit is the same for both: one line over all steps.
    expect(new Set(pointsOf(lines[2]!).map(({ y }) => y)).size).toBe(1);
  });

  it('draws no band where there is no value, or no error: a null is not 0', async () => {
    const declared = defineTable({
      name: 'with_nulls',
      description: 'A number that is not always there.',
      key: ['step'],
      columns: {
        step: int32({ symbol: 't', description: 'The step.' }),
        noise: nullable(float64({ symbol: 'B', description: 'The noise.' })),
        noise_standard_error: nullable(float64({ symbol: '', description: 'Of noise.' })),
      },
    });
    const rows = Array.from({ length: 40 }, (_, step) => ({
      step,
      noise: step < 20 ? null : 100 + step,
      noise_standard_error: step < 20 ? null : 1,
    }));
    const svg = await toSvg(plotTable(declared, rows));
    const [areas] = [pathsOf(svg, 'area').flatMap(pointsOf)];
    const width = Math.max(...areas.map(({ x }) => x));
    // The band begins where the line does, in the right half of the frame.
    expect(Math.min(...areas.map(({ x }) => x)) / width).toBeCloseTo(20 / 39, 2);
    expect(textsOf(svg)).not.toContain('0.0');
    expect(textsOf(svg)).toContain('120');
  });

  it('tells of a column with one value in a note, and of bands in the description', () => {
    const { description } = plotTable(table, rowsOf([4, 8]));
    expect(description).toContain('fixed c is 7 throughout.');
    expect(description).toContain('Bands and bars reach one standard error to both sides.');
  });

  it('has a logarithmic axis where values span three decades, a gap where one is null, unless told otherwise', async () => {
    const rows = rowsOf([4]);
    const log = JSON.stringify(plotTable(table, rows, { y: ['heat'] }));
    expect(log).toContain('"type":"log"');
    expect(JSON.stringify(plotTable(table, rows, { y: ['heat'], log: [] }))).not.toContain('"type":"log"');
    const svg = await toSvg(plotTable(table, rows, { y: ['heat'] }));
    expect(pointsOf(pathsOf(svg, 'line')[0]!)).toHaveLength(15);
  });

  it('draws points where x is no key: all steps together, apart by the rest of the key', async () => {
    const svg = await toSvg(plotTable(table, rowsOf([4, 8]), { x: 'limit', y: ['speed'] }));
    expect(pathsOf(svg, 'symbol')).toHaveLength(40);
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['limit v* [m/s]', 'b = 4', 'b = 8']));
  });

  it('draws a table of one step over what else the key has, powers of two on a logarithmic axis', async () => {
    const rows = rowsOf([4, 8, 16, 32], 1);
    const svg = await toSvg(plotTable(table, rows, { y: ['speed'] }));
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['batch size b', '4', '8', '16', '32']));
    const xs = pointsOf(pathsOf(svg, 'line')[0]!).map(({ x }) => x);
    expect(xs[1]! - xs[0]!).toBeCloseTo(xs[2]! - xs[1]!, 1);
  });

  it('tells columns of one symbol apart by their names too', async () => {
    const columns = { ...table.columns, limit: { ...table.columns.limit, symbol: 'v_s' } };
    const svg = await toSvg(plotTable({ ...table, columns }, rowsOf([4]), { y: ['speed', 'limit'] }));
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['speed vs [m/s]', 'limit vs [m/s]']));
  });

  it('draws some of very many series, and says so', () => {
    const { description } = plotTable(table, rowsOf(Array.from({ length: 30 }, (_, k) => k + 1)), { y: ['speed'] });
    expect(description).toContain('8 of 30 values of b are drawn.');
  });

  it('leaves values far from all others beyond the frame, and counts them', () => {
    const rows = rowsOf([4], 200).map((row) => ({ ...row, speed: row.step === 77 ? 1e9 : row.speed }));
    const { description } = plotTable(table, rows, { y: ['speed'] });
    expect(description).toContain('1 of 200 values lie beyond the frame.');
  });

  it.each<[string, object[], object]>([
    ["plotTable: the table 'any_table' has no rows.", [], {}],
    ["plotTable: y is 'sped', and 'any_table' has no such column. Did you mean speed?", rowsOf([4]), { y: ['sped'] }],
    ["plotTable: y is 'verdict', a column of utf8", rowsOf([4]), { y: ['verdict'] }],
    ["plotTable: x is 'parts', a column of a list of float64", rowsOf([4]), { x: 'parts' }],
    ["plotTable: log is 'z'.", rowsOf([4]), { log: ['z'] }],
    ["plotTable: there is no option 'where'.", rowsOf([4]), { where: 'step=1' }],
  ])('refuses: %s', (message, rows, options) => {
    expect(() => plotTable(table, rows, options)).toThrow(message);
  });
});

it('draws of a plane with more cells than a picture can hold every second, and says so', async () => {
  const coordinate = float64({ symbol: '', description: 'Along an axis.' });
  const columns = { step: int32({ symbol: 't', description: 'The step.' }), x: coordinate, y: coordinate };
  const loss = float64({ symbol: 'L', description: 'The loss.' });
  const table = defineTable({
    name: 'fine',
    description: 'Fine.',
    key: ['step', 'x', 'y'],
    columns: { ...columns, loss },
  });
  const plane = (side: number) =>
    Array.from({ length: side ** 2 }, (_, k) => ({ step: 3, x: k % side, y: Math.floor(k / side) / 10, loss: k }));
  const cellsOf = async (side: number) => pathsOf(await toSvg(plotTable(table, plane(side))), 'rect').length;
  expect(await cellsOf(50)).toBe(2500);
  expect(await cellsOf(51)).toBe(26 ** 2);
  expect(plotTable(table, plane(50)).description).not.toContain('cells');
  expect(plotTable(table, plane(51)).description).toMatch(
    /676 of 2,601 cells are drawn, of one in 2 values of x and of y/,
  );
});

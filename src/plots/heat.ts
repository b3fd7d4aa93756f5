import { BrinkError } from '../core/errors.ts';
import type { Drawing, Frame, Layer } from './Layer.ts';
import { type Reading, readNumbers, requireLayer } from './readings.ts';

/** What `heat` draws. */
export interface Heat<R extends object> {
  /** Beside the scale of colours. */
  readonly name: string;
  readonly rows: readonly R[];
  /** The place of a cell: values of a grid, in equal steps or not. */
  readonly x: Reading<R>;
  readonly y: Reading<R>;
  /** Its colour. */
  readonly value: Reading<R>;
  /** Colours by the logarithm; values ≤ 0 are left out. Default: false. */
  readonly log?: boolean;
}

/** The most cells that a picture can hold. */
export const MOST_CELLS = 2500;

/**
 * A grid of cells, each coloured by its value: test accuracy over batch size and learning rate, the loss on a plane.
 *
 * A cell reaches half-way to its neighbours, on a logarithmic axis half-way in its logarithm. A cell of the grid that
 * has no row, or no value, stays white; of several rows for one cell, the mean is drawn, and the note says so.
 *
 * @throws BrinkError where a column isn't there, or holds no numbers; for more than 2500 cells.
 * @example
 * import { chart, heat } from 'brink';
 *
 * const rows = [4, 8].flatMap((b) => [0.1, 0.2].map((eta) => ({ b, eta, accuracy: eta / b })));
 * const spec = chart({
 *   description: 'Test accuracy by batch size and learning rate.',
 *   x: { title: 'batch size b', log: 2 },
 *   y: { title: 'learning rate η', log: true },
 *   layers: [heat({ name: 'test accuracy', rows, x: 'b', y: 'eta', value: 'accuracy' })],
 * });
 * console.log('layer' in spec); // true
 */
export function heat<R extends object>(options: Heat<R>): Layer {
  requireLayer('heat', options, ['name', 'rows', 'x', 'y', 'value', 'log']);
  const { name, rows, log = false } = options;
  const read = (what: 'x' | 'y' | 'value') => readNumbers('heat', rows, what, options[what]);
  const [x, y, value] = [read('x'), read('y'), read('value')];
  const cells = Map.groupBy(
    x.map((at, k) => ({ x: at, y: y[k]!, value: value[k]! })),
    (cell) => `${cell.x} ${cell.y}`,
  );
  if (cells.size > MOST_CELLS) {
    throw new BrinkError('heat', `${cells.size} cells are too many for a picture of at most ${MOST_CELLS}. Thin them.`);
  }
  const means = [...cells.values()].map((rows) => ({
    x: rows[0]!.x,
    y: rows[0]!.y,
    value: rows.reduce((sum, row) => sum + row.value / rows.length, 0),
  }));
  const shared = [...cells.values()].filter((rows) => rows.length > 1).length;
  return {
    entries: [],
    // Half a cell beyond the outermost.
    xs: (log) => [...edges(x, log).values()].flat(),
    ys: (log) => [...edges(y, log).values()].flat(),
    room: 'none',
    draw: (frame) => draw(name, means, shared, log, frame),
  };
}

interface HeatCell {
  readonly x: number;
  readonly y: number;
  readonly value: number;
}

function draw(name: string, cells: readonly HeatCell[], shared: number, log: boolean, { x, y }: Frame): Drawing {
  const across = edges(
    cells.map((cell) => cell.x),
    Boolean(x.axis.log),
  );
  const up = edges(
    cells.map((cell) => cell.y),
    Boolean(y.axis.log),
  );
  const there = cells.filter(
    (cell) => x.shows(cell.x) && y.shows(cell.y) && Number.isFinite(cell.value) && (!log || cell.value > 0),
  );
  const notes: string[] = [];
  if (there.length < cells.length) {
    notes.push(
      `${name}: ${cells.length - there.length} of ${cells.length} cells have no value to draw, and stay white.`,
    );
  }
  if (shared > 0) notes.push(`${name}: ${shared} cells show the mean of several rows.`);
  const values = there.map((cell) => {
    const [left, right] = across.get(cell.x)!;
    const [below, above] = up.get(cell.y)!;
    return { left, right, below, above, value: cell.value };
  });
  return {
    marks: [
      {
        data: { values },
        mark: { type: 'rect', clip: true, strokeWidth: 0 },
        encoding: {
          x: { field: 'left', type: 'quantitative' },
          x2: { field: 'right' },
          y: { field: 'below', type: 'quantitative' },
          y2: { field: 'above' },
          color: {
            field: 'value',
            type: 'quantitative',
            title: name,
            scale: { scheme: 'viridis', zero: false, nice: false, ...(log && { type: 'log' }) },
            legend: { orient: 'right' },
          },
        },
      },
    ],
    notes,
  };
}

/** From each value of a grid to the two ends of its cell. */
function edges(values: readonly number[], log: boolean): Map<number, [number, number]> {
  const forth = log ? Math.log : (value: number) => value;
  const back = log ? Math.exp : (value: number) => value;
  const grid = [...new Set(values)].filter((value) => Number.isFinite(forth(value))).sort((a, b) => a - b);
  const at = grid.map(forth);
  const between = at.slice(1).map((value, k) => (value + at[k]!) / 2);
  const half = (k: number) => (at.length > 1 ? (at[k + 1]! - at[k]!) / 2 : 0.5);
  const ends = [at[0]! - half(0), ...between, at.at(-1)! + half(at.length - 2)];
  return new Map(grid.map((value, k) => [value, [back(ends[k]!), back(ends[k + 1]!)]]));
}

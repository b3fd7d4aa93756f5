import type { Dashes, Drawing, Frame, Layer, Mark } from './Layer.ts';
import { counted, notShown } from './notShown.ts';
import { path } from './path.ts';
import { type Reading, readNumbers, requireLayer } from './readings.ts';
import type { Scale } from './Scale.ts';

/** What `line` draws. */
export interface Line<R extends object> {
  /** In the legend. Layers of one name look alike. */
  readonly name: string;
  readonly rows: readonly R[];
  readonly x: Reading<R>;
  readonly y: Reading<R>;
  /** The ends of a band around the line; both or none. */
  readonly low?: Reading<R>;
  readonly high?: Reading<R>;
  /** For bounds and the like, black unless a colour is given; or the lengths of dashes and gaps. Default: false. */
  readonly dashed?: Dashes;
  /** Default: the next of the palette. */
  readonly color?: string;
  /** Whether the legend has it. Default: true. */
  readonly isListed?: boolean;
}

interface Vertex {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/**
 * A line through rows, in their order, with a band around it where `low` and `high` are given.
 *
 * Where a value is null, NaN or can't stand on a logarithmic axis, the line has a gap. Where x rises and there are more
 * than four values to a pixel, the least and the largest of each column of pixels are drawn, so that no peak is lost.
 *
 * @throws BrinkError where a column isn't there, or holds no numbers.
 * @example
 * import { chart, line } from 'brink';
 *
 * const rows = [0, 1, 2].map((step) => ({ step, loss: 0.5 ** step }));
 * const spec = chart({
 *   description: 'The loss falls by half at every step.',
 *   x: { title: 'step t' },
 *   y: { title: 'loss L', log: true },
 *   layers: [line({ name: 'L', rows, x: 'step', y: 'loss' })],
 * });
 * console.log(spec.description); // The loss falls by half at every step.
 */
export function line<R extends object>(options: Line<R>): Layer {
  requireLayer('line', options, ['name', 'rows', 'x', 'y', 'low', 'high', 'dashed', 'color', 'isListed']);
  const { name, rows, color, dashed, isListed = true } = options;
  const read = (what: 'x' | 'y' | 'low' | 'high') => readNumbers('line', rows, what, options[what]!);
  const [x, y] = [read('x'), read('y')];
  const isBand = options.low !== undefined && options.high !== undefined;
  const [low, high] = isBand ? [read('low'), read('high')] : [[], []];
  const vertices = x.map(
    (value, k): Vertex => ({ x: value, y: y[k]!, low: low[k] ?? Number.NaN, high: high[k] ?? Number.NaN }),
  );
  return {
    entries: [{ name, kind: 'line', color, dashed, isListed }],
    xs: () => x,
    ys: () => [...y, ...low, ...high],
    draw: (frame) => draw(name, vertices, isBand, frame),
  };
}

function draw(name: string, vertices: readonly Vertex[], isBand: boolean, { x, y, style }: Frame): Drawing {
  const { color, dash, width } = style(name);
  const isShown = (v: Vertex) => x.shows(v.x) && y.shows(v.y);
  const columns = columnsOf(vertices, x);
  const thinned = columns ? columns.flatMap((column) => ends(column, isShown)) : vertices;
  const marks: Mark[] = [];
  if (isBand) {
    const envelope = columns ? columns.map((column) => around(column, y)) : vertices;
    // On a logarithmic axis a band that reaches 0 or less ends at the frame.
    const floor = Math.min(...y.domain);
    const low = (v: Vertex) => (y.axis.log && v.low <= 0 ? floor : v.low);
    const isBounded = (v: Vertex) => x.shows(v.x) && y.shows(low(v)) && y.shows(v.high);
    marks.push(
      band(
        envelope.map((v) => (isBounded(v) ? { x: v.x, low: low(v), high: v.high } : GAP)),
        color,
      ),
    );
  }
  marks.push(
    path(
      thinned.map((v) => (isShown(v) ? { x: v.x, y: v.y } : null)),
      { color, dash, width },
    ),
  );
  const notes = notShown(name, vertices, { x, y });
  if (columns) {
    notes.push(
      `${name}: of ${counted(vertices.length)} values the least and the largest in each of ${columns.length} columns ` +
        'are drawn.',
    );
  }
  return { marks, notes };
}

const GAP = { x: null, low: null, high: null };

/** The vertices in each column of pixels; null where there are few to a column, or x does not rise. */
function columnsOf(vertices: readonly Vertex[], x: Scale): Vertex[][] | null {
  if (vertices.length <= 4 * x.pixels) return null;
  const columns: Vertex[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  let before = Number.NEGATIVE_INFINITY;
  for (const vertex of vertices) {
    if (!x.shows(vertex.x)) continue;
    if (vertex.x < before) return null;
    before = vertex.x;
    const column = Math.floor(x.place(vertex.x));
    if (column !== last) columns.push([]);
    last = column;
    columns.at(-1)!.push(vertex);
  }
  return columns;
}

/** The least and the largest of a column, and a gap where there was one, in their order. */
function ends(column: readonly Vertex[], isShown: (v: Vertex) => boolean): Vertex[] {
  const there = column.filter(isShown);
  const gap = column.find((v) => !isShown(v));
  if (there.length === 0) return gap ? [gap] : [];
  const least = there.reduce((a, b) => (b.y < a.y ? b : a));
  const most = there.reduce((a, b) => (b.y > a.y ? b : a));
  const kept = new Set([least, most, ...(gap ? [gap] : [])]);
  return column.filter((v) => kept.has(v));
}

/** The band around all bands of a column. */
function around(column: readonly Vertex[], y: Scale): Vertex {
  const bounded = column.filter((v) => Number.isFinite(v.low) && y.shows(v.high));
  const none = { low: Number.NaN, high: Number.NaN };
  const { low, high } = bounded.reduce(
    (a, b) => ({ low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) }),
    bounded[0] ?? none,
  );
  return { x: column[0]!.x, y: column[0]!.y, low, high };
}

function band(values: readonly object[], color: string): Mark {
  return {
    data: { values },
    mark: { type: 'area', clip: true, fill: color, fillOpacity: 0.2, invalid: 'break-paths-show-path-domains' },
    encoding: {
      x: { field: 'x', type: 'quantitative' },
      y: { field: 'low', type: 'quantitative' },
      y2: { field: 'high' },
      order: { value: null },
    },
  };
}

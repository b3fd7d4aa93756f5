import type { TopLevelSpec } from 'vega-lite';
import { BrinkError, given } from '../core/errors.ts';
import { requireList, requireOptions } from '../core/given.ts';
import type { Table } from '../core/Table.ts';
import { chart } from './chart.ts';
import { framesOf } from './framesOf.ts';
import { heat, MOST_CELLS } from './heat.ts';
import type { Layer } from './Layer.ts';
import { line } from './line.ts';
import { counted } from './notShown.ts';
import { panels } from './panels.ts';
import { points } from './points.ts';
import { type Axis, DECADES } from './Scale.ts';
import { REFERENCE_DASHES, shades } from './styles.ts';
import {
  type AnyRow,
  defaultX,
  endsOf,
  errorOf,
  finiteValues,
  measuredColumns,
  planeOf,
  requireNumeric,
  shortTitleOf,
  symbolOf,
  titleOf,
  wordsOf,
} from './tableColumns.ts';
import { type Series, seriesOf, short, spread } from './tableSeries.ts';

/** What of a table is drawn, where the declaration shall not decide. */
export interface PlotTableOptions {
  /** A column. Default: of the key, the last of float64, then the first ones, whichever takes several values. */
  readonly x?: string;
  /** Columns. Default: all of float64 but the key and what belongs to others. */
  readonly y?: readonly string[];
  /**
   * Which axes are logarithmic. Default: y where all values are positive and span three decades; x at powers of two.
   */
  readonly log?: readonly ('x' | 'y')[];
}

const WHO = 'plotTable';
/** Panels beside each other. */
const COLUMNS = 2;
/** Planes in all, of one quantity at several steps or of several. */
const MOST_PLANES = 4;
/** With fewer values, each is marked. */
const FEW = 16;
/** The longest logarithmic axis, from its end to its beginning. */
const RANGE = 1e12;
/** Values further from the middle 96 % than this many times their span are beyond the frame. */
const FAR = 3;

/**
 * Draws any table by its declaration: symbols and units on the axes, one line for each value of the rest of the key
 * (batch size, α, step), a band of one standard error to both sides, edges, bounds and predictions dashed.
 *
 * Columns that are declared to be of one scale share a panel, as a sharpness and its edge. Where x is of the key there
 * are lines, else points, as of the change of the loss against tr(HS_b)/tr(S_n). A key with two columns of float64 is a
 * plane, and drawn as a heat map, of more than 2500 cells every second, third … along both. A column with one value
 * throughout is told in a note. Values very far from the others lie beyond the frame, and are counted.
 *
 * @param table The declaration: `probe.table`, or what `readTable` gives.
 * @param rows Its rows; not empty.
 * @param options.x A column; by default of the key, the last of float64, then the first ones, whichever takes several
 * values.
 * @param options.y Columns; by default all of float64 but the key and what belongs to others.
 * @param options.log Which axes are logarithmic; by default y where all values are positive and span three decades,
 * and x where they are powers of two.
 * @throws BrinkError where there are no rows, or a column isn't there or holds no numbers.
 * @example
 * import { gradientDescent, plotTable, topEigenvalues, toy } from 'brink';
 * import { firstValueFrom, toArray } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 1 / 32, steps: 5, initialWeights: [3, 0.1] });
 * const rows = await firstValueFrom(steps.pipe(topEigenvalues(), toArray()));
 * const spec = plotTable(topEigenvalues.table, rows, { y: ['lambda_1', 'edge'] });
 * console.log(spec.description?.startsWith(topEigenvalues.table.description)); // true
 * @see chart, readTable
 */
export function plotTable(table: Table, rows: readonly object[], options: PlotTableOptions = {}): TopLevelSpec {
  requireOptions(WHO, options, ['x', 'y', 'log'], "{ x: 'step', y: ['ias'] }");
  requireList(WHO, 'rows', rows);
  if (rows.length === 0) throw new BrinkError(WHO, `the table '${table.name}' has no rows. There is nothing to draw.`);
  for (const name of ['y', 'log'] as const) if (options[name] !== undefined) requireList(WHO, name, options[name]);
  const wrong = options.log?.find((axis) => axis !== 'x' && axis !== 'y');
  if (wrong !== undefined) throw new BrinkError(WHO, `${given('log', wrong)} It must be a list of 'x' and 'y'.`);
  for (const name of options.y ?? []) requireNumeric(WHO, table, 'y', name);
  if (options.x !== undefined) requireNumeric(WHO, table, 'x', options.x);

  const found = rows as readonly AnyRow[];
  const plane = options.x === undefined ? planeOf(table) : undefined;
  return plane ? drawPlanes(table, found, plane, options) : drawLines(table, found, options);
}

/** Whether `plotTable` finds something to draw by the declaration alone. */
export function canBeDrawn(table: Table, rows: readonly object[]): boolean {
  if (rows.length === 0) return false;
  const found = rows as readonly AnyRow[];
  if (planeOf(table)) return measuredColumns(table).length > 0;
  const x = defaultX(table, found);
  return x !== undefined && measuredColumns(table).some((name) => name !== x && finiteValues(found, [name]).length > 0);
}

function drawLines(table: Table, rows: readonly AnyRow[], options: PlotTableOptions): TopLevelSpec {
  const x = options.x ?? defaultX(table, rows);
  if (x === undefined) {
    throw new BrinkError(WHO, `the key of '${table.name}' has no numbers to draw over. Name a column: { x: '…' }.`);
  }
  const isLine = table.key.includes(x);
  // Points of all steps belong together.
  const by = table.key.filter((name, k) => name !== x && (isLine || k > 0));
  const { series, note: leftOut } = seriesOf(table, rows, by);
  const { drawn, constant } = options.y ? { drawn: options.y, constant: [] } : split(table, rows, x);
  const isConstant = (name: string) => rows.every((row) => row[name] === rows[0]![name]);
  const throughout = [...by.filter(isConstant), ...constant].map(
    (name) => `${titleOf(table, name)} is ${short(rows[0]![name])} throughout.`,
  );
  const notes = [leftOut, ...throughout];
  const xAxis = {
    title: titleOf(table, x),
    log: options.log ? options.log.includes('x') : arePowersOfTwo(rows, x) && (2 as const),
  };
  const frames = framesOf(table, drawn, (name) => !sharedRows(series, x, name));
  const charts = frames.map(({ measured, references }, k, all) => {
    const names = [...measured, ...references];
    const values = finiteValues(rows, names);
    const log = options.log ? options.log.includes('y') : spanDecades(values);
    const note = notes.filter((sentence) => sentence !== undefined).join(' ');
    return chart({
      description: `${names.map((name) => symbolOf(table, name)).join(', ')} over ${xAxis.title}.`,
      x: xAxis,
      y: { title: titleOfAll(table, names), log, ...(log ? withoutTiny(values) : withoutFar(values)) },
      layers: names.flatMap((name) => {
        const isAlone = measured.length === 1 && name === measured[0];
        return layersOf(table, { x, name, isLine, series, isAlone, reference: references.indexOf(name) });
      }),
      ...(k === all.length - 1 && note !== '' && { note }),
    });
  });
  const band = drawn.some((name) => errorOf(table, name))
    ? ' Bands and bars reach one standard error to both sides.'
    : '';
  return together(charts, table, `${table.description}${band}`);
}

/** The columns that are drawn, and those that have one value throughout, which a sentence says as well. */
function split(table: Table, rows: readonly AnyRow[], x: string) {
  const measured = measuredColumns(table).filter((name) => name !== x && finiteValues(rows, [name]).length > 0);
  const isConstant = (name: string) =>
    !table.columns[name]!.isReference &&
    !table.columns[name]!.list &&
    rows.every((row) => row[name] === rows[0]![name]);
  const constant = measured.filter(isConstant);
  const isAllThereIs = measured.every((name) => isConstant(name) || table.columns[name]!.isReference);
  if (measured.length === 0) {
    throw new BrinkError(
      WHO,
      `the table '${table.name}' has no finite numbers in columns of float64. Name one: { y: ['…'] }.`,
    );
  }
  return isAllThereIs
    ? { drawn: measured, constant: [] }
    : { drawn: measured.filter((name) => !isConstant(name)), constant };
}

interface Drawn {
  readonly x: string;
  readonly name: string;
  readonly isLine: boolean;
  readonly series: readonly Series[];
  /** Whether the axis says already what it is. */
  readonly isAlone: boolean;
  /** Which of the frame's references it is, if it is one. */
  readonly reference: number;
}

/** One column in a frame: as many lines, or clouds of points, as there are series. */
function layersOf(table: Table, { x, name, isLine, series, isAlone, reference }: Drawn): Layer[] {
  const { list, isReference = false } = table.columns[name]!;
  const symbol = symbolOf(table, name);
  const shared = isLine ? sharedRows(series, x, name) : null;
  const parts = shared ? [{ label: '', rows: shared }] : series;
  const colors = shades(parts.length);
  const areMany = parts.length > 1;
  const dashed = isReference && (areMany ? REFERENCE_DASHES[reference % REFERENCE_DASHES.length]! : true);
  const layers = parts.flatMap(({ label, rows }, k): Layer[] => {
    const named = [isAlone && label !== '' ? '' : symbol, label].filter(Boolean).join(', ');
    const common = { name: named, x, ...(areMany && { color: colors[k]! }) };
    if (!isLine) {
      const [xError, yError] = [errorOf(table, x), errorOf(table, name)];
      return [points({ ...common, rows, y: name, ...(xError && { xError }), ...(yError && { yError }) })];
    }
    const inOrder = rows.toSorted((a, b) => Number(a[x]) - Number(b[x]));
    if (list) return listLayers(named, name, inOrder, x);
    const isListed = !(isReference && areMany);
    const layer = line({ ...common, rows: inOrder, y: name, dashed, isListed, ...bandOf(table, name) });
    const isMarked = rows.length < FEW && !isReference;
    return isMarked ? [layer, points({ ...common, rows: inOrder, y: name })] : [layer];
  });
  // Those of all series have the colours of what they are held against, and one place in the legend.
  const forAll =
    isReference && areMany && isLine ? [line({ name: symbol, rows: [], x, y: name, dashed, color: '#111111' })] : [];
  return [...layers, ...forAll];
}

function listLayers(named: string, name: string, rows: readonly AnyRow[], x: string): Layer[] {
  const lengthOf = (row: AnyRow) => (row[name] as readonly number[] | null)?.length ?? 0;
  const most = rows.reduce((longest, row) => Math.max(longest, lengthOf(row)), 0);
  const places = spread(
    Array.from({ length: most }, (_, k) => k),
    8,
  );
  const colors = shades(places.length);
  return places.map((place, k) =>
    line({
      name: `${named}, no. ${place + 1}`,
      rows,
      x,
      y: (row) => (row[name] as readonly number[] | null)?.[place],
      color: colors[k]!,
    }),
  );
}

/** The rows of one series, where all have the same value at every x. */
function sharedRows(series: readonly Series[], x: string, name: string): readonly AnyRow[] | null {
  const [first, ...others] = series;
  const values = new Map(first!.rows.map((row) => [row[x], row[name]]));
  const isSame = ({ rows }: Series) =>
    rows.length === first!.rows.length &&
    rows.every((row) => values.has(row[x]) && Object.is(values.get(row[x]), row[name]));
  return others.every(isSame) ? first!.rows : null;
}

function bandOf(
  table: Table,
  name: string,
): { low?: string | ((row: AnyRow) => number); high?: string | ((row: AnyRow) => number) } {
  const ends = endsOf(table, name);
  if (ends) return { low: ends[0], high: ends[1] };
  const error = errorOf(table, name);
  if (error === undefined) return {};
  // Null is no 0.
  const of = (row: AnyRow, column: string) => (row[column] as number | null) ?? Number.NaN;
  return {
    low: (row) => of(row, name) - of(row, error),
    high: (row) => of(row, name) + of(row, error),
  };
}

/** Heat maps of a plane, one for each quantity and some of the steps. */
function drawPlanes(
  table: Table,
  rows: readonly AnyRow[],
  [x, y]: readonly [string, string],
  options: PlotTableOptions,
): TopLevelSpec {
  const rest = table.key.filter((name) => name !== x && name !== y);
  const { series } = seriesOf(table, rows, rest);
  const names = options.y ?? measuredColumns(table);
  const chosen = spread(series, Math.max(2, Math.floor(MOST_PLANES / names.length)));
  const axis = (name: string): Axis => ({
    title: titleOf(table, name),
    log: options.log?.includes(name === x ? 'x' : 'y') ?? false,
  });
  const { every, planes: thinned } = thinning(chosen, x, y);
  const planes = names.flatMap((name) => thinned.map(({ label, rows }) => ({ name, label, rows })));
  const steps = new Set(rows.map((row) => JSON.stringify(rest.map((column) => row[column])))).size;
  const symbols = rest.map((column) => symbolOf(table, column)).join(', ');
  const notes = [
    ...(chosen.length < steps ? [`${chosen.length} of ${steps} values of ${symbols} are drawn.`] : []),
    ...(every > 1
      ? [
          `${counted(thinned[0]!.rows.length)} of ${counted(chosen[0]!.rows.length)} cells are drawn, of one in ${every} ` +
            `values of ${symbolOf(table, x)} and of ${symbolOf(table, y)}.`,
        ]
      : []),
  ];
  const charts = planes.map(({ name, label, rows: cells }, k) => {
    const isLast = k === planes.length - 1;
    return chart({
      ...(label !== '' && { title: label }),
      description: `${symbolOf(table, name)} over ${titleOf(table, x)} and ${titleOf(table, y)}${label && `, ${label}`}.`,
      width: 400,
      x: axis(x),
      y: axis(y),
      layers: [heat({ name: symbolOf(table, name), rows: cells, x, y, value: name })],
      ...(isLast && notes.length > 0 && { note: notes.join(' ') }),
    });
  });
  return together(charts, table, table.description);
}

/** The cells of one in `every` values of each coordinate, so few that the picture can hold them. */
function thinning(planes: readonly Series[], x: string, y: string, every = 1): { every: number; planes: Series[] } {
  const kept = planes.map(({ label, rows }) => {
    const [xs, ys] = [x, y].map((name) => {
      const values = [...new Set(rows.map((row) => row[name]))].sort((a, b) => Number(a) - Number(b));
      return new Set(values.filter((_, k) => k % every === 0));
    });
    return { label, rows: rows.filter((row) => xs!.has(row[x]) && ys!.has(row[y])) };
  });
  const areFew = kept.every(({ rows }) => new Set(rows.map((row) => `${row[x]} ${row[y]}`)).size <= MOST_CELLS);
  return areFew ? { every, planes: kept } : thinning(planes, x, y, every + 1);
}

/** One chart as it is, several in rows. */
function together(charts: readonly TopLevelSpec[], { name }: Table, description: string): TopLevelSpec {
  if (charts.length === 1) {
    const [only] = charts as [TopLevelSpec];
    return { ...only, title: wordsOf(name), description: `${description} ${only.description}` } as TopLevelSpec;
  }
  const rows = Array.from({ length: Math.ceil(charts.length / COLUMNS) }, (_, k) =>
    charts.slice(COLUMNS * k, COLUMNS * (k + 1)),
  );
  return panels(rows, { title: wordsOf(name), description });
}

/** The column that references are held against, or what several measure. */
function titleOfAll(table: Table, names: readonly string[]): string {
  const measured = names.filter((name) => !table.columns[name]!.isReference);
  const [first, ...more] = measured.length > 0 ? measured : names;
  return more.length === 0 ? shortTitleOf(table, first!) : (table.columns[first!]!.scale ?? wordsOf(first!));
}

function arePowersOfTwo(rows: readonly AnyRow[], name: string): boolean {
  const values = new Set(finiteValues(rows, [name]));
  return values.size > 2 && [...values].every((value) => value > 0 && Number.isInteger(Math.log2(value)));
}

/** Whether all are positive, and those in the middle span decades: one that is far off does not make it so. */
function spanDecades(values: readonly number[]): boolean {
  const [low, high] = middle(values);
  return extremes(values)[0] > 0 && high / low >= DECADES;
}

/** The ends of the middle 96 %. */
function middle(values: readonly number[]): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.02), at(0.98)];
}

const extremes = (values: readonly number[]) =>
  values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)] as const, [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as const);

/** The domain of a logarithmic axis where the least values are nothing beside the largest. */
function withoutTiny(values: readonly number[]): { readonly domain?: readonly [number, number] } {
  const [least, most] = extremes(values.filter((value) => value > 0));
  return most / least > RANGE ? { domain: [most / RANGE, 2 * most] } : {};
}

/** The domain where a few values are so far from the rest that they would flatten it. */
function withoutFar(values: readonly number[]): { readonly domain?: readonly [number, number] } {
  const [low, high] = middle(values);
  const span = high - low;
  const [least, most] = extremes(values);
  if (!(span > 0) || (most - high <= FAR * span && low - least <= FAR * span)) return {};
  const end = (value: number, inner: number) => (Math.abs(value - inner) > FAR * span ? inner : value);
  const space = span / 10;
  return { domain: [end(least, low) - space, end(most, high) + space] };
}

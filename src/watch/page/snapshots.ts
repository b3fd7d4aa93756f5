import type { Table } from '../../core/Table.ts';
import {
  errorOf,
  measuredColumns,
  planeOf,
  shortTitleOf,
  symbolOf,
  titleOf,
  wordsOf,
} from '../../plots/tableColumns.ts';
import { contour } from './contours.ts';
import { element, symbol } from './element.ts';
import { isSnapshot } from './panelPlans.ts';
import { linearOver, rangeOf, type Scale, scaleOf, shortNumber, ticksOf } from './scales.ts';
import { subscript } from './subscript.ts';
import type { TableData } from './TableData.ts';

const SPACE = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [420, 260];
const [LEFT, RIGHT, TOP, BOTTOM] = [62, 14, 24, 40];
/** Where a name and a number stand beside each line. */
const WIDE_LEFT = 116;
/** As many contour lines at most. */
const CONTOURS = 9;
/** Cividis (Nuñez, Anderton, Renslow, 2018), from low to high: read alike with and without colour vision. */
const CIVIDIS = [
  '#00224e',
  '#123570',
  '#3b496c',
  '#575d6d',
  '#707173',
  '#8a8678',
  '#a59c74',
  '#c3b369',
  '#e1cc55',
  '#fee838',
];

type Attributes = Readonly<Record<string, string | number>>;

/** Where the weights of a step lie on a plane; `beside` is how far from it, null where that is not known. */
export interface PathPoint {
  readonly step: number;
  readonly x: number;
  readonly y: number;
  readonly beside: number | null;
}

/** What is known of training on the plane of a step. */
export interface OnPlane {
  /** The steps from that one on, as far as they are known; none where nothing is. */
  path(step: number): readonly PathPoint[];
}

/** A panel that shows the rows of the step at the cursor: eigenvalues, a spectrum, a slice, a plane. */
export class Snapshot {
  readonly root: HTMLElement;
  readonly table: TableData;
  /** The columns that it reads. */
  readonly columns: readonly string[];
  readonly #declared: string;
  readonly #onPlane: OnPlane;
  readonly #heading: HTMLElement;
  readonly #box: HTMLElement;
  #shown = '';

  /** @param onPlane What training does on a plane. */
  constructor(table: TableData, onPlane: OnPlane) {
    this.table = table;
    this.#onPlane = onPlane;
    const declaration = table.watched.declaration!;
    const { key, columns } = declaration;
    this.#declared = JSON.stringify(declaration);
    this.columns = Object.keys(columns).filter((name) => columns[name]!.type !== 'utf8' || key.includes(name));
    this.#heading = element('span', { class: 'value' });
    this.#box = element('div', { class: 'snapshot-box' });
    const id = `snapshot-${table.watched.id}`;
    this.root = element(
      'figure',
      { class: 'panel snapshot', id, 'data-snapshot': declaration.name },
      element(
        'figcaption',
        {},
        element('h3', {}, TITLES[declaration.name] ?? wordsOf(declaration.name)),
        this.#heading,
      ),
      this.#box,
      element('p', { class: 'note' }, declaration.description),
    );
  }

  /** Whether the table still has the columns that it was made for. */
  get isOfTable(): boolean {
    return JSON.stringify(this.table.watched.declaration) === this.#declared;
  }

  /** Shows the rows of the step nearest to one; of the newest where there is none. */
  show(cursor: number | null): void {
    const steps = this.table.column('step')?.numbers;
    const { rows } = this.table;
    if (steps === undefined || rows === 0 || this.columns.some((name) => this.table.column(name) === undefined)) {
      // What is there may be of a run that another one has taken the place of.
      for (const part of [this.#heading, this.#box]) part.replaceChildren();
      this.#shown = '';
      return;
    }
    const step = nearestStep(steps.values, rows, cursor);
    const far =
      cursor === null || cursor === step
        ? ''
        : `, ${Math.abs(step - cursor)} ${step < cursor ? 'before' : 'after'} the cursor`;
    this.#heading.textContent = `at step ${step}${far}`;
    const path = this.#onPlane.path(step);
    const shown = `${this.table.edition} ${step} ${rows} ${JSON.stringify(path.at(-1))} ${path.length}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const places: number[] = [];
    for (let row = 0; row < rows; row++) if (steps.values[row] === step) places.push(row);
    const declaration = this.table.watched.declaration!;
    this.#box.replaceChildren(drawSnapshot(declaration, this.table, places, path));
  }
}

const TITLES: Readonly<Record<string, string>> = {
  eigenvalues: 'eigenvalues',
  spectrum: 'spectral density',
  slices: 'slice along the step',
  planes: 'loss plane',
};

/** Whether a table has rows that a snapshot shows. */
export function hasSnapshot(table: Table): boolean {
  return table.key.includes('step') && (isSnapshot(table) || 'eigenvalues' in table.columns);
}

function nearestStep(steps: Float64Array, rows: number, cursor: number | null): number {
  if (cursor === null) return steps[rows - 1]!;
  let best = steps[0]!;
  for (let row = 0; row < rows; row++) if (Math.abs(steps[row]! - cursor) < Math.abs(best - cursor)) best = steps[row]!;
  return best;
}

/** More groups of rows than these are not drawn of one step. */
const MOST_GROUPS = 4;

/** A picture for each value of the rest of the key: what belongs to another one is no point of the same line. */
function drawSnapshot(declaration: Table, table: TableData, rows: readonly number[], path: readonly PathPoint[]): Node {
  const { key, columns } = declaration;
  const rest = key.filter((name) => name !== 'step' && columns[name]!.type !== 'float64');
  const cellOf = (name: string, row: number) =>
    columns[name]!.type === 'utf8' ? table.column(name)!.cells[row] : table.column(name)!.numbers.values[row];
  const groups = Map.groupBy(rows, (row) =>
    rest.map((name) => `${symbolOf(declaration, name)} = ${cellOf(name, row)}`).join(', '),
  );
  if (groups.size < 2) return drawGroup(declaration, table, rows, path);
  const shown = [...groups].slice(0, MOST_GROUPS);
  const names = rest.map((name) => symbolOf(declaration, name)).join(', ');
  return element(
    'div',
    {},
    shown.flatMap(([label, own]) => [element('h4', {}, label), drawGroup(declaration, table, own, path)]),
    shown.length < groups.size &&
      element('p', { class: 'note' }, `${shown.length} of ${groups.size} values of ${names} are drawn.`),
  );
}

function drawGroup(declaration: Table, table: TableData, rows: readonly number[], path: readonly PathPoint[]): Node {
  const plane = planeOf(declaration);
  if (plane) return drawPlane(declaration, table, rows, plane, path);
  if ('eigenvalues' in declaration.columns) return drawEigenvalues(table, rows[0]!);
  return drawLines(declaration, table, rows);
}

const numbers = (table: TableData, name: string, rows: readonly number[]): number[] =>
  rows.map((row) => table.column(name)!.numbers.values[row]!);

/** Eigenvalues along an axis, each with its residual, which it lies within, and the edge. */
function drawEigenvalues(table: TableData, row: number): Node {
  const listed = (name: string) => (table.column(name)?.cells[row] ?? []) as readonly number[];
  const all = [...listed('eigenvalues'), ...listed('smallest_eigenvalues')];
  const residuals = [...listed('residuals'), ...listed('smallest_residuals')];
  const edge = table.column('edge')?.numbers.values[row] ?? Number.NaN;
  const values = [...all, edge].filter(Number.isFinite);
  const x = axisOf(values.length > 0 ? [...values, 0] : [], scaleOf('linear'), WIDE_LEFT, WIDTH - RIGHT);
  const picture = frame(x, null, 'λ', '');
  const between = (k: number) => TOP + ((HEIGHT - TOP - BOTTOM) * (k + 1)) / (all.length + 1);
  const count = listed('eigenvalues').length;
  for (const [k, value] of all.entries()) {
    const y = between(k);
    picture.append(
      label(
        `${k < count ? `λ${subscript(k + 1)}` : fromBelow(k - count)} ${shortNumber(value)}`,
        WIDE_LEFT - 6,
        y + 4,
        'end',
      ),
    );
    if (!Number.isFinite(value)) continue;
    const at = x.at(value);
    const half = residuals[k] ?? 0;
    picture.append(
      shape('line', { x1: x.at(0), x2: at, y1: y, y2: y, class: 'stroke-lambda thin' }),
      shape('line', { x1: x.at(value - half), x2: x.at(value + half), y1: y, y2: y, class: 'stroke-text thick' }),
      shape('circle', { cx: at, cy: y, r: 4, class: 'fill-lambda' }),
    );
  }
  if (Number.isFinite(edge)) {
    const isLeft = x.at(edge) < (WIDE_LEFT + WIDTH - RIGHT) / 2;
    picture.append(
      shape('line', { x1: x.at(edge), x2: x.at(edge), y1: TOP, y2: HEIGHT - BOTTOM, class: 'stroke-text dashed' }),
      label(`edge ${shortNumber(edge)}`, x.at(edge) + (isLeft ? 4 : -4), TOP + 10, isLeft ? 'start' : 'end'),
    );
  }
  return described(
    picture,
    `Eigenvalues ${all.map((value) => shortNumber(value)).join(', ')}; the edge is ${shortNumber(edge)}.`,
  );
}

/** The least eigenvalue, and those before it. */
const fromBelow = (k: number) => (k === 0 ? 'λₘ' : `λₘ₋${subscript(k)}`);

/** What was measured along a coordinate: the columns of one scale, references dashed. */
function drawLines(declaration: Table, table: TableData, rows: readonly number[]): Node {
  const { key, columns } = declaration;
  const along = key.findLast((name) => columns[name]!.type === 'float64')!;
  const measured = measuredColumns(declaration);
  // What has something to be held against says most.
  const reference = measured.find((name) => columns[name]!.isReference);
  const main =
    reference === undefined
      ? measured[0]!
      : measured.find((name) => columns[name]!.scale === columns[reference]!.scale)!;
  const names =
    reference === undefined ? [main] : measured.filter((name) => columns[name]!.scale === columns[main]!.scale);
  const places = numbers(table, along, rows);
  const order = [...rows.keys()].sort((a, b) => places[a]! - places[b]!);
  const values = new Map(names.map((name) => [name, numbers(table, name, rows)]));
  const all = [...values.values()].flat().filter(Number.isFinite);
  const isDensity = declaration.name === 'spectrum';
  const positive = all.filter((value) => value > 0);
  // A density spans decades, down to nothing between the eigenvalues.
  const floor = isDensity ? Math.max(...positive, 0) * 1e-6 : Number.NEGATIVE_INFINITY;
  const isLog = isDensity && positive.length > 0;
  const low = isLog ? all.filter((value) => value < floor).length : 0;
  const x = axisOf(places, scaleOf('linear'), LEFT, WIDTH - RIGHT);
  const y = axisOf(
    isLog ? all.map((value) => Math.max(value, floor)) : all,
    isLog ? scaleOf('log') : linearOver(Math.min(...all), Math.max(...all)),
    HEIGHT - BOTTOM,
    TOP,
  );
  const picture = frame(x, y, titleOf(declaration, along), shortTitleOf(declaration, main));
  const least = isLog ? floor : Number.NEGATIVE_INFINITY;
  const error = errorOf(declaration, main);
  if (error !== undefined) {
    const halves = numbers(table, error, rows);
    const own = values.get(main)!;
    for (const run of runsOf(order, (k) => Number.isFinite(own[k]) && Number.isFinite(halves[k]))) {
      const end = (k: number, sign: number) =>
        `${x.at(places[k]!)},${y.at(Math.max(own[k]! + sign * halves[k]!, least))}`;
      const points = [...run.map((k) => end(k, 1)), ...run.toReversed().map((k) => end(k, -1))];
      picture.append(shape('polygon', { points: points.join(' '), class: 'fill-lambda faint' }));
    }
  }
  for (const [name, numbersOf] of values) {
    const kind = columns[name]!.isReference ? 'stroke-text dashed' : 'stroke-lambda';
    for (const run of runsOf(order, (k) => Number.isFinite(numbersOf[k]))) {
      const points = run.map((k) => ({ cx: x.at(places[k]!), cy: y.at(Math.max(numbersOf[k]!, least)) }));
      const [only, ...more] = points;
      picture.append(
        more.length === 0
          ? shape('circle', { ...only!, r: 2.5, class: `dot ${kind}` })
          : shape('polyline', { points: points.map(({ cx, cy }) => `${cx},${cy}`).join(' '), class: `line ${kind}` }),
      );
    }
  }
  const words = names.map((name) => reach(symbolOf(declaration, name), values.get(name)!));
  const legend = element(
    'ul',
    { class: 'legend' },
    names.map((name) =>
      element(
        'li',
        {},
        columns[name]!.isReference ? '╌ ' : '— ',
        symbol(symbolOf(declaration, name)),
        element('span', { class: 'counts' }, lostWords(values.get(name)!)),
      ),
    ),
  );
  const lowWords = `${low} of ${all.length} are less than a millionth of the largest, and drawn along the bottom.`;
  return element(
    'div',
    {},
    described(picture, `${words.join('; ')}.`),
    legend,
    low > 0 && element('p', { class: 'note' }, lowWords),
  );
}

/** Places that follow on each other, as far as each can be drawn. */
function runsOf(places: readonly number[], canBeDrawn: (place: number) => boolean): number[][] {
  const runs: number[][] = [[]];
  for (const place of places) {
    if (canBeDrawn(place)) runs.at(-1)!.push(place);
    else runs.push([]);
  }
  return runs.filter((run) => run.length > 0);
}

/** From where to where numbers go, and how many are none. */
function reach(name: string, values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  const lost = lostWords(values);
  if (finite.length === 0) return `${name}: ${lost}`;
  const [least, most] = [Math.min(...finite), Math.max(...finite)].map((value) => shortNumber(value));
  return `${name} from ${least} to ${most}${lost && `, ${lost}`}`;
}

/** How many values can't be drawn; empty where all can. */
function lostWords(values: readonly number[]): string {
  const lost = values.filter((value) => !Number.isFinite(value)).length;
  return lost === 0 ? '' : `${lost} of ${values.length} null, NaN or infinite`;
}

/** A plane as a heat map, with contour lines, in which the weights lie at 0, 0. */
function drawPlane(
  declaration: Table,
  table: TableData,
  rows: readonly number[],
  [xName, yName]: readonly [string, string],
  path: readonly PathPoint[],
): Node {
  const [main] = measuredColumns(declaration) as [string];
  const [xs, ys, values] = [xName, yName, main].map((name) => numbers(table, name, rows)) as [
    number[],
    number[],
    number[],
  ];
  const unique = (all: readonly number[]) => [...new Set(all)].sort((a, b) => a - b);
  const [columns, lines] = [unique(xs), unique(ys)];
  const cells = new Map(rows.map((_, k) => [`${xs[k]} ${ys[k]}`, values[k]!]));
  const valueAt = (i: number, j: number) => cells.get(`${columns[i]} ${lines[j]}`) ?? Number.NaN;
  const finite = values.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const symbolText = symbolOf(declaration, main);
  // From the least upwards by its logarithm: the valley's floor shows, and the walls don't drown it.
  const shade = (value: number) => Math.log1p((99 * (value - least)) / (most - least || 1)) / Math.log(100);
  const x = axisOf(columns, scaleOf('linear'), LEFT, WIDTH - RIGHT - 60);
  const y = axisOf(lines, scaleOf('linear'), HEIGHT - BOTTOM, TOP);
  const picture = frame(x, y, titleOf(declaration, xName), titleOf(declaration, yName));
  const edges = (all: readonly number[], k: number) => [
    k === 0 ? all[0]! : (all[k - 1]! + all[k]!) / 2,
    k === all.length - 1 ? all[k]! : (all[k]! + all[k + 1]!) / 2,
  ];
  for (let i = 0; i < columns.length; i++) {
    for (let j = 0; j < lines.length; j++) {
      const value = valueAt(i, j);
      if (!Number.isFinite(value)) continue;
      const [left, right] = edges(columns, i).map(x.at) as [number, number];
      const [bottom, top] = edges(lines, j).map(y.at) as [number, number];
      const size = { x: left, y: top, width: right - left + 0.5, height: bottom - top + 0.5 };
      picture.append(shape('rect', { ...size, fill: cividis(shade(value)) }));
    }
  }
  const between = (all: readonly number[], at: number) => {
    const k = Math.min(all.length - 2, Math.floor(at));
    return all.length < 2 ? all[0]! : all[k]! + (at - k) * (all[k + 1]! - all[k]!);
  };
  for (let k = 1; k <= CONTOURS; k++) {
    const level = least + ((100 ** (k / (CONTOURS + 1)) - 1) / 99) * (most - least);
    const path = contour(columns.length, lines.length, valueAt, level)
      .map(
        ([x0, y0, x1, y1]) =>
          `M${x.at(between(columns, x0))},${y.at(between(lines, y0))}L${x.at(between(columns, x1))},${y.at(between(lines, y1))}`,
      )
      .join('');
    picture.append(shape('path', { d: path, class: 'contour' }));
  }
  const here = { cx: x.at(0), cy: y.at(0) };
  picture.append(
    shape('circle', { ...here, r: 5, class: 'here' }),
    shape('circle', { ...here, r: 2, class: 'here-inner' }),
  );
  if (path.length > 1) picture.append(...drawPath(path, x, y, `path-${table.watched.id}`));
  if (finite.length > 0) picture.append(...legendOfShades(least, most));
  const lost = lostWords(values);
  return element(
    'div',
    {},
    described(picture, `${reach(symbolText, values)}; the weights of the step lie at 0, 0${pathWords(path)}.`),
    lost !== '' && element('p', { class: 'counts' }, `${lost}: left empty`),
  );
}

/** The shades from the least to the largest value. */
function legendOfShades(least: number, most: number): SVGElement[] {
  const height = (HEIGHT - TOP - BOTTOM) / CIVIDIS.length;
  return [
    ...CIVIDIS.map((fill, k) =>
      shape('rect', {
        x: WIDTH - RIGHT - 40,
        y: HEIGHT - BOTTOM - (k + 1) * height,
        width: 12,
        height: height + 0.5,
        fill,
      }),
    ),
    label(shortNumber(most, 3), WIDTH - RIGHT - 24, TOP + 8, 'start'),
    label(shortNumber(least, 3), WIDTH - RIGHT - 24, HEIGHT - BOTTOM, 'start'),
  ];
}

/** The projection of training's path, as far as it lies within the axes. */
function drawPath(path: readonly PathPoint[], x: Axis, y: Axis, id: string): SVGElement[] {
  const ends = { x: x.at(x.low), y: TOP, width: x.at(x.high) - x.at(x.low), height: HEIGHT - TOP - BOTTOM };
  const clip = shape('clipPath', { id });
  clip.append(shape('rect', ends));
  const group = shape('g', { 'clip-path': `url(#${id})` });
  const places = path.map((point) => ({ cx: x.at(point.x), cy: y.at(point.y) }));
  group.append(
    shape('polyline', { points: places.map(({ cx, cy }) => `${cx},${cy}`).join(' '), class: 'step path' }),
    shape('circle', { ...places.at(-1)!, r: 3.5, class: 'here' }),
  );
  return [clip, group];
}

function pathWords(path: readonly PathPoint[]): string {
  const last = path.at(-1);
  if (path.length < 2 || last === undefined) return '';
  const at = `${shortNumber(last.x)}, ${shortNumber(last.y)}`;
  if (path.length === 2 && last.beside === null) return `, those of the next at ${at}`;
  const most = Math.max(...path.map(({ beside }) => beside ?? 0));
  return `, those of step ${last.step} at ${at}, and up to there at most ${shortNumber(most)} beside the plane`;
}

/** A colour of cividis, from 0 to 1. */
function cividis(share: number): string {
  const at = Math.min(1, Math.max(0, share)) * (CIVIDIS.length - 1);
  const k = Math.min(CIVIDIS.length - 2, Math.floor(at));
  const channels = [1, 3, 5].map((from) => {
    const [a, b] = [CIVIDIS[k]!, CIVIDIS[k + 1]!].map((color) => Number.parseInt(color.slice(from, from + 2), 16)) as [
      number,
      number,
    ];
    return Math.round(a + (at - k) * (b - a));
  });
  return `rgb(${channels.join(' ')})`;
}

interface Axis {
  readonly scale: Scale;
  /** Whether there is no number to lie along it. */
  readonly isEmpty: boolean;
  readonly low: number;
  readonly high: number;
  at(value: number): number;
}

function axisOf(values: readonly number[], scale: Scale, from: number, to: number): Axis {
  const finite = values.filter(Number.isFinite);
  const [low, high] = rangeOf(Math.min(...finite), Math.max(...finite), scale);
  const isEmpty = finite.length === 0;
  return { scale, isEmpty, low, high, at: (value) => from + ((scale.to(value) - low) / (high - low)) * (to - from) };
}

/** An empty picture with its axes. */
function frame(x: Axis, y: Axis | null, xTitle: string, yTitle: string): SVGSVGElement {
  const picture = shape('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: 'snapshot-picture',
    role: 'img',
  }) as SVGSVGElement;
  const ticksAlong = (axis: Axis) => (axis.isEmpty ? [] : ticksOf(axis.low, axis.high, axis.scale, 5));
  for (const tick of ticksAlong(x)) {
    const at = x.at(tick);
    picture.append(
      shape('line', { x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM, class: 'gridline' }),
      label(shortNumber(tick, 3), at, HEIGHT - BOTTOM + 15, 'middle'),
    );
  }
  for (const tick of y ? ticksAlong(y) : []) {
    const at = y!.at(tick);
    picture.append(
      shape('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at, class: 'gridline' }),
      label(shortNumber(tick, 3), LEFT - 6, at + 4, 'end'),
    );
  }
  picture.append(
    label(plain(xTitle), (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, 'middle'),
    label(plain(yTitle), 4, 4, 'start', 'above'),
  );
  return picture;
}

/** A symbol without the signs of its subscripts. */
const plain = (text: string) => text.replaceAll(/[{}]|_(?=\{)/g, '');

function shape(name: string, attributes: Attributes): SVGElement {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  return made;
}

function label(text: string, x: number, y: number, anchor: 'start' | 'middle' | 'end', kind = ''): SVGElement {
  const made = shape('text', { x, y, 'text-anchor': anchor, class: `tick ${kind}`.trim() });
  made.textContent = text;
  return made;
}

/** With what it shows in words. */
function described(picture: SVGSVGElement, words: string): SVGSVGElement {
  picture.setAttribute('aria-label', words);
  return picture;
}

import uPlot from 'uplot';
import { DECADES } from '../../plots/Scale.ts';
import { piecesOf } from '../../plots/subscripts.ts';
import { writeSymbol } from './element.ts';
import { halfWidth } from './halfWidth.ts';
import type { Points } from './Points.ts';
import type { SeriesPlan } from './panelPlans.ts';
import { placesApart } from './placesApart.ts';
import {
  linearOver,
  rangeOf,
  type Scale,
  type ScaleKind,
  scaleOf,
  shortNumber,
  stepTicksOf,
  ticksOf,
} from './scales.ts';
import { styleOf } from './styleOf.ts';
import { bucketsAround, levelFor, type Mark, markOf, Thinned } from './Thinned.ts';
import type { View } from './View.ts';

/** A line with its numbers. */
export interface PanelSeries {
  readonly plan: SeriesPlan;
  readonly points: Points;
}

const HEIGHT = 260;
/** The axis of values, and the labels at the lines' ends, in pixels. */
const LEFT = 62;
const RIGHT = 104;
/** From a line's end to its label: there a thin line leads to one that had to move. */
const LEAD = 16;
/** How far a mark reaches to either side of its step. */
const MARK = 6;
/** From so many rows a bucket on the reach of each bucket is shaded, and a note says so. */
const MANY = 4;
/** A line is thinned as a whole, and that kept, where more than this part of it is in sight. */
const PART = 4;
/** With fewer rows in sight than this each has its whiskers; with more they become a band. */
const SPARSE = 40;
const MARKS: Readonly<Record<Mark, string>> = { nan: '▲', above: '▲', below: '▼' };

/** What the last frames took for all panels together, in milliseconds. */
export const frames: { readonly frame: number; spent: number }[] = [];
const MOST_FRAMES = 200;

/** A line as it is drawn now. */
interface Drawn {
  readonly series: PanelSeries;
  readonly thinned: Thinned;
  readonly begin: number;
  readonly end: number;
  readonly isMany: boolean;
}

/** The curves of a panel: lines, bands, marks, the labels at their ends, and the cursor's line. */
export class Curves {
  readonly #series: readonly PanelSeries[];
  readonly #view: View;
  readonly #plot: uPlot;
  readonly #box: HTMLElement;
  readonly #planned: ScaleKind | null;
  readonly #hasDrawn: () => void;
  readonly #sizes: ResizeObserver;
  readonly #thinned = new Map<string, Thinned>();
  #chosen: ScaleKind | null;
  #kind: ScaleKind = 'linear';
  #scale: Scale = scaleOf('linear');
  #drawn: readonly Drawn[] = [];
  /** Whether some number is in sight. */
  #hasValues = false;
  #isDue = false;
  /** Whether steps are being chosen with the pointer. */
  #isDragging = false;

  /**
   * @param planned The scale of the values, where they shall not decide.
   * @param chosen The scale that somebody has chosen before.
   * @param hasDrawn Called after each frame.
   */
  constructor(
    box: HTMLElement,
    series: readonly PanelSeries[],
    view: View,
    planned: ScaleKind | null,
    chosen: ScaleKind | null,
    hasDrawn: () => void,
  ) {
    this.#box = box;
    this.#series = series;
    this.#view = view;
    this.#planned = planned;
    this.#chosen = chosen;
    this.#hasDrawn = hasDrawn;
    this.#plot = new uPlot(this.#options(600), [[], ...series.map(() => [])], box);
    for (const canvas of box.querySelectorAll('canvas')) canvas.setAttribute('aria-hidden', 'true');
    this.#sizes = new ResizeObserver(() => this.#resize());
    this.#sizes.observe(box);
    const { over } = this.#plot;
    over.addEventListener('mousemove', (event) => this.#pointed(event));
    over.addEventListener('mousedown', () => this.#drag());
    over.addEventListener('mouseleave', () => !view.isPinned && !this.#isDragging && view.point(null));
    over.addEventListener('click', () => box.focus());
    over.addEventListener('dblclick', () => view.whole());
  }

  destroy(): void {
    this.#sizes.disconnect();
    this.#plot.destroy();
  }

  /** How the values run now. */
  get kind(): ScaleKind {
    return this.#kind;
  }

  /** What somebody has chosen; null where nobody has. */
  get chosen(): ScaleKind | null {
    return this.#chosen;
  }

  choose(kind: ScaleKind): void {
    this.#chosen = kind;
    this.draw();
  }

  /** Takes what the tables have more by now: a frame draws what was taken before. */
  take(): void {
    for (const { points } of this.#series) points.update();
  }

  /** Draws anew, at the next frame. */
  draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame((frame) => {
      this.#isDue = false;
      if (!this.#box.isConnected) return;
      const start = performance.now();
      this.#draw();
      this.#hasDrawn();
      const spent = performance.now() - start;
      const last = frames.at(-1);
      if (last?.frame === frame) last.spent += spent;
      else frames.push({ frame, spent });
      if (frames.length > MOST_FRAMES) frames.shift();
    });
  }

  /** Moves the cursor's line to that of the view. */
  showCursor(): void {
    const { cursor, range } = this.#view;
    const isIn = cursor !== null && cursor >= range[0] && cursor <= range[1];
    const left = isIn ? this.#plot.valToPos(this.#xScale.to(cursor), 'x') : -10;
    // While it is dragged uPlot moves the cursor itself: it is the end of what is chosen.
    if (!this.#isDragging) this.#plot.setCursor({ left, top: isIn ? 10 : -10 }, false);
  }

  /** Why there is nothing to see; null where there is something. */
  get nothing(): string | null {
    if (this.#hasValues) return null;
    if (this.#series.every(({ points }) => points.length === 0)) return 'No row so far';
    const [from, to] = this.#view.range;
    const isInSight = ({ points }: PanelSeries) => (points.x.values[points.before(to)] ?? Number.NaN) >= from;
    if (!this.#series.some(isInSight)) return 'No row among these steps';
    return this.#kind === 'log' ? 'No number here that a logarithm has' : 'No number here: null, NaN or infinite';
  }

  /** What has to be said of how it is drawn. */
  get note(): string {
    const many = this.#drawn.filter(({ isMany }) => isMany).map(({ thinned }) => 2 ** thinned.level);
    return [
      ...(many.length > 0 ? [`1 pixel = ${Math.max(...many)} steps, least to largest.`] : []),
      ...(this.#series.some(({ points }) => points.hasErrors) ? ['Bands and whiskers hold the value with 95 %.'] : []),
    ].join(' ');
  }

  #options(width: number): uPlot.Options {
    const text = () => styleOf('--text');
    const grid = { stroke: () => styleOf('--grid'), width: 1 };
    const font = '12px system-ui, sans-serif';
    return {
      width,
      height: HEIGHT,
      padding: [10, RIGHT, 0, 0],
      legend: { show: false },
      cursor: {
        points: { show: false },
        y: false,
        drag: { x: true, y: false, setScale: false },
        move: (_, left, top) => [left, top],
      },
      scales: { x: { time: false, range: (_, low, high) => [low, high] }, y: { range: (_, low, high) => [low, high] } },
      axes: [
        {
          stroke: text,
          grid,
          ticks: grid,
          font,
          size: 34,
          splits: (_u, _k, low, high) => {
            const scale = this.#xScale;
            const steps = stepTicksOf(low, high, scale, Math.max(2, this.#plotWidth / 110));
            return this.#series.some(({ points }) => points.length > 0) ? steps.map((step) => scale.to(step)) : [];
          },
          values: (_, splits) => splits.map((place) => shortNumber(this.#xScale.from(place), 8)),
        },
        {
          stroke: text,
          grid,
          ticks: grid,
          font,
          size: LEFT,
          splits: (_u, _k, low, high) =>
            this.#hasValues ? ticksOf(low, high, this.#scale, 6).map((tick) => this.#scale.to(tick)) : [],
          values: (_, splits) => splits.map((place) => shortNumber(this.#scale.from(place), 3)),
        },
      ],
      series: [
        {},
        ...this.#series.map(
          ({ plan }): uPlot.Series => ({
            stroke: () => styleOf(plan.color),
            width: plan.isReference ? 1.4 : 1.5,
            dash: [...plan.dash],
            points: { show: false },
            spanGaps: false,
          }),
        ),
      ],
      hooks: {
        drawAxes: [() => this.#drawBands()],
        draw: [() => this.#drawMarks(), () => this.#drawLabels()],
        setSelect: [
          (u) => {
            const { left, width: selected } = u.select;
            if (selected < 4) return;
            const [from, to] = [left, left + selected].map((x) => this.#xScale.from(u.posToVal(x, 'x'))) as [
              number,
              number,
            ];
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            this.#view.choose(from, to);
          },
        ],
      },
    };
  }

  get #xScale(): Scale {
    return scaleOf(this.#view.isLogX ? 'log' : 'linear');
  }

  get #plotWidth(): number {
    return Math.max(50, this.#plot.width - LEFT - RIGHT);
  }

  #resize(): void {
    const width = Math.floor(this.#box.clientWidth);
    if (width < 100 || width === this.#plot.width) return;
    this.#plot.setSize({ width, height: HEIGHT });
    this.draw();
  }

  #draw(): void {
    this.#kind = this.#chosen ?? this.#kindFarBeyond() ?? this.#planned ?? this.#kindOfValues();
    const isLog = this.#kind === 'log';
    const range = this.#view.range;
    const pixels = this.#plotWidth * devicePixelRatio;
    this.#drawn = this.#series.flatMap((series, k) => this.#lines(series, k, range, pixels, isLog));
    const reach = this.#reach();
    this.#scale = this.#kind === 'linear' ? linearOver(...reach) : scaleOf(this.#kind, unitOf(...reach));
    this.#hasValues = reach[0] <= reach[1];
    const y = rangeOf(...reach, this.#scale);
    const xScale = this.#xScale;
    const x = range.map((step) => xScale.to(step)) as [number, number];
    const plot = this.#plot;
    plot.batch(() => {
      plot.setData(this.#aligned(x), false);
      plot.setScale('x', { min: x[0], max: x[1] });
      plot.setScale('y', { min: y[0], max: y[1] });
    });
    this.showCursor();
  }

  #extremes(isReference: boolean): readonly [number, number] {
    const all = this.#series.filter(({ plan }) => plan.isReference === isReference).map(({ points }) => points);
    return [Math.min(...all.map(({ least }) => least)), Math.max(...all.map(({ largest }) => largest))];
  }

  /** How values run that have left the edge by decades, beside which it, and all before, would lie at 0; else null. */
  #kindFarBeyond(): ScaleKind | null {
    const edge = this.#extremes(true)[1];
    const [least, most] = this.#extremes(false);
    if (this.#planned === null || !(edge > 0 && most >= DECADES * edge)) return null;
    return least > 0 ? 'log' : 'asinh';
  }

  /** Logarithmic where all values are positive and span decades. */
  #kindOfValues(): ScaleKind {
    const [least, most] = this.#extremes(false);
    return least > 0 && most / least >= DECADES ? 'log' : 'linear';
  }

  /** The line of a range of steps, thinned: where that is a small part of it, no more than that. */
  #thin(
    { points }: PanelSeries,
    k: number,
    level: number,
    isLog: boolean,
    [from, to]: readonly [number, number],
  ): Thinned {
    const [begin, end] = bucketsAround(points, level, from, to);
    if (PART * (end - begin) < points.length) return new Thinned(points, level, isLog, begin, end).update();
    const key = `${k} ${points.edition} ${points.order} ${level} ${isLog}`;
    let thinned = this.#thinned.get(key);
    if (thinned === undefined) {
      thinned = new Thinned(points, level, isLog);
      this.#thinned.set(key, thinned);
    }
    return thinned.update();
  }

  /** What is drawn of a line; with a logarithmic x each octave has the level of its own pixels. */
  #lines(
    series: PanelSeries,
    k: number,
    [from, to]: readonly [number, number],
    pixels: number,
    isLog: boolean,
  ): Drawn[] {
    const part = (low: number, high: number, stepsAPixel: number): Drawn => {
      const level = levelFor(stepsAPixel);
      const thinned = this.#thin(series, k, level, isLog, [low, high]);
      const [begin, end] = thinned.within(low, high);
      const rows = Math.max(0, series.points.before(high) - series.points.before(low - 1e-9));
      return { series, thinned, begin, end, isMany: level > 0 && rows / ((high - low) / 2 ** level) >= MANY };
    };
    if (!this.#view.isLogX) return [part(from, to, (to - from) / pixels)];
    const octaves: Drawn[] = [];
    const growth = Math.log(to / from) / pixels;
    for (let low = from; low < to; ) {
      const high = Math.min(to, 2 ** (Math.floor(Math.log2(low)) + 1));
      octaves.push(part(low, high, low * Math.expm1(growth)));
      low = high;
    }
    return octaves;
  }

  /** Calls with the places of what is drawn, in order; a gap is −1 − its place. */
  #eachPlace(drawn: Drawn, call: (place: number) => void): void {
    for (let k = drawn.begin; k < drawn.end; k++) call(drawn.thinned.places[k]!);
  }

  /** The least and the largest value in sight, bands included. */
  #reach(): readonly [number, number] {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const [from, to] = this.#view.range;
    const isLog = this.#kind === 'log';
    for (const drawn of this.#drawn) {
      const { points } = drawn.series;
      this.#eachPlace(drawn, (place) => {
        if (place < 0) return;
        const step = points.x.values[place]!;
        // The one beyond either end is there for the line that leads to it.
        if (step < from || step > to) return;
        const value = points.y.values[place]!;
        if (value < least) least = value;
        if (value > most) most = value;
      });
      if (drawn.isMany) continue;
      this.#eachPlace(drawn, (place) => {
        const half = place < 0 ? Number.NaN : halfWidth(points, place);
        if (!Number.isFinite(half)) return;
        const value = points.y.values[place]!;
        if (!isLog || value - half > 0) least = Math.min(least, value - half);
        most = Math.max(most, value + half);
      });
    }
    return [least, most];
  }

  /** All lines over one list of places along x: undefined where a line has no point there, null where it has a gap. */
  #aligned([low, high]: readonly [number, number]): uPlot.AlignedData {
    const xScale = this.#xScale;
    const lists = this.#series.map(() => [] as { x: number; y: number | null }[]);
    for (const drawn of this.#drawn) {
      const list = lists[this.#series.indexOf(drawn.series)]!;
      const { x, y } = drawn.series.points;
      this.#eachPlace(drawn, (place) => {
        const step = x.values[place < 0 ? -1 - place : place]!;
        if (this.#view.isLogX && step <= 0) return;
        const at = xScale.to(step);
        // Octaves overlap by one point.
        if (list.length > 0 && list.at(-1)!.x >= at) return;
        list.push({ x: at, y: place < 0 ? null : this.#scale.to(y.values[place]!) });
      });
    }
    const all = new Float64Array([low, high, ...lists.flatMap((list) => list.map(({ x }) => x))]).sort();
    const xs = all.filter((x, k) => k === 0 || x !== all[k - 1]);
    const columns = lists.map((list) => {
      const values = new Array<number | null | undefined>(xs.length).fill(undefined);
      let k = 0;
      for (const { x, y } of list) {
        while (xs[k]! < x) k++;
        values[k] = y;
      }
      return values;
    });
    return [xs, ...columns];
  }

  /** Bands of standard errors, whiskers where rows are few, and the reach of buckets that hold many. */
  #drawBands(): void {
    const { ctx: context } = this.#plot;
    this.#clipped(0, () => {
      for (const drawn of this.#drawn) {
        const { points, plan } = drawn.series;
        context.fillStyle = styleOf(plan.color);
        context.strokeStyle = styleOf(plan.color);
        context.globalAlpha = 0.18;
        if (drawn.isMany) this.#fillReach(drawn);
        if (points.error.length === 0) continue;
        if (drawn.end - drawn.begin <= SPARSE && !drawn.isMany) this.#whiskers(drawn);
        else this.#fillErrors(drawn);
      }
    });
  }

  /** From the least to the largest of each bucket. */
  #fillReach(drawn: Drawn): void {
    const { ctx: context } = this.#plot;
    const { x, y } = drawn.series.points;
    const width = 2 ** drawn.thinned.level;
    let bucket = Number.NaN;
    let [least, most] = [0, 0];
    const flush = () => {
      if (Number.isNaN(bucket)) return;
      const [left, right] = [this.#x(bucket * width), this.#x((bucket + 1) * width)];
      const [top, bottom] = [this.#y(most), this.#y(least)];
      context.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
    };
    this.#eachPlace(drawn, (place) => {
      if (place < 0) return;
      const at = Math.floor(x.values[place]! / width);
      const value = y.values[place]!;
      if (at !== bucket) {
        flush();
        [bucket, least, most] = [at, value, value];
      } else {
        if (value < least) least = value;
        if (value > most) most = value;
      }
    });
    flush();
  }

  #fillErrors(drawn: Drawn): void {
    const { ctx: context } = this.#plot;
    const { points } = drawn.series;
    let run: { x: number; low: number; high: number }[] = [];
    const flush = () => {
      if (run.length > 1) {
        context.beginPath();
        for (const { x, high } of run) context.lineTo(x, high);
        for (const { x, low } of run.toReversed()) context.lineTo(x, low);
        context.fill();
      }
      run = [];
    };
    this.#eachPlace(drawn, (place) => {
      const half = place < 0 ? Number.NaN : halfWidth(points, place);
      if (!Number.isFinite(half)) return flush();
      const value = points.y.values[place]!;
      run.push({ x: this.#x(points.x.values[place]!), low: this.#y(value - half), high: this.#y(value + half) });
    });
    flush();
  }

  #whiskers(drawn: Drawn): void {
    const { ctx: context } = this.#plot;
    const { points } = drawn.series;
    context.globalAlpha = 0.7;
    context.lineWidth = devicePixelRatio;
    this.#eachPlace(drawn, (place) => {
      const half = place < 0 ? Number.NaN : halfWidth(points, place);
      if (!Number.isFinite(half) || half === 0) return;
      const x = this.#x(points.x.values[place]!);
      const value = points.y.values[place]!;
      context.beginPath();
      context.moveTo(x, this.#y(value - half));
      context.lineTo(x, this.#y(value + half));
      context.stroke();
    });
  }

  /** ▲ and ▼ for what can't be drawn, a dot for a point without a neighbour. */
  #drawMarks(): void {
    const { ctx: context, bbox } = this.#plot;
    const [from, to] = this.#view.range;
    // Those at either end are whole.
    this.#clipped(MARK * devicePixelRatio, () => {
      context.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      context.textAlign = 'center';
      for (const drawn of this.#drawn) {
        const { points, plan } = drawn.series;
        context.fillStyle = styleOf(plan.color);
        for (const { place, mark } of drawn.thinned.marks) {
          const step = points.x.values[place]!;
          if (step < from || step > to) continue;
          context.textBaseline = mark === 'above' ? 'top' : 'bottom';
          context.fillText(MARKS[mark], this.#x(step), mark === 'above' ? bbox.top : bbox.top + bbox.height);
        }
        const { places } = drawn.thinned;
        for (let k = drawn.begin; k < drawn.end; k++) {
          const place = places[k]!;
          if (place < 0) continue;
          const step = points.x.values[place]!;
          if (step < from || step > to) continue;
          const isAlone = (places[k - 1] ?? -1) < 0 && (places[k + 1] ?? -1) < 0;
          if (!isAlone) continue;
          context.beginPath();
          context.arc(this.#x(step), this.#y(points.y.values[place]!), 2.5 * devicePixelRatio, 0, 7);
          context.fill();
        }
      }
    });
  }

  /**
   * The name of each line at its end, moved apart where they would lie on one another; none where there are more than
   * there is room for, as the legend names all.
   */
  #drawLabels(): void {
    const { ctx: context, bbox } = this.#plot;
    const size = 12 * devicePixelRatio;
    const [top, bottom] = [bbox.top, bbox.top + bbox.height];
    const right = bbox.left + bbox.width;
    const lead = LEAD * devicePixelRatio;
    const labels = this.#series.flatMap(({ plan, points }) => {
      if (plan.short === '') return [];
      const last = lastDrawable(points, this.#view.range[1], this.#kind === 'log');
      if (last < 0) return [];
      return [{ plan, end: Math.min(bottom, Math.max(top, this.#y(points.y.values[last]!))) }];
    });
    labels.sort((a, b) => a.end - b.end);
    const places = placesApart(
      labels.map(({ end }) => end),
      [top, bottom],
      1.15 * size,
    );
    if (places === null) return;
    context.save();
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.lineWidth = devicePixelRatio;
    context.setLineDash([]);
    for (const [k, { plan, end }] of labels.entries()) {
      const y = places[k]!;
      context.fillStyle = styleOf(plan.color);
      context.strokeStyle = styleOf(plan.color);
      if (Math.abs(y - end) > size / 3) {
        context.beginPath();
        context.moveTo(right + 0.15 * lead, end);
        context.lineTo(right + 0.9 * lead, y);
        context.stroke();
      }
      const place = { x: right + lead, y, size, room: (RIGHT - LEAD - 2) * devicePixelRatio };
      writeSymbol(context, plan.isName ? [{ text: plan.short, size: 1, drop: 0 }] : piecesOf(plan.short), place);
    }
    context.restore();
  }

  /** Draws within the frame, and so far beside it. */
  #clipped(beside: number, draw: () => void): void {
    const { ctx: context, bbox } = this.#plot;
    context.save();
    context.beginPath();
    context.rect(bbox.left - beside, bbox.top, bbox.width + 2 * beside, bbox.height);
    context.clip();
    draw();
    context.restore();
  }

  #x(step: number): number {
    return this.#plot.valToPos(this.#xScale.to(step), 'x', true);
  }

  /** On a logarithmic axis what is not positive lies below everything. */
  #y(value: number): number {
    const { bbox } = this.#plot;
    if (this.#kind === 'log' && value <= 0) return bbox.top + bbox.height + 10;
    return this.#plot.valToPos(this.#scale.to(value), 'y', true);
  }

  #pointed(event: MouseEvent): void {
    if (this.#view.isPinned) return;
    const { left } = this.#plot.over.getBoundingClientRect();
    this.#view.point(Math.round(this.#xScale.from(this.#plot.posToVal(event.clientX - left, 'x'))));
  }

  #drag(): void {
    this.#isDragging = true;
    const end = () => {
      this.#isDragging = false;
    };
    addEventListener('mouseup', () => setTimeout(end), { once: true });
  }
}

/** Below which an asinh axis is nearly linear: a thousandth of the largest, as a power of ten. */
function unitOf(least: number, most: number): number {
  const largest = Math.max(Math.abs(least), Math.abs(most));
  return largest > 0 && Number.isFinite(largest) ? 10 ** Math.floor(Math.log10(largest) - 3) : 1;
}

/** The last point that can be drawn, no later than a step. */
function lastDrawable(points: Points, to: number, isLog: boolean): number {
  for (let k = points.before(to); k >= 0; k--) {
    if (!points.y.isNull(k) && markOf(points.y.values[k]!, isLog) === null) return k;
  }
  return -1;
}

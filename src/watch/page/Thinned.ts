/** Numbers over steps that grow; what `Points` is. */
export interface Growing {
  readonly length: number;
  readonly x: { readonly values: Float64Array };
  readonly y: { readonly values: Float64Array; isNull(k: number): boolean };
}

/** What stands for a number that can't be drawn. */
export type Mark = 'nan' | 'above' | 'below';

/** Why a number can't be drawn; null where it can. A null cell is a gap, and no mark. */
export function markOf(value: number, isLog: boolean): Mark | null {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'above';
  return value === Number.NEGATIVE_INFINITY || (isLog && value <= 0) ? 'below' : null;
}

/**
 * The points that draw a line at one width of a pixel as all of them would (M4; Jugel et al., VLDB 2014): of each
 * bucket of 2^level steps, counted from step 0, the first, the least, the largest and the last that can be drawn.
 *
 * On any axis that keeps the order. A bucket that a gap begins or ends says so; gaps within one are narrower than a
 * pixel. As points are added, the newest bucket alone is looked at again, so that nothing to its left moves.
 */
export class Thinned {
  readonly #points: Growing;
  readonly level: number;
  readonly #isLog: boolean;
  /** Places in the points; −1 − place for a gap there. */
  readonly places: number[] = [];
  readonly marks: { readonly place: number; readonly mark: Mark }[] = [];
  /** Where the newest bucket begins: in the points, in `places`, in `marks`. */
  #newest = { point: 0, place: 0, mark: 0 };
  #seen = 0;
  readonly #end: number;

  /**
   * @param begin Where the first bucket begins, and
   * @param end where the last one ends, of points that are looked at in part; default: all, also those that come.
   */
  constructor(points: Growing, level: number, isLog: boolean, begin = 0, end = Number.POSITIVE_INFINITY) {
    this.#points = points;
    this.level = level;
    this.#isLog = isLog;
    this.#newest.point = begin;
    this.#end = end;
  }

  /** Takes what has been added. */
  update(): this {
    const length = Math.min(this.#points.length, this.#end);
    if (length === this.#seen) return this;
    this.places.length = this.#newest.place;
    this.marks.length = this.#newest.mark;
    const width = 2 ** this.level;
    const x = this.#points.x.values;
    for (let begin = this.#newest.point; begin < length; ) {
      const bucket = Math.floor(x[begin]! / width);
      let end = begin + 1;
      while (end < length && Math.floor(x[end]! / width) === bucket) end++;
      this.#newest = { point: begin, place: this.places.length, mark: this.marks.length };
      this.#take(begin, end);
      begin = end;
    }
    this.#seen = length;
    return this;
  }

  #take(begin: number, end: number): void {
    const { values } = this.#points.y;
    const isLog = this.#isLog;
    let first = -1;
    let least = -1;
    let largest = -1;
    let last = -1;
    let isNanMarked = false;
    let isAboveMarked = false;
    let isBelowMarked = false;
    for (let k = begin; k < end; k++) {
      const value = values[k]!;
      // What can be drawn, which is nearly everything, is told from the rest by two comparisons.
      if (value < Number.POSITIVE_INFINITY && value > (isLog ? 0 : Number.NEGATIVE_INFINITY)) {
        if (first < 0) {
          first = k;
          least = k;
          largest = k;
        } else if (value < values[least]!) least = k;
        else if (value > values[largest]!) largest = k;
        last = k;
        continue;
      }
      if (this.#points.y.isNull(k)) continue;
      const mark = markOf(value, isLog)!;
      if (mark === 'nan' ? isNanMarked : mark === 'above' ? isAboveMarked : isBelowMarked) continue;
      if (mark === 'nan') isNanMarked = true;
      else if (mark === 'above') isAboveMarked = true;
      else isBelowMarked = true;
      this.marks.push({ place: k, mark });
    }
    if (first < 0) {
      this.places.push(-1 - begin);
      return;
    }
    if (first > begin) this.places.push(-1 - begin);
    const [low, high] = least < largest ? [least, largest] : [largest, least];
    this.places.push(first);
    if (low > first) this.places.push(low);
    if (high > low) this.places.push(high);
    if (last > Math.max(high, first)) this.places.push(last);
    if (last < end - 1) this.places.push(-1 - (end - 1));
  }

  /** The part of `places` that a range of steps needs: its own, and one beyond either end. */
  within(from: number, to: number): readonly [number, number] {
    const stepAt = (k: number) => {
      const place = this.places[k]!;
      return this.#points.x.values[place < 0 ? -1 - place : place]!;
    };
    const firstAbove = (isAbove: (step: number) => boolean) => {
      let [low, high] = [0, this.places.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (isAbove(stepAt(middle))) high = middle;
        else low = middle + 1;
      }
      return low;
    };
    const begin = firstAbove((step) => step >= from);
    const end = firstAbove((step) => step > to);
    return [Math.max(0, begin - 1), Math.min(this.places.length, end + 1)];
  }
}

/** The first of growing points at or behind a step; as many as there are where none is. */
export function firstFrom({ length, x: { values } }: Growing, step: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The points that a range of steps needs at a level: whole buckets, with the points before and behind it, to which
 * the line leads.
 */
export function bucketsAround(points: Growing, level: number, from: number, to: number): readonly [number, number] {
  const width = 2 ** level;
  const { values } = points.x;
  const begins = (k: number) => firstFrom(points, Math.floor(values[k]! / width) * width);
  const ends = (k: number) => firstFrom(points, (Math.floor(values[k]! / width) + 1) * width);
  const first = Math.max(0, firstFrom(points, from) - 1);
  const behind = firstFrom(points, to);
  const last = Math.min(points.length - 1, values[behind] === to ? behind + 1 : behind);
  return points.length === 0 ? [0, 0] : [begins(first), ends(last)];
}

/** The level at which a bucket is no wider than a pixel. */
export const levelFor = (stepsAPixel: number): number => (stepsAPixel >= 2 ? Math.floor(Math.log2(stepsAPixel)) : 0);

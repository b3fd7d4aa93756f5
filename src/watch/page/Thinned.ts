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

  constructor(points: Growing, level: number, isLog: boolean) {
    this.#points = points;
    this.level = level;
    this.#isLog = isLog;
  }

  /** Takes what has been added. */
  update(): this {
    const { length } = this.#points;
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
    let [first, least, largest, last] = [-1, -1, -1, -1];
    const marked = new Set<Mark>();
    for (let k = begin; k < end; k++) {
      const value = values[k]!;
      const mark = markOf(value, this.#isLog);
      if (mark !== null) {
        if (this.#points.y.isNull(k) || marked.has(mark)) continue;
        marked.add(mark);
        this.marks.push({ place: k, mark });
        continue;
      }
      if (first < 0) [first, least, largest] = [k, k, k];
      else if (value < values[least]!) least = k;
      else if (value > values[largest]!) largest = k;
      last = k;
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

/** The level at which a bucket is no wider than a pixel. */
export const levelFor = (stepsAPixel: number): number => (stepsAPixel >= 2 ? Math.floor(Math.log2(stepsAPixel)) : 0);

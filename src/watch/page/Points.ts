import { Grown, type GrownColumn } from './Grown.ts';

/**
 * Which numbers of a table make a line: a column, of a list one place, of the rows with these values in the rest of the
 * key.
 */
export interface PointsPlan {
  readonly column: string;
  readonly place: number | null;
  readonly of: Readonly<Record<string, number | string>>;
  /** The column of its standard error, and of the draws behind that. */
  readonly error: string | null;
  readonly draws: string | null;
}

/** A table as far as its points need it: what `TableData` is. */
export interface PointsTable {
  readonly edition: number;
  readonly rows: number;
  column(name: string): GrownColumn | undefined;
}

/** Numbers over steps, in the order of these, with those that can't be drawn counted. */
export class Points {
  readonly plan: PointsPlan;
  readonly #table: PointsTable;
  /** The table's own columns where all of their rows are wanted as they lie there, else copies. */
  x = new Grown();
  y = new Grown();
  error = new Grown();
  draws = new Grown();
  counts = { nan: 0, infinite: 0, notPositive: 0 };
  /** Whether some standard error is not 0. */
  hasErrors = false;
  /** Whether there are rows, and all of them null. */
  isNull = false;
  /** Of all that are finite. */
  least = Number.POSITIVE_INFINITY;
  largest = Number.NEGATIVE_INFINITY;
  length = 0;
  #done = 0;
  #areCopies = false;
  /** Changes where all of them are others, and */
  edition = -1;
  /** where they come in another order, as their rows were not written in that of the steps. */
  order = 0;

  constructor(table: PointsTable, plan: PointsPlan) {
    this.#table = table;
    this.plan = plan;
  }

  /** Takes what the table has more by now. */
  update(): void {
    const table = this.#table;
    if (table.edition !== this.edition) this.#begin(table.edition);
    const { column, place, of, error, draws } = this.plan;
    const steps = table.column('step')?.numbers;
    const values = table.column(column);
    if (steps === undefined || values === undefined) return;
    const others = Object.entries(of).map(([name, value]) => [table.column(name), value] as const);
    const errors = error === null ? undefined : table.column(error)?.numbers;
    const counts = draws === null ? undefined : table.column(draws)?.numbers;
    // Columns that came late may be behind.
    if (error !== null && errors === undefined) return;
    if (draws !== null && counts === undefined) return;
    const from = this.#done;
    const to = table.rows;
    if (to <= from) return;
    this.#done = to;
    const isWhole = others.length === 0 && place === null;
    if (isWhole && !this.#areCopies && rises(steps.values, from, to)) {
      this.#count(values.numbers.values.subarray(from, to), values.numbers.nulls?.subarray(from, to) ?? null);
      this.hasErrors ||= errors?.values.subarray(from, to).some((half) => half > 0) ?? false;
      [this.x, this.y] = [steps, values.numbers];
      if (errors) this.error = errors;
      if (counts) this.draws = counts;
      this.length = to;
      return;
    }
    if (!this.#areCopies) this.#copy();
    // All of them lie as they are wanted, or those that belong here are picked.
    const picked = others.length === 0 ? null : rowsOf(from, to, others);
    const chosen = (numbers: Grown): Float64Array =>
      picked === null ? numbers.values.subarray(from, to) : pick(numbers.values, picked);
    const chosenNulls = ({ nulls }: Grown): Uint8Array | null =>
      nulls === null ? null : picked === null ? nulls.subarray(from, to) : pick(nulls, picked);
    const count = picked === null ? to - from : picked.length;
    if (count <= 0) return;
    const numbers = place === null ? values.numbers : placeOf(values, place, from, to, picked);
    const found = place === null ? chosen(numbers) : numbers.values.subarray(0, count);
    const nulls = place === null ? chosenNulls(numbers) : (numbers.nulls?.subarray(0, count) ?? null);
    this.#count(found, nulls);
    this.x.pushAll(chosen(steps), null);
    this.y.pushAll(found, nulls);
    if (errors) {
      const more = chosen(errors);
      this.hasErrors ||= more.some((error) => error > 0);
      this.error.pushAll(more, null);
    }
    if (counts) this.draws.pushAll(chosen(counts), null);
    const before = this.length;
    this.length = this.x.length;
    if (!rises(this.x.values, before, this.length)) this.#sort();
  }

  #begin(edition: number): void {
    this.edition = edition;
    this.#done = 0;
    this.length = 0;
    this.#areCopies = false;
    [this.x, this.y, this.error, this.draws] = [new Grown(), new Grown(), new Grown(), new Grown()];
    this.counts = { nan: 0, infinite: 0, notPositive: 0 };
    this.hasErrors = false;
    [this.least, this.largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  }

  /** Has what was taken so far in columns of its own. */
  #copy(): void {
    this.#areCopies = true;
    const own = ({ values, nulls, length }: Grown): Grown => {
      const copy = new Grown();
      const count = Math.min(length, this.length);
      copy.pushAll(values.subarray(0, count), nulls?.subarray(0, count) ?? null);
      return copy;
    };
    [this.x, this.y, this.error, this.draws] = [own(this.x), own(this.y), own(this.error), own(this.draws)];
  }

  /** Puts the points in the order of their steps; those of one step stay as they were written. */
  #sort(): void {
    const steps = this.x.values;
    const places = Int32Array.from({ length: this.length }, (_, k) => k).sort((a, b) => steps[a]! - steps[b]! || a - b);
    for (const grown of [this.x, this.y, this.error, this.draws]) {
      if (grown.length === 0) continue;
      grown.values = pick(grown.values, places);
      if (grown.nulls !== null) grown.nulls = pick(grown.nulls, places);
    }
    this.order++;
  }

  #count(values: Float64Array, nulls: Uint8Array | null): void {
    let [isAllNull, least, largest] = [this.length === 0 || this.isNull, this.least, this.largest];
    for (let k = 0; k < values.length; k++) {
      if (nulls !== null && nulls[k] === 1) continue;
      isAllNull = false;
      const value = values[k]!;
      if (Number.isNaN(value)) this.counts.nan++;
      else if (!Number.isFinite(value)) this.counts.infinite++;
      else {
        if (value <= 0) this.counts.notPositive++;
        if (value < least) least = value;
        if (value > largest) largest = value;
      }
    }
    [this.isNull, this.least, this.largest] = [isAllNull, least, largest];
  }

  /** The last point at or before a step; −1 where there is none. */
  before(step: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.x.values[middle]! <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The point nearest to a step, of two the earlier; −1 where there is none. */
  nearest(step: number): number {
    const k = this.before(step);
    if (k + 1 >= this.length) return k;
    if (k < 0) return 0;
    return step - this.x.values[k]! <= this.x.values[k + 1]! - step ? k : k + 1;
  }
}

/** Whether numbers from one place to before another are none less than the one before them. */
function rises(values: Float64Array, from: number, to: number): boolean {
  for (let k = Math.max(1, from); k < to; k++) if (values[k]! < values[k - 1]!) return false;
  return true;
}

/** The rows with these values, among those from one to before another. */
function rowsOf(
  from: number,
  to: number,
  others: readonly (readonly [GrownColumn | undefined, number | string])[],
): Int32Array {
  const rows = new Int32Array(to - from);
  let count = 0;
  for (let row = from; row < to; row++) {
    const isOurs = others.every(([found, value]) =>
      typeof value === 'number' ? found?.numbers.values[row] === value : found?.cells[row] === value,
    );
    if (isOurs) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** The numbers of some rows. A loop, as there can be millions. */
function pick<T extends Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(values: T, rows: Int32Array): T {
  const picked = new (values.constructor as new (length: number) => T)(rows.length);
  for (let k = 0; k < rows.length; k++) picked[k] = values[rows[k]!]!;
  return picked;
}

/** What stands at one place of lists; null where a list is shorter. */
function placeOf(column: GrownColumn, place: number, from: number, to: number, picked: Int32Array | null): Grown {
  const numbers = new Grown();
  const add = (row: number) => {
    const value = (column.cells[row] as readonly number[] | null)?.[place];
    numbers.push(value ?? Number.NaN, value === undefined);
  };
  if (picked === null) for (let row = from; row < to; row++) add(row);
  else for (const row of picked) add(row);
  return numbers;
}

import { Grown, type GrownColumn } from './Grown.ts';
import type { TableData } from './TableData.ts';

/** Which numbers of a table make a line: a column, of a list one place, of the rows with these values in the rest of the key. */
export interface PointsPlan {
  readonly column: string;
  readonly place: number | null;
  readonly of: Readonly<Record<string, number | string>>;
  /** The column of its standard error, and of the draws behind that. */
  readonly error: string | null;
  readonly draws: string | null;
}

/** Numbers over steps, in the order in which they were written, with those that can't be drawn counted. */
export class Points {
  readonly plan: PointsPlan;
  readonly #table: TableData;
  readonly x = new Grown();
  readonly y = new Grown();
  readonly error = new Grown();
  readonly draws = new Grown();
  counts = { nan: 0, infinite: 0, notPositive: 0 };
  /** Whether some standard error is not 0. */
  hasErrors = false;
  /** Whether there are rows, and all of them null. */
  isNull = false;
  /** Of all that are finite. */
  least = Number.POSITIVE_INFINITY;
  largest = Number.NEGATIVE_INFINITY;
  #done = 0;
  /** Changes where all of them are others. */
  edition = -1;

  constructor(table: TableData, plan: PointsPlan) {
    this.#table = table;
    this.plan = plan;
  }

  get length(): number {
    return this.x.length;
  }

  /** Takes what the table has more by now. */
  update(): void {
    const table = this.#table;
    if (table.edition !== this.edition) {
      this.edition = table.edition;
      this.#done = 0;
      for (const grown of [this.x, this.y, this.error, this.draws]) {
        grown.length = 0;
        grown.nulls = null;
      }
      this.counts = { nan: 0, infinite: 0, notPositive: 0 };
      [this.least, this.largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    }
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
    this.#done = to;
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
function pick<T extends Float64Array | Uint8Array>(values: T, rows: Int32Array): T {
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

import { Grown } from './Grown.ts';
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
  /** Row of the table, of each. */
  readonly rows = new Grown();
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
      for (const grown of [this.x, this.y, this.error, this.draws, this.rows]) {
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
    let nulls = 0;
    const before = this.length;
    for (let row = this.#done; row < table.rows; row++) {
      const isOther = others.some(([found, value]) =>
        typeof value === 'number' ? found?.numbers.values[row] !== value : found?.cells[row] !== value,
      );
      if (isOther) continue;
      let value: number;
      let isNull: boolean;
      if (place === null) {
        value = values.numbers.values[row]!;
        isNull = values.numbers.isNull(row);
      } else {
        const cell = (values.cells[row] as readonly number[] | null)?.[place];
        isNull = cell === undefined;
        value = cell ?? Number.NaN;
      }
      if (isNull) nulls++;
      else {
        if (Number.isNaN(value)) this.counts.nan++;
        else if (!Number.isFinite(value)) this.counts.infinite++;
        else {
          if (value <= 0) this.counts.notPositive++;
          if (value < this.least) this.least = value;
          if (value > this.largest) this.largest = value;
        }
      }
      this.x.push(steps.values[row]!);
      this.y.push(value, isNull);
      if (errors) {
        this.error.push(errors.values[row]!);
        if (errors.values[row]! > 0) this.hasErrors = true;
      }
      if (counts) this.draws.push(counts.values[row]!);
      this.rows.push(row);
    }
    this.#done = table.rows;
    if (this.length > before) this.isNull = nulls === this.length - before && (before === 0 || this.isNull);
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

import type { Decoded } from './decode.ts';

/** Numbers of which there come ever more; null is NaN with its place in `nulls`. */
export class Grown {
  values = new Float64Array(1024);
  nulls: Uint8Array<ArrayBuffer> | null = null;
  length = 0;

  /** Whether the k-th is null, rather than a number that is none. */
  isNull(k: number): boolean {
    return this.nulls !== null && this.nulls[k] === 1;
  }

  push(value: number, isNull = false): void {
    this.#reserve(this.length + 1);
    this.values[this.length] = value;
    if (isNull) this.#mark(this.length);
    this.length++;
  }

  pushAll(values: Float64Array, nulls: Uint8Array | null): void {
    this.#reserve(this.length + values.length);
    this.values.set(values, this.length);
    if (nulls !== null) {
      this.nulls ??= new Uint8Array(this.values.length);
      this.nulls.set(nulls, this.length);
    }
    this.length += values.length;
  }

  #mark(k: number): void {
    this.nulls ??= new Uint8Array(this.values.length);
    this.nulls[k] = 1;
  }

  #reserve(count: number): void {
    if (count <= this.values.length) return;
    const size = Math.max(count, 2 * this.values.length);
    const values = new Float64Array(size);
    values.set(this.values.subarray(0, this.length));
    this.values = values;
    if (this.nulls === null) return;
    const nulls = new Uint8Array(size);
    nulls.set(this.nulls.subarray(0, this.length));
    this.nulls = nulls;
  }
}

/** A column of which there come ever more rows. */
export class GrownColumn {
  readonly numbers = new Grown();
  readonly cells: (string | readonly number[] | null)[] = [];

  push(column: Decoded): void {
    if (column.kind === 'numbers') this.numbers.pushAll(column.values, column.nulls);
    else for (const cell of column.values) this.cells.push(cell);
  }
}

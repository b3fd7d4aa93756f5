import type { Column } from '../../core/Table.ts';
import type { WatchedTable } from '../WatchState.ts';
import type { Rows, Wanted } from './decode.ts';
import { GrownColumn } from './Grown.ts';
import { Refused } from './reader.ts';
import type { Source } from './source.ts';

const kindOf = ({ type, list }: Column): Wanted['kind'] => (list ? 'lists' : type === 'utf8' ? 'texts' : 'numbers');

const all = new WeakMap<Source, Map<string, TableData>>();

/**
 * The rows of one table, as far as the page has them: of the columns that somebody wants, and always of the key. It
 * grows with the log, and begins anew where the file is another one.
 */
export class TableData {
  readonly key: string;
  readonly #run: string;
  readonly #source: Source;
  #watched: WatchedTable;
  #generation = '';
  #writtenBy = '';
  #bytes = 0;
  #columns = new Map<string, GrownColumn>();
  readonly #wanted = new Set<string>();
  /** Rows that every wanted column has. */
  rows = 0;
  /** Why what is new of it can't be read; null where it can. */
  problem: string | null = null;
  /** Changes where all rows are others: what was made of them is made anew. */
  edition = 0;
  #work: Promise<boolean> = Promise.resolve(false);

  /** A table of a run: one, wherever it is shown, so that its rows are read once. */
  static of(source: Source, run: string, watched: WatchedTable): TableData {
    const known = all.get(source) ?? new Map<string, TableData>();
    all.set(source, known);
    const key = `${run} ${watched.id}`;
    const data = known.get(key) ?? new TableData(source, run, watched);
    known.set(key, data);
    return data;
  }

  private constructor(source: Source, run: string, watched: WatchedTable) {
    this.#source = source;
    this.#run = run;
    this.#watched = watched;
    this.key = `${run} ${watched.id}`;
    for (const name of watched.declaration?.key ?? []) this.#wanted.add(name);
  }

  get watched(): WatchedTable {
    return this.#watched;
  }

  /** A column that is wanted, once it is there. */
  column(name: string): GrownColumn | undefined {
    return this.#columns.get(name);
  }

  /** Says that somebody wants a column; `update` brings it. */
  want(names: readonly string[]): void {
    for (const name of names) {
      if (this.#watched.declaration && name in this.#watched.declaration.columns) this.#wanted.add(name);
    }
  }

  /** Brings what is new; whether anything was. One call waits for the one before. */
  update(watched: WatchedTable): Promise<boolean> {
    this.#work = this.#work.then(
      () => this.#update(watched),
      () => this.#update(watched),
    );
    return this.#work;
  }

  async #update(watched: WatchedTable): Promise<boolean> {
    this.#watched = watched;
    for (const name of watched.declaration?.key ?? []) this.#wanted.add(name);
    if (watched.declaration === null || watched.wholeBytes === 0) return false;
    this.problem = null;
    try {
      return watched.format === 'parquet' ? await this.#fromParquet(watched) : await this.#fromLog(watched);
    } catch (error) {
      // Overwritten, or finished, since its state was told: the next state says as what.
      if (error instanceof Refused && error.status === 409) return false;
      // Nobody answers: that is no fault of the table.
      if (error instanceof Refused) throw error;
      this.problem = (error as Error).message;
      return false;
    }
  }

  async #fromLog(watched: WatchedTable): Promise<boolean> {
    const { generation, schemaBytes, wholeBytes } = watched;
    let isNew = false;
    if (generation !== this.#generation) this.#begin(watched);
    const missing = this.#missing();
    if (missing.length > 0 && this.#bytes > 0) {
      // Columns that were not wanted when the rows came.
      const late = await this.#source.read({ kind: 'columns', key: this.key, wanted: missing });
      for (const { name } of missing) this.#put(name, late);
      isNew = true;
    }
    if (wholeBytes <= Math.max(this.#bytes, schemaBytes)) return isNew;
    const isFirst = this.#bytes === 0;
    const bytes = await this.#source.bytes(this.#run, watched, this.#bytes, wholeBytes);
    const wanted = this.#all();
    const part = await this.#source.read({
      kind: 'append',
      key: this.key,
      schema: isFirst ? bytes.slice(0, schemaBytes) : null,
      bytes: isFirst ? bytes.slice(schemaBytes) : bytes,
      wanted,
    });
    for (const { name } of wanted) this.#put(name, part);
    this.#bytes = wholeBytes;
    this.rows += part.rows;
    return true;
  }

  async #fromParquet(watched: WatchedTable): Promise<boolean> {
    // Where the log of which this file was made is here whole, its rows stay.
    const isSame = this.#bytes > 0 && watched.run === this.#writtenBy && watched.rows === this.rows;
    if (watched.generation !== this.#generation && !isSame) this.#begin(watched);
    this.#generation = watched.generation;
    this.#bytes = 0;
    const missing = this.#missing();
    if (missing.length === 0) return false;
    const file = this.#source.file(this.#run, watched);
    const found = await this.#source.read({ kind: 'parquet', file, wanted: missing });
    for (const { name } of missing) this.#put(name, found);
    this.rows = found.rows;
    return true;
  }

  #begin({ generation, run }: WatchedTable): void {
    this.#generation = generation;
    this.#writtenBy = run;
    this.#bytes = 0;
    this.rows = 0;
    this.edition++;
    this.#columns = new Map();
  }

  #all(): Wanted[] {
    const { columns } = this.#watched.declaration!;
    return [...this.#wanted].filter((name) => name in columns).map((name) => ({ name, kind: kindOf(columns[name]!) }));
  }

  #missing(): Wanted[] {
    return this.#all().filter(({ name }) => !this.#columns.has(name));
  }

  #put(name: string, { columns }: Rows): void {
    const column = this.#columns.get(name) ?? new GrownColumn();
    this.#columns.set(name, column);
    if (columns[name]) column.push(columns[name]);
  }
}

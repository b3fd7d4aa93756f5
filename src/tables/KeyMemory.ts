import { BrinkError } from '../core/errors.ts';
import type { Table } from '../core/Table.ts';
import type { StoredRow } from './checkRow.ts';
import { keyOf, textOf } from './keyOf.ts';

/** Keys are remembered of at least as many rows, and at most twice as many. */
const REMEMBERED = 65_536;
const NONE = Number.NEGATIVE_INFINITY;

/**
 * Notices a row whose key another row has had: of a source that was tried again, or of two in one table.
 *
 * Compared with the 65,536 rows before it, or more. Where the key is the step alone nothing is missed: a step above
 * all others is new, and one below those that were forgotten is refused too, as it can't be told apart from them.
 */
export class KeyMemory {
  readonly #table: Table;
  readonly #isStep: boolean;
  #older = new Set<string>();
  #newer = new Set<string>();
  /** The largest step of the older ones, of the newer, and of those that were forgotten. */
  #steps = { older: NONE, newer: NONE, forgotten: NONE };

  constructor(table: Table) {
    this.#table = table;
    this.#isStep = table.key.length === 1 && table.key[0] === 'step';
  }

  /** @throws BrinkError where the key of a row is that of one before it. */
  take(who: string, row: StoredRow): void {
    const { key, name } = this.#table;
    if (key.length === 0) return;
    const text = keyOf(this.#table, row);
    const step = this.#isStep ? (row.step as number) : NONE;
    const { forgotten } = this.#steps;
    const isOld = this.#isStep && step <= forgotten;
    if (this.#newer.has(text) || this.#older.has(text) || isOld) {
      const named = key.map((column) => `${column} ${textOf(row[column])}`).join(', ');
      throw new BrinkError(
        who,
        `the table '${name}' ${isOld ? `is past step ${forgotten}, and a row came` : 'has a row already'} ` +
          `with ${named}. Its key names a row once; ` +
          'a source that begins again needs a table of its own, or a key with one more column.',
      );
    }
    this.#newer.add(text);
    this.#steps.newer = Math.max(this.#steps.newer, step);
    if (this.#newer.size < REMEMBERED) return;
    const { older, newer } = this.#steps;
    this.#steps = { older: newer, newer: NONE, forgotten: Math.max(older, forgotten) };
    this.#older = this.#newer;
    this.#newer = new Set();
  }
}

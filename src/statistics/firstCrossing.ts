import { requireInteger } from '../core/errors.ts';
import { numberOf, requireList } from '../core/given.ts';
import { requireNames } from '../core/requireNames.ts';

/** What crosses what. */
export interface Crossing<T> {
  readonly value: (row: T) => number;
  /** What is to be exceeded: a number, or that of each row. */
  readonly edge: number | ((row: T) => number);
  /** How many rows in turn, this one included, must lie above the edge; default 1. */
  readonly stays?: number;
}

/**
 * The index of the first row at which a value is above its edge, and stays there for some rows; null where there is
 * none.
 *
 * Near the edge of stability a value passes it for a single step long before it stays: `stays` tells both apart.
 * A crossing within the last `stays` − 1 rows is not known to stay, and is none. NaN, or an edge that is NaN, is not
 * above; null is refused, which JavaScript takes for 0: say what stands for it (`row.gap ?? NaN`).
 *
 * @param rows In the order of their steps.
 * @param crossing `value`, `edge`, `stays` (1).
 * @throws BrinkError where `rows` is no list, `stays` is no integer of at least 1, or a value or an edge is no number.
 * @example
 * import { firstCrossing } from 'brink';
 *
 * const rows = [8, 11, 9, 12, 13, 12].map((lambda_1, step) => ({ step, lambda_1 }));
 * console.log(firstCrossing(rows, { value: (row) => row.lambda_1, edge: 10 })); // 1
 * console.log(firstCrossing(rows, { value: (row) => row.lambda_1, edge: 10, stays: 3 })); // 3
 * @see blockInterval
 */
export function firstCrossing<T>(rows: readonly T[], crossing: Crossing<T>): number | null {
  requireList('firstCrossing', 'rows', rows);
  requireNames('firstCrossing', crossing, ['value', 'edge', 'stays']);
  const { value, edge, stays = 1 } = crossing;
  requireInteger('firstCrossing', 'stays', stays, 1);
  const edgeOf = typeof edge === 'function' ? edge : () => edge;
  const number = (what: string, of: (row: T) => number, k: number) =>
    numberOf('firstCrossing', (k) => `the ${what} of row ${k}`, of(rows[k]!), k);
  let above = 0;
  for (let k = 0; k < rows.length; k++) {
    above = number('value', value, k) > number('edge', edgeOf, k) ? above + 1 : 0;
    if (above === stays) return k - stays + 1;
  }
  return null;
}

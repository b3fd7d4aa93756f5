import { extname } from 'node:path';
import { ARRAY_ENDINGS, readArrays } from './readArrays.ts';
import { isMissing, readColumns } from './readColumns.ts';

/** An array or a column of a file, as it stands there. */
export interface DescribedPart {
  readonly name: string;
  /** As the file calls it; of a column: 'numbers', 'text', 'lists', or several of them. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Cells that are empty, and NaN. */
  readonly missing: number;
  /** Least and largest finite number; null: there is none. */
  readonly range: readonly [number, number] | null;
  /** Different values. */
  readonly distinct: number;
  /** Why it can't be read; null: it can. */
  readonly fault: string | null;
}

/** A file of one's own, as it stands. */
export interface DescribedFile {
  readonly file: string;
  readonly sha256: string;
  readonly parts: readonly DescribedPart[];
}

/**
 * What is in a file of arrays or a table, whatever is wrong with its values.
 *
 * @throws BrinkError where it can't be read.
 */
export async function describeFile(who: string, path: string): Promise<DescribedFile> {
  if (!(ARRAY_ENDINGS as readonly string[]).includes(extname(path).toLowerCase())) {
    const { source, columns, count, numberIn } = await readColumns(who, path);
    const parts = [...columns].map(([name, cells]) => ({
      name,
      type: [...new Set(cells.filter((cell) => !isMissing(cell)).map((cell) => kindOf(cell, numberIn)))].join(', '),
      shape: [count],
      ...statistics(cells, numberIn),
    }));
    return { file: source.file, sha256: source.sha256, parts };
  }
  const { sources, names, array } = await readArrays(who, path);
  const parts = await Promise.all(
    names.map((name) =>
      array(name).then(
        ({ shape, type, values }) => ({ name, type, shape, ...statistics(values as ArrayLike<unknown>, numberOf) }),
        ({ message }: Error) => ({ name, type: '?', shape: [], ...statistics([], numberOf), fault: message }),
      ),
    ),
  );
  const { file, sha256 } = sources[0]!;
  return { file, sha256, parts };
}

const numberOf = (cell: unknown) => (typeof cell === 'string' ? Number.NaN : Number(cell));

function kindOf(cell: unknown, numberIn: (cell: unknown) => number): string {
  if (typeof cell === 'number' || !Number.isNaN(numberIn(cell))) return 'numbers';
  if (typeof cell === 'string') return 'text';
  return typeof cell === 'boolean'
    ? 'true or false'
    : Array.isArray(cell) || ArrayBuffer.isView(cell)
      ? 'lists'
      : 'other';
}

function statistics(
  cells: ArrayLike<unknown>,
  numberIn: (cell: unknown) => number,
): Omit<DescribedPart, 'name' | 'type' | 'shape'> {
  let [missing, least, most] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const seen = new Set<unknown>();
  for (let k = 0; k < cells.length; k++) {
    const cell = cells[k];
    if (isMissing(cell) || Number.isNaN(cell)) {
      missing++;
      continue;
    }
    seen.add(cell);
    const number = numberIn(cell);
    if (!Number.isFinite(number)) continue;
    least = Math.min(least, number);
    most = Math.max(most, number);
  }
  return { missing, range: least <= most ? [least, most] : null, distinct: seen.size, fault: null };
}

import { dirname, join } from 'node:path';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import { requireList, requireOptions, requireText } from '../core/given.ts';
import {
  COMMON_OPTIONS,
  inputIn,
  labelIn,
  type OwnExamples,
  type OwnExamplesOptions,
  ownExamples,
} from './ownFiles/ownExamples.ts';
import { type Columns, isMissing, readColumns } from './ownFiles/readColumns.ts';

/** Which columns of the table are what, and which examples are taken. */
export interface TableDataOptions extends OwnExamplesOptions {
  /** Column of the labels: integers or names of classes. This or `targets`. */
  readonly label?: string;
  /** Columns of the targets, for a regression. */
  readonly targets?: readonly string[];
  /** Columns of the inputs; default: all others, in their order. */
  readonly inputs?: readonly string[];
  /** A file of test examples with the same columns, in the same folder; default none. */
  readonly testFile?: string;
}

const WHO = 'tableData';
const NAMES = ['label', 'targets', 'inputs', 'testFile', ...COMMON_OPTIONS];

/**
 * A data set of one's own table: comma-separated values (.csv, .tsv; the first line names the columns) or Parquet.
 *
 * A row is one example. A column of lists of one length gives as many entries of the input. Values are rounded to
 * float32 and scaled as `normalize` says, by nothing else; nothing that is missing is filled in. The metadata carries
 * the SHA-256 of every file and of inputs and targets as used. The table is read whole, as objects: about a hundred
 * bytes a cell.
 *
 * ```ts
 * import { tableData } from 'brink';
 *
 * const read = () => tableData('train.parquet', { label: 'class', normalize: 'each', test: 100 });
 * ```
 *
 * @param path The file.
 * @param options `label` or `targets`, `inputs`, `testFile`, `classes`, `inputShape`, `train`, `test`, `subset`,
 *   `subsetSeed`, `normalize`, `sha256`, `labelNoise`, `labelSeed`.
 * @throws BrinkError where a file can't be read, is damaged or another than `sha256` says, a column is missing, or a
 *   cell is missing, no finite number or of another length, with row and column.
 */
export async function tableData(path: string, options: TableDataOptions): Promise<Dataset> {
  requireText(WHO, 'path', path);
  requireOptions(WHO, options, NAMES, "{ label: 'class' }");
  const { label, targets, testFile } = options;
  if ((label === undefined) === (targets === undefined)) {
    throw new BrinkError(
      WHO,
      `there are ${label === undefined ? 'neither label nor' : 'both label and'} targets. Name one of them.`,
    );
  }
  if (label !== undefined) requireText(WHO, 'label', label);
  if (testFile !== undefined) requireText(WHO, 'testFile', testFile);
  const table = await readColumns(WHO, path, options.sha256);
  const test = testFile === undefined ? null : await readColumns(WHO, join(dirname(path), testFile), options.sha256);
  const outputs = targets === undefined ? [label!] : columnNames('targets', targets);
  const others = [...table.columns.keys()].filter((name) => !outputs.includes(name));
  const inputs = options.inputs === undefined ? others : columnNames('inputs', options.inputs);
  const both = inputs.find((name) => outputs.includes(name));
  if (both !== undefined) throw new BrinkError(WHO, `'${both}' is an input, and what is to be predicted. Choose one.`);
  if (inputs.length === 0)
    throw new BrinkError(WHO, `${path} has no column for inputs. It needs one beside ${outputs.join(', ')}.`);
  const examples = (from: Columns) => examplesIn(from, inputs, outputs, label !== undefined);
  const train = examples(table);
  const tested = test && examples(test);
  const [size, testSize] = [train, tested ?? train].map(({ inputs, count }) => inputs.length / count) as [
    number,
    number,
  ];
  if (testSize !== size)
    throw new BrinkError(WHO, `an input of ${test!.source.path} has ${testSize} entries, of ${path} ${size}.`);
  return ownExamples(
    WHO,
    'table',
    train,
    tested,
    [size],
    options,
    [table, ...(test ? [test] : [])].map(({ source }) => source),
  );
}

function columnNames(what: string, value: unknown): readonly string[] {
  requireList(WHO, what, value);
  if (value.length === 0) throw new BrinkError(WHO, `${what} is []. It names one column at least.`);
  const names = Array.from(value, (name, k) => {
    requireText(WHO, `${what}[${k}]`, name);
    return name;
  });
  const twice = names.find((name, k) => names.indexOf(name) < k);
  if (twice !== undefined) throw new BrinkError(WHO, `${what} has '${twice}' twice. Name it once.`);
  return names;
}

function examplesIn(
  table: Columns,
  inputs: readonly string[],
  outputs: readonly string[],
  isLabelled: boolean,
): OwnExamples {
  const { count, source, at } = table;
  if (count === 0) throw new BrinkError(WHO, `${source.path} has no rows. It needs one at least.`);
  const place = (name: string, row: number) => () => `${source.path}, ${at(row)}, column '${name}'`;
  const [label] = outputs as [string];
  const labels = isLabelled ? columnOf(table, label).map((cell, row) => labelIn(WHO, place(label, row), cell)) : null;
  return {
    count,
    inputs: numbersIn(table, inputs, place),
    labels,
    targets: isLabelled ? null : numbersIn(table, outputs, place),
  };
}

/** Columns side by side, [count × entries], lists entry by entry. */
function numbersIn(
  table: Columns,
  names: readonly string[],
  place: (name: string, row: number) => () => string,
): Float32Array {
  const parts = names.map((name) => {
    const cells = columnOf(table, name);
    return { name, cells, width: widthOf(cells[0]) };
  });
  const total = parts.reduce((sum, { width }) => sum + (width ?? 1), 0);
  const out = new Float32Array(table.count * total);
  let start = 0;
  for (const { name, cells, width } of parts) {
    cells.forEach((cell, row) => {
      const where = place(name, row);
      if (isMissing(cell)) {
        throw new BrinkError(WHO, `${where()} is missing. Fill it in, or leave out its row or, by inputs, its column.`);
      }
      if (widthOf(cell) !== width) {
        const length = widthOf(cell) === null ? 'no list' : `${widthOf(cell)} entries`;
        throw new BrinkError(
          WHO,
          `${where()} has ${length}, and the first row ${width ?? 'no list'}. All must have as many.`,
        );
      }
      const entries = width === null ? [cell] : Array.from(cell as ArrayLike<unknown>);
      entries.forEach((entry, k) => {
        const at = () => (width === null ? where() : `${where()}, entry ${k}`);
        out[row * total + start + k] = inputIn(WHO, at, entry, table.numberIn(entry));
      });
    });
    start += width ?? 1;
  }
  return out;
}

/** Entries of a list; null: it is none. */
function widthOf(cell: unknown): number | null {
  return Array.isArray(cell) || (ArrayBuffer.isView(cell) && !(cell instanceof DataView))
    ? (cell as unknown as ArrayLike<unknown>).length
    : null;
}

function columnOf({ columns, source }: Columns, name: string): readonly unknown[] {
  const cells = columns.get(name);
  if (cells !== undefined) return cells;
  throw new BrinkError(WHO, `${source.path} has no column '${name}'. It has ${[...columns.keys()].join(', ')}.`);
}

import type { Row, Table } from '../../core/Table.ts';

/** One number that tells how far a table's numbers can be relied on. */
export interface HealthLine {
  readonly what: string;
  readonly median: number;
  readonly worst: number;
}

/**
 * What a table says of its own precision: standard errors over their values, residuals over theirs, products, searches
 * that did not converge, and cells without a number.
 */
export function healthOf({ columns }: Table, rows: readonly Row<Table>[]): HealthLine[] {
  const lines: HealthLine[] = [];
  const cells = (name: string) => rows.flatMap((row) => (row[name] as number | readonly number[] | null) ?? Number.NaN);
  for (const name of Object.keys(columns)) {
    const of = name.replace(/_standard_error$/, '');
    if (of !== name && of in columns) {
      lines.push(line(`standard error of ${of}, relative`, relative(cells(name), cells(of))));
    }
  }
  if ('residuals' in columns && 'eigenvalues' in columns) {
    lines.push(line('residual of the eigenvalues, relative', relative(cells('residuals'), cells('eigenvalues'))));
  }
  if ('products' in columns) lines.push(line('products a row', cells('products')));
  if ('converged' in columns) {
    const share = rows.filter((row) => row.converged === false).length / Math.max(rows.length, 1);
    lines.push({ what: 'share of rows whose search did not converge', median: share, worst: share });
  }
  const numbers = Object.entries(columns).filter(([, { type, list }]) => type === 'float64' && !list);
  for (const [name] of numbers) {
    const count = rows.filter((row) => Number.isNaN(row[name])).length;
    if (count > 0) lines.push({ what: `rows where ${name} is NaN`, median: count, worst: count });
  }
  return lines.filter(({ worst }) => !Number.isNaN(worst));
}

function relative(errors: readonly number[], values: readonly number[]): number[] {
  return errors.map((error, i) => Math.abs(error / values[i]!)).filter(Number.isFinite);
}

function line(what: string, values: readonly number[]): HealthLine {
  const sorted = values.toSorted((a, b) => a - b);
  return { what, median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, worst: sorted.at(-1) ?? Number.NaN };
}

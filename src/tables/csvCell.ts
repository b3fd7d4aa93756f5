/** A cell as text: nothing for null, numbers so that they come back to the bit, lists as JSON has them. */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'boolean') return `${value}`;
  if (typeof value === 'string') return value === '' || /[",\r\n]|^\s|\s$/.test(value) ? quoted(value) : value;
  return quoted(`[${Array.from(value as ArrayLike<unknown>, entryText).join(',')}]`);
}

const entryText = (entry: unknown) => (typeof entry === 'number' ? numberText(entry) : JSON.stringify(entry));

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** As pandas, polars, DuckDB and R read it. */
function numberText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  return Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? `${value}` : value > 0 ? 'inf' : '-inf';
}

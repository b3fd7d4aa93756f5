/** Rows of cells as lines, the columns aligned on the left; `indent` goes before each line. */
export function textTable(rows: readonly (readonly string[])[], indent = ''): string {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => width(row[k]!))));
  const line = (row: readonly string[]) => row.map((cell, k) => cell + ' '.repeat(widths[k]! - width(cell))).join('  ');
  return rows.map((row) => (indent + line(row)).trimEnd()).join('\n');
}

/** Characters as a terminal shows them: a mark that stands above the letter before it takes no place. */
function width(text: string): number {
  return [...text.replace(/\p{Mark}/gu, '')].length;
}

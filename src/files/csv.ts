import { BrinkError } from '../core/errors.ts';

/** A line of a table of text: its cells, and where in the file it begins. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The records of comma-separated values (RFC 4180): cells in quotes may hold separators, line breaks and, doubled,
 * quotes. Blanks around a cell without quotes are left out, and so are empty lines.
 *
 * @throws BrinkError, with the line, for a quote that doesn't end, or text behind one that does.
 */
export function parseCsv(who: string, path: string, text: string, separator: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let [at, line] = [text.charCodeAt(0) === 0xfeff ? 1 : 0, 1];
  const quoted = (): string => {
    const begun = line;
    let cell = '';
    for (;;) {
      const end = text.indexOf('"', at);
      if (end < 0)
        throw new BrinkError(who, `${path}: a quote in line ${begun} doesn't end. Double those within a cell.`);
      const part = text.slice(at, end);
      cell += part;
      line += part.split('\n').length - 1;
      at = end + 1;
      if (text[at] !== '"') return cell;
      cell += '"';
      at++;
    }
  };
  while (at < text.length) {
    const cells: string[] = [];
    const begun = line;
    for (;;) {
      const [, blanks] = /^([^\S\r\n\t]*)/.exec(text.slice(at, at + 64))!;
      const isQuoted = text[at + blanks!.length] === '"';
      let cell = '';
      if (isQuoted) {
        at += blanks!.length + 1;
        cell = quoted();
      }
      let end = at;
      while (end < text.length && text[end] !== separator && text[end] !== '\n') end++;
      const rest = text.slice(at, end).trim();
      if (isQuoted && rest !== '') {
        throw new BrinkError(
          who,
          `${path}: line ${line} has '${rest}' behind a quote's end. Double quotes within a cell.`,
        );
      }
      cells.push(isQuoted ? cell : rest);
      at = end + 1;
      if (text[end] !== separator) break;
    }
    line++;
    if (cells.length > 1 || cells[0] !== '') records.push({ line: begun, cells });
  }
  return records;
}

import { type Piece, piecesOf } from '../../plots/subscripts.ts';

/** Text of a page that is as it is to be: everything else is escaped where it is put in. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | readonly Part[] | null;

/** A piece of a page: what stands in `${…}` is escaped, unless it is itself a piece, or a list of them. */
export function html(fixed: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(fixed.map((text, i) => (i === 0 ? text : asText(parts[i - 1]!) + text)).join(''));
}

function asText(part: Part): string {
  if (part === null) return '';
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(asText).join('');
  return String(part).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A heading of level 1 to 6. */
export const heading = (level: number, content: Part): Markup =>
  new Markup(`<h${level}>${asText(content)}</h${level}>\n`);

/** A text with its subscripts and superscripts (`ρ_b`, `‖H‖_{S_n}`) set as such; not for names of columns. */
export function math(text: string): Markup {
  return new Markup(piecesOf(text).map(piece).join(''));
}

function piece({ text, size, drop }: Piece): string {
  if (size === 1) return asText(text);
  return drop > 0 ? `<sub>${asText(text)}</sub>` : `<sup>${asText(text)}</sup>`;
}

/** A table; the first row is its head. */
export function table(caption: string, head: readonly Part[], rows: readonly (readonly Part[])[]): Markup {
  return html`<div class="wide"><table><caption>${caption}</caption>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody></table></div>
`;
}

/** A number in short, whole numbers in full, with all its digits beside it for machines. */
export function number(value: number | null, digits = 4): Markup {
  if (value === null) return html`–`;
  return html`<data value="${value}">${shortOf(value, digits)}</data>`;
}

/** A number with so many digits, a whole one with all. */
export const shortOf = (value: number, digits: number): number =>
  Number.isInteger(value) ? value : Number(value.toPrecision(digits));

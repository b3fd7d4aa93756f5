/** A piece of a text, and how deep a subscript it is: 0 for none. */
interface Piece {
  readonly text: string;
  readonly depth: number;
}

/** `_x`, unless a word goes on with it, and `_{…}`, with one more pair of braces within. */
const SUBSCRIPT = /_(?:\{((?:[^{}]|\{[^{}]*\})*)\}|([^\s_{}&](?![a-z]{2})))/gu;
/** The size of a subscript, and how far it lies below the line, as shares of the size of the text. */
const SIZES = [1, 0.74, 0.6];
const DROPS = [0, 0.2, 0.3];
const NOTHING = '\u200b';

const at = (values: readonly number[], depth: number) => values[Math.min(depth, values.length - 1)]!;

/** The pieces of a text in which `_x` and `_{…}` stand for subscripts. */
export function piecesOf(text: string, depth = 0): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(SUBSCRIPT)) {
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), depth });
    pieces.push(...piecesOf(match[1] ?? match[2]!, depth + 1));
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), depth });
  return pieces;
}

/** How large a piece is set, as a share of the text's size. */
export const sizeOf = ({ depth }: Piece): number => at(SIZES, depth);

/** An SVG with the subscripts of its texts set as such; they stay text. */
export function subscripted(svg: string): string {
  return svg.replace(/(<t(?:ext|span)\b[^>]*>)([^<]+)/g, (all, tag: string, text: string) => {
    const pieces = piecesOf(text);
    if (pieces.every(({ depth }) => depth === 0)) return all;
    // The next line of several begins where this one ends.
    if (tag.startsWith('<tspan') && pieces.at(-1)!.depth > 0) pieces.push({ text: NOTHING, depth: 0 });
    let drop = 0;
    const spans = pieces.map((piece) => {
      const size = sizeOf(piece);
      const shift = (at(DROPS, piece.depth) - drop) / size;
      drop = at(DROPS, piece.depth);
      const dy = shift === 0 ? '' : ` dy="${Number(shift.toFixed(3))}em"`;
      const scale = size === 1 ? '' : ` font-size="${Math.round(100 * size)}%"`;
      return `<tspan${dy}${scale}>${piece.text}</tspan>`;
    });
    return tag + spans.join('');
  });
}

/** A piece of a text: how large it is set, as a share of the text's size, and how far below its line. */
export interface Piece {
  readonly text: string;
  readonly size: number;
  readonly drop: number;
}

/** `_x`, unless a word goes on with it, and `_{…}` and `^{…}`, with one more pair of braces within. */
const SHIFTED = /([_^])\{((?:[^{}]|\{[^{}]*\})*)\}|_([^\s_{}&](?![a-z]{2}))/gu;
const SMALLER = 0.76;
const DROP = { _: 0.2, '^': -0.36 };
const NOTHING = '\u200b';

/** The pieces of a text in which `_x`, `_{…}` and `^{…}` set what is lower and higher. */
export function piecesOf(text: string, size = 1, drop = 0): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(SHIFTED)) {
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), size, drop });
    const to = DROP[(match[1] ?? '_') as '_' | '^'];
    pieces.push(...piecesOf(match[2] ?? match[3]!, size * SMALLER, drop + size * to));
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), size, drop });
  return pieces;
}

/** An SVG with the subscripts and superscripts of its texts set as such; they stay text. */
export function subscripted(svg: string): string {
  return svg.replace(/(<t(?:ext|span)\b[^>]*>)([^<]+)/g, (all, tag: string, text: string) => {
    const pieces = piecesOf(text);
    if (pieces.every(({ size }) => size === 1)) return all;
    // The next line of several begins where this one ends.
    if (tag.startsWith('<tspan') && pieces.at(-1)!.drop !== 0) pieces.push({ text: NOTHING, size: 1, drop: 0 });
    let before = 0;
    const spans = pieces.map(({ text, size, drop }) => {
      const shift = (drop - before) / size;
      before = drop;
      const dy = shift === 0 ? '' : ` dy="${Number(shift.toFixed(3))}em"`;
      const scale = size === 1 ? '' : ` font-size="${Math.round(100 * size)}%"`;
      // Some drop a space where a piece begins or ends.
      return `<tspan${dy}${scale}>${text.replace(/^ | $/g, '\u00a0')}</tspan>`;
    });
    return tag + spans.join('');
  });
}

import { piecesOf } from './subscripts.ts';

/** Letters by their width in a sans-serif, in em; any other is 0.58 wide. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/\p{Mark}/u, 0],
  [/[₀-₉ₐ-ₜ⁰-⁹ᵀ¹²³½]/u, 0.38],
  [/[iljtfrI.,:;'’|!()[\]{} /]/u, 0.33],
  [/[mwMW@—…%]/u, 0.88],
  [/[\p{Lu}=+−<>≤≥≈]/u, 0.7],
];
const USUAL = 0.58;

/** The width of a text in a sans-serif of a size, in pixels: within a tenth, and rather too wide. */
export function textWidth(text: string, fontSize: number): number {
  const widthOf = (letter: string) => WIDTHS.find(([letters]) => letters.test(letter))?.[1] ?? USUAL;
  const ems = piecesOf(text).map(({ text, size }) => size * [...text].reduce((sum, c) => sum + widthOf(c), 0));
  return fontSize * ems.reduce((sum, width) => sum + width, 0);
}

/** A text in lines of at most a width, broken between words, but not at a sign of equality. */
export function wrapped(text: string, width: number, fontSize: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/(?<!=) (?!=)/)) {
    const line = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && textWidth(line, fontSize) <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

/** The texts of an SVG, in their order, subscripts and all lines of each as one. */
export function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text\b[^>]*>(.*?)<\/text>/gs)].map(([, inner]) => plain(inner!));
}

/** Without tags, and characters as they are. */
export const plain = (markup: string): string =>
  markup
    .replaceAll(/<[^>]*>|\u200b/g, '')
    .replaceAll('\u00a0', ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** A text as it is seen, where `_{…}` and the like set subscripts. */
export const seen = (text: string): string =>
  text.replaceAll(/[_^]\{((?:[^{}]|\{[^{}]*\})*)\}/g, '$1').replaceAll(/_(?=\S)/g, '');

/** The `d` of the paths of a kind of mark, those of data. */
export function pathsOf(svg: string, kind: 'line' | 'area' | 'symbol' | 'rect'): string[] {
  const groups = svg.split('<g ').filter((part) => part.includes(`class="mark-${kind} role-mark`));
  return groups.flatMap((part) => [...part.matchAll(/<path [^>]*\bd="([^"]*)"/g)].map(([, d]) => d!));
}

/** The points of a path, with the letter of each. */
export const pointsOf = (d: string): { letter: string; x: number; y: number }[] =>
  [...d.matchAll(/([ML])(-?[\d.]+),(-?[\d.]+)/g)].map(([, letter, x, y]) => ({
    letter: letter!,
    x: Number(x),
    y: Number(y),
  }));

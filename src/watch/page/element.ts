import { type Piece, piecesOf } from '../../plots/subscripts.ts';

type Child = Node | string | null | undefined | false;

/** An element with attributes, listeners (`onclick`) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, unknown>> = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') made.addEventListener(name.slice(2), value as EventListener);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) made.append(child);
  }
  return made;
}

/** A symbol with its subscripts set as such: ‖H‖_{S_b}. */
export function symbol(text: string): HTMLElement {
  const whole = element('span', { class: 'symbol' });
  for (const { text: part, drop } of piecesOf(text)) {
    whole.append(drop === 0 ? part : element(drop > 0 ? 'sub' : 'sup', {}, part));
  }
  return whole;
}

/**
 * Writes the pieces of a text on a canvas, from a place to the right; what is longer than the room ends in an ellipsis.
 */
export function writeSymbol(
  context: CanvasRenderingContext2D,
  pieces: readonly Piece[],
  { x, y, size, room }: { readonly x: number; readonly y: number; readonly size: number; readonly room: number },
): void {
  let at = x;
  for (const { text: part, size: scale, drop } of pieces) {
    context.font = `${scale * size}px system-ui, sans-serif`;
    const shown = within(context, part, x + room - at);
    context.fillText(shown, at, y + drop * size);
    if (shown !== part) return;
    at += context.measureText(part).width;
  }
}

/** A text, or as much of its beginning as there is room for. */
function within(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  const signs = [...text];
  while (signs.length > 0 && context.measureText(`${signs.join('')}…`).width > room) signs.pop();
  return `${signs.join('')}…`;
}

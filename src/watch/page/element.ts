import { piecesOf } from '../../plots/subscripts.ts';

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

/** Writes a symbol on a canvas, from a place to the right; returns its width. */
export function writeSymbol(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  size: number,
): number {
  let at = x;
  for (const { text: part, size: scale, drop } of piecesOf(text)) {
    context.font = `${scale * size}px system-ui, sans-serif`;
    context.fillText(part, at, y + drop * size);
    at += context.measureText(part).width;
  }
  return at - x;
}

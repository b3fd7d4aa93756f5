import type { SeriesPlan } from './panelPlans.ts';

/** A piece of a line, as the legend shows it. */
export function swatch({ color, dash }: SeriesPlan): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const picture = document.createElementNS(space, 'svg');
  picture.setAttribute('viewBox', '0 0 26 10');
  picture.setAttribute('class', 'swatch');
  picture.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(space, 'line');
  for (const [name, value] of Object.entries({
    x1: 1,
    x2: 25,
    y1: 5,
    y2: 5,
    'stroke-width': 2,
    'stroke-dasharray': dash.join(' '),
  })) {
    line.setAttribute(name, `${value}`);
  }
  line.classList.add(`stroke${color.replaceAll('--', '-')}`);
  picture.append(line);
  return picture;
}

import { createHash } from 'node:crypto';
import type { TopLevelSpec } from 'vega-lite';
import { BrinkError } from '../core/errors.ts';
import { pictureTitle } from './pictureTitle.ts';
import { subscripted } from './subscripts.ts';
import { textWidth } from './textWidth.ts';

/**
 * A Vega-Lite specification as the text of an SVG, without a browser: one for a page, to stand in it as it is.
 *
 * It has alternative text (`role="img"`, `<title>`, `<desc>`), text as text, a white background, and the same bytes for
 * the same specification.
 *
 * @param spec What `chart`, `panels`, `plotTable` and `sharpnessPlot` give, or any other with its data inline.
 * @throws BrinkError where it has no description.
 * @example
 * import { chart, line, toSvg } from 'brink';
 *
 * const spec = chart({
 *   description: 'A line from 0 to 1.',
 *   x: { title: 'x' },
 *   y: { title: 'y' },
 *   layers: [line({ name: 'y', rows: [{ x: 0, y: 0 }, { x: 1, y: 1 }], x: 'x', y: 'y' })],
 * });
 * console.log((await toSvg(spec)).includes('<desc>A line from 0 to 1.</desc>')); // true
 * @see writeSvg
 */
export async function toSvg(spec: TopLevelSpec): Promise<string> {
  const { description } = spec;
  if (typeof description !== 'string' || description === '') {
    throw new BrinkError(
      'toSvg',
      'the specification has no description. It is the alternative text; say what is seen.',
    );
  }
  // Loaded where something is drawn: they take longer to load than all of brink.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  // Without a canvas Vega takes every letter for 0.8 em wide, and would leave wide gaps in a legend.
  (vega as unknown as VegaText).textMetrics.width = (item, text) =>
    textWidth(String(text ?? item.text), item.fontSize ?? 11);
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return described(
    withOwnIds(seamless(subscripted(rounded(svg)))),
    pictureTitle(spec) ?? firstSentence(description),
    description,
  );
}

/** What Vega's types leave out. */
interface VegaText {
  readonly textMetrics: {
    width: (item: { readonly text?: unknown; readonly fontSize?: number }, text?: unknown) => number;
  };
}

const firstSentence = (text: string) => /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function described(svg: string, title: string, description: string): string {
  const texts = `<title>${escaped(title)}</title><desc>${escaped(description)}</desc>`;
  return svg.replace(/^<svg ([^>]*)>/, (_, attributes) => `<svg role="img" ${attributes}>${texts}`);
}

/** Cells of a grid without the light lines that blurred edges would leave between them. */
const seamless = (svg: string) =>
  svg.replaceAll('<g class="mark-rect role-mark', '<g shape-rendering="crispEdges" class="mark-rect role-mark');

/** Coordinates to a hundredth of a pixel, which is more than can be seen. */
function rounded(svg: string): string {
  return svg.replace(/<[a-z][^>]*>/gi, (tag) =>
    tag.replace(/\b(?:d|transform|[xy][12]?|width|height)="[^"]*"/g, (attribute) =>
      attribute.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => `${Number(Number(number).toFixed(2))}`),
    ),
  );
}

/**
 * Ids that hang on nothing but the picture: Vega counts them on within a process, and two pictures in one page must not
 * share one.
 */
function withOwnIds(svg: string): string {
  const found = [...svg.matchAll(/<(?:clipPath|linearGradient|radialGradient) id="([^"]+)"/g)].map(([, id]) => id!);
  const places = new Map(found.map((id, k) => [id, k]));
  const named = (prefix: string) =>
    svg.replace(/(\bid="|url\(#)([^")]+)/g, (all, before, id) =>
      places.has(id) ? `${before}${prefix}-${places.get(id)}` : all,
    );
  const fingerprint = createHash('sha256').update(named('id')).digest('hex').slice(0, 10);
  return named(`brink-${fingerprint}`);
}

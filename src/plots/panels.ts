import type { TopLevelSpec } from 'vega-lite';
import { BrinkError, requireNumber } from '../core/errors.ts';
import { requireList, requireOptions, requireText } from '../core/given.ts';
import { config } from './config.ts';
import { pictureTitle } from './pictureTitle.ts';
import { BOLD, isChart, sized, unnamed } from './sized.ts';
import { wrapped } from './textWidth.ts';

/** How `panels` puts charts together. */
export interface PanelsOptions {
  /** Above all panels. */
  readonly title?: string;
  /** What there is to see in all; the descriptions of the panels follow it. */
  readonly description: string;
  /** Of the whole, in pixels, about. Default: 760. */
  readonly width?: number;
  /** Of the frame of each panel. Default: 200. */
  readonly height?: number;
}

const WHO = 'panels';
/** What a panel takes beside its frame: the labels and titles of its y-axis, and the gap to the next one. */
const BESIDE = 70;
const GAP = 24;
/** Narrower frames have no place for labels. */
const LEAST = 120;

/**
 * Charts in rows, lettered (a), (b), …, each with its own axes and legend, in the size that the row has place for.
 *
 * @param rows Of what `chart` gives.
 * @param options.title Above all; none by default.
 * @param options.description The alternative text of all; those of the panels follow it.
 * @param options.width Of all, 760 by default; more panels in a row than have place for frames of 120 make it wider.
 * @param options.height Of each frame, 200 by default.
 * @throws BrinkError where a row is empty, or holds something else than charts.
 * @example
 * import { chart, line, panels } from 'brink';
 *
 * const rows = [{ step: 0, loss: 1, accuracy: 0.1 }, { step: 1, loss: 0.5, accuracy: 0.6 }];
 * const of = (column: 'loss' | 'accuracy') =>
 *   chart({
 *     description: `The ${column} over the steps.`,
 *     x: { title: 'step t' },
 *     y: { title: column },
 *     layers: [line({ name: column, rows, x: 'step', y: column })],
 *   });
 * const spec = panels([[of('loss'), of('accuracy')]], { description: 'A network learns.' });
 * console.log(spec.description); // A network learns. (a) The loss over the steps. (b) The accuracy over the steps.
 */
export function panels(rows: readonly (readonly TopLevelSpec[])[], options: PanelsOptions): TopLevelSpec {
  requireOptions(WHO, options, ['title', 'description', 'width', 'height'], "{ description: '…' }");
  const { title, description, width = 760, height = 200 } = options;
  if (title !== undefined) requireText(WHO, 'title', title);
  requireText(WHO, 'description', description);
  requireNumber(WHO, 'width', width, 0);
  requireNumber(WHO, 'height', height, 0);
  requireRows(rows);
  const most = Math.max(...rows.map((row) => row.length));
  const each = Math.max(LEAST, Math.floor((width - (most - 1) * GAP) / most) - BESIDE);
  const all = rows.flat();
  const panel = (spec: TopLevelSpec, k: number) => {
    const lettered = { ...spec, title: [letter(k), pictureTitle(spec)].join(' ').trim() };
    // What belongs to the whole is said once, at the top.
    const { $schema, background, config, description, ...rest } = unnamed(sized(lettered, each, height));
    return rest;
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: [description, ...all.map((spec, k) => `${letter(k)} ${spec.description}`)].join(' '),
    background: 'white',
    ...(title !== undefined && { title: { text: wrapped(title, width, BOLD * 15), fontSize: 15, offset: 14 } }),
    vconcat: rows.map((row, r) => {
      const before = rows.slice(0, r).flat().length;
      return { hconcat: row.map((spec, k) => panel(spec, before + k)), spacing: GAP, resolve };
    }),
    spacing: GAP,
    resolve,
    config,
  } as unknown as TopLevelSpec;
}

/** (a), …, (z), (aa), … */
const letter = (k: number): string => `(${lettersOf(k)})`;
const lettersOf = (k: number): string =>
  (k < 26 ? '' : lettersOf(Math.floor(k / 26) - 1)) + String.fromCharCode(97 + (k % 26));

const CHANNELS = ['x', 'y', 'color', 'fill', 'stroke', 'shape', 'strokeDash'];
/** Each panel has scales and a legend of its own. */
const resolve = { scale: Object.fromEntries(CHANNELS.map((channel) => [channel, 'independent'])) };

function requireRows(rows: unknown): asserts rows is readonly (readonly TopLevelSpec[])[] {
  requireList(WHO, 'rows', rows);
  if (rows.length === 0)
    throw new BrinkError(WHO, 'there are no rows. It takes rows of charts, such as [[a, b], [c, d]].');
  const isSpec = (spec: unknown) => typeof spec === 'object' && spec !== null && isChart(spec as TopLevelSpec);
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k];
    requireList(WHO, `rows[${k}]`, row);
    if (row.length === 0) throw new BrinkError(WHO, `rows[${k}] is empty. It must hold a chart.`);
    const wrong = Array.from(row).findIndex((spec) => !isSpec(spec));
    if (wrong >= 0) throw new BrinkError(WHO, `rows[${k}][${wrong}] is not a chart. It must be what chart gives.`);
  }
}

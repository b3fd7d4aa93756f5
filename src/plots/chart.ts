import type { TopLevelSpec } from 'vega-lite';
import { BrinkError, given, requireNumber } from '../core/errors.ts';
import { numbers, requireList, requireOptions, requireText } from '../core/given.ts';
import { config } from './config.ts';
import type { Layer, Mark } from './Layer.ts';
import { type Axis, scaleOf } from './Scale.ts';
import { frameLayer, legendLayer, noteLayer, sized } from './sized.ts';
import { stylesOf } from './styles.ts';

/** What `chart` draws. */
export interface ChartOptions {
  /** Above the chart. */
  readonly title?: string;
  /** What there is to see, in words, for those who can't see it: the alternative text. */
  readonly description: string;
  /** Of the frame, in pixels. Default: 560. */
  readonly width?: number;
  /** Default: 280. */
  readonly height?: number;
  readonly x: Axis;
  readonly y: Axis;
  /** In the order in which they are drawn, one over the other. */
  readonly layers: readonly Layer[];
  /** A sentence below the frame: how curves were smoothed, say. */
  readonly note?: string;
}

const WHO = 'chart';
const SUCH = "{ description: '…', x: { title: 'step t' }, y: { title: 'λ₁' }, layers: [line(…)] }";

/** Space between data and frame, as a share of the frame. */
const MARGIN = { x: 0.03, y: 0.05 };

/**
 * A chart of layers with one frame and one legend, as a Vega-Lite specification: `toSvg` and `writeSvg` draw it, and so
 * do vega-embed in a page and `altair.Chart.from_dict` in Python.
 *
 * In any text `_x` and `_{…}` set a subscript, `^{…}` a superscript. Names differ by colour, by lightness and by dashes
 * or shape; layers of one name look alike. Whatever is not drawn as it is (values beyond the frame, infinite ones,
 * those ≤ 0 on a logarithmic axis, those thinned out) is counted in a note below the frame and in the description.
 *
 * @param options.title Above the chart; none by default.
 * @param options.description The alternative text.
 * @param options.width Of the frame, in pixels; 560 by default. `panels` chooses it itself.
 * @param options.height 280 by default.
 * @param options.x,options.y The axes: title, logarithmic or not, ends.
 * @param options.layers What `line`, `points`, `rule`, `slope` and `heat` give.
 * @param options.note A sentence below the frame; none by default.
 * @throws BrinkError where an option is missing, unknown or out of range.
 * @example
 * import { chart, line, rule, toSvg } from 'brink';
 *
 * const rows = [6.2, 8.1, 10.4, 10.1].map((lambda_1, k) => ({ step: 50 * k, lambda_1 }));
 * const spec = chart({
 *   title: 'Progressive sharpening',
 *   description: 'The sharpness rises from 6.2 at step 0 to the edge of stability at step 100, and stays there.',
 *   x: { title: 'step t' },
 *   y: { title: 'eigenvalue of the Hessian' },
 *   layers: [line({ name: 'λ₁', rows, x: 'step', y: 'lambda_1' }), rule({ name: '2/η', y: 10 })],
 * });
 * console.log((await toSvg(spec)).startsWith('<svg')); // true
 * @see panels, plotTable
 */
export function chart(options: ChartOptions): TopLevelSpec {
  requireChart(options);
  const { title, description, width = 560, height = 280, layers, note } = options;
  const isTight = layers.some(({ room }) => room === 'none');
  const x = scaleOf(
    options.x,
    layers.flatMap((layer) => layer.xs(Boolean(options.x.log))),
    width,
    !isTight && layers.some(({ room }) => room === 'around') ? MARGIN.x : 0,
  );
  const y = scaleOf(
    options.y,
    layers.flatMap((layer) => layer.ys(Boolean(options.y.log))),
    height,
    isTight ? 0 : MARGIN.y,
  );
  const styles = stylesOf(layers.flatMap((layer) => layer.entries));
  const drawings = layers.map((layer) => layer.draw({ x, y, style: (name) => styles.get(name)! }));
  const notes = [...(note === undefined ? [] : [note]), ...drawings.flatMap((drawing) => drawing.notes)];
  const listed = [...styles].filter(([, { isListed }]) => isListed);
  const layer: readonly Mark[] = [
    frameLayer(x, y),
    ...drawings.flatMap(({ marks }) => marks),
    ...(listed.length > 0 ? [legendLayer(listed)] : []),
    ...(notes.length > 0 ? [noteLayer(notes)] : []),
  ];
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: [description, ...notes].join(' '),
    background: 'white',
    ...(title !== undefined && { title }),
    layer,
    config,
  };
  return sized(spec as unknown as TopLevelSpec, width, height);
}

function requireChart(options: ChartOptions): void {
  requireOptions(WHO, options, ['title', 'description', 'width', 'height', 'x', 'y', 'layers', 'note'], SUCH);
  const { title, description, width = 1, height = 1, layers, note } = options;
  if (title !== undefined) requireText(WHO, 'title', title);
  requireText(WHO, 'description', description);
  if (note !== undefined) requireText(WHO, 'note', note);
  requireNumber(WHO, 'width', width, 0);
  requireNumber(WHO, 'height', height, 0);
  for (const name of ['x', 'y'] as const) requireAxis(name, options[name]);
  requireList(WHO, 'layers', layers);
  const wrong = layers.findIndex((layer) => typeof layer?.draw !== 'function');
  if (wrong >= 0) {
    throw new BrinkError(
      WHO,
      `${given(`layers[${wrong}]`, layers[wrong])} It must be what line, points, rule, slope or heat give.`,
    );
  }
}

function requireAxis(name: string, axis: Axis): void {
  requireOptions(`${WHO}, axis ${name}`, axis, ['title', 'log', 'domain'], "{ title: 'step t' }");
  requireText(WHO, `${name}.title`, axis.title);
  if (axis.domain === undefined) return;
  const [from, to] = numbers(WHO, `${name}.domain`, axis.domain, 2) as [number, number];
  if (from === to) throw new BrinkError(WHO, `${name}.domain is [${from}, ${to}]. Its ends must differ.`);
  if (axis.log && Math.min(from, to) <= 0) {
    throw new BrinkError(WHO, `${name}.domain is [${from}, ${to}]. A logarithmic axis begins above 0.`);
  }
}

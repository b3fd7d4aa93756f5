import type { TopLevelSpec } from 'vega-lite';
import type { Mark, Style } from './Layer.ts';
import { pictureTitle } from './pictureTitle.ts';
import { logTicks, type Scale } from './Scale.ts';
import { SYMBOL_SIZE, symbolOf } from './styles.ts';
import { textWidth, wrapped } from './textWidth.ts';

const FRAME = 'frame';
const LEGEND = 'legend';
const NOTE = 'note';

const LEGEND_FONT = 11.5;
const NOTE_FONT = 10.5;
const TITLE_FONT = 13;
/** How much wider bold text is. */
export const BOLD = 1.1;
/** Of a symbol in the legend and the space around it, in pixels. */
const SYMBOL = 44;
/** From the frame to the note: ticks, labels and title of the axis are between. */
const BELOW = 44;

/** The axes, on a layer that draws nothing. */
export function frameLayer(x: Scale, y: Scale): Mark {
  const channel = (field: string, scale: Scale) => {
    const { axis, domain } = scale;
    return {
      field,
      type: 'quantitative',
      title: axis.title,
      scale: { type: axis.log ? 'log' : 'linear', domain, nice: false, ...(!axis.log && { zero: false }) },
      axis: axis.log ? { values: logTicks(scale), format: '~g' } : formatOf(domain),
    };
  };
  return {
    name: FRAME,
    data: { values: [] },
    mark: { type: 'point' },
    encoding: { x: channel('x', x), y: channel('y', y) },
  };
}

/** Numbers that are long to write out have an exponent. */
function formatOf(domain: readonly [number, number]): { readonly format?: string } {
  const most = Math.max(...domain.map(Math.abs));
  return most < 1e-3 || most >= 1e6 ? { format: '~g' } : {};
}

/** The legend, on a layer that draws nothing, so that it does not hang on how the others are drawn. */
export function legendLayer(styles: readonly (readonly [name: string, style: Style])[]): Mark {
  const of = (read: (style: Style) => unknown) => ({
    field: 'name',
    type: 'nominal',
    title: null,
    scale: { domain: styles.map(([name]) => name), range: styles.map(([, style]) => read(style)) },
    legend: { orient: 'top', symbolSize: SYMBOL_SIZE, symbolOpacity: 1, symbolStrokeWidth: 2 },
  });
  return {
    name: LEGEND,
    data: { values: [] },
    mark: { type: 'point', filled: true },
    encoding: {
      stroke: of(({ color }) => color),
      fill: of(({ isPoints, color }) => (isPoints ? color : 'transparent')),
      shape: of(symbolOf),
      strokeDash: of(({ isPoints, dash }) => (dash.length > 0 && !isPoints ? dash : [1, 0])),
    },
  };
}

/** Sentences below the frame. */
export function noteLayer(notes: readonly string[]): Mark {
  return {
    name: NOTE,
    description: notes.join('\n'),
    data: { values: [{}] },
    mark: { type: 'text', align: 'left', baseline: 'top', fontSize: NOTE_FONT, fill: '#555555', x: 0 },
  };
}

/**
 * A chart of a size: as many columns in the legend, ticks on the axes and words to a line, of the title and of notes,
 * as there is place for.
 */
export function sized(spec: TopLevelSpec, width: number, height: number): TopLevelSpec {
  const { layer } = spec as unknown as { readonly layer: readonly Mark[] };
  const fitted = layer.map((mark) => {
    if (mark.name === FRAME) return withTicks(mark, width, height);
    if (mark.name === LEGEND) return withColumns(mark, width);
    if (mark.name === NOTE) return withLines(mark, width, height);
    return withGradient(mark, height);
  });
  const title = pictureTitle(spec);
  const lines = title === undefined ? {} : { title: wrapped(title, width, BOLD * TITLE_FONT) };
  return { ...spec, ...lines, width, height, layer: fitted } as unknown as TopLevelSpec;
}

/** A chart whose layers have no names, which would be taken for those of another chart beside it. */
export function unnamed(spec: TopLevelSpec): TopLevelSpec {
  const { layer } = spec as unknown as { readonly layer: readonly Mark[] };
  return { ...spec, layer: layer.map(({ name, ...mark }) => mark) } as unknown as TopLevelSpec;
}

/** Whether `chart` made it. */
export const isChart = (spec: TopLevelSpec): boolean =>
  'layer' in spec && (spec.layer as readonly { readonly name?: string }[]).some(({ name }) => name === FRAME);

/** About how many ticks there is place for. */
const ticksIn = (pixels: number, each: number) => Math.max(3, Math.round(pixels / each));

type Channel = Readonly<Record<string, object>>;

function withTicks(mark: Mark, width: number, height: number): Mark {
  const { x, y } = mark.encoding as Readonly<Record<string, Channel>>;
  const count = (channel: Channel, tickCount: number) => ({ ...channel, axis: { ...channel.axis, tickCount } });
  return { ...mark, encoding: { x: count(x!, ticksIn(width, 75)), y: count(y!, ticksIn(height, 40)) } };
}

function withColumns(mark: Mark, width: number): Mark {
  const { domain } = (mark.encoding!.stroke as unknown as { scale: { domain: readonly string[] } }).scale;
  const widest = Math.max(...domain.map((name) => textWidth(name, LEGEND_FONT))) + SYMBOL;
  const columns = Math.max(1, Math.min(domain.length, Math.floor(width / widest)));
  const encoding = Object.entries(mark.encoding as Readonly<Record<string, Channel>>).map(([channel, definition]) => [
    channel,
    { ...definition, legend: { ...definition.legend, columns } },
  ]);
  return { ...mark, encoding: Object.fromEntries(encoding) };
}

function withLines(mark: Mark, width: number, height: number): Mark {
  const text = mark.description!.split('\n').flatMap((note) => wrapped(note, width, NOTE_FONT));
  return { ...mark, mark: { ...mark.mark, text, y: height + BELOW } };
}

/** A scale of colours is as long as the frame is high. */
function withGradient(mark: Mark, gradientLength: number): Mark {
  const encoding = Object.entries(mark.encoding ?? {}).map(([channel, definition]) => [
    channel,
    'legend' in definition
      ? { ...definition, legend: { ...(definition.legend as object), gradientLength } }
      : definition,
  ]);
  return { ...mark, encoding: Object.fromEntries(encoding) };
}

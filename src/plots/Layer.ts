import type { Scale } from './Scale.ts';

type Properties = Readonly<Record<string, unknown>>;

/** A part of a layered Vega-Lite specification, in what is needed of it here. */
export interface Mark {
  readonly name?: string;
  readonly description?: string;
  readonly data: { readonly values: readonly object[] };
  readonly mark: Properties;
  readonly encoding?: Readonly<Record<string, Properties>>;
}

/** How a name looks: by colour, by lightness, and by dashes or shape, so that print and grey keep it apart. */
export interface Style {
  readonly color: string;
  readonly dash: readonly number[];
  /** Of its points, as a path. */
  readonly shape: string;
  readonly width: number;
  /** Whether it has lines, points, or both. */
  readonly isLine: boolean;
  readonly isPoints: boolean;
  readonly isListed: boolean;
}

/** The frame that marks are drawn into. */
export interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  /** How names look. */
  readonly style: (name: string) => Style;
}

/** What a layer draws, and what must be said about it. */
export interface Drawing {
  readonly marks: readonly Mark[];
  /** Sentences on what is not drawn as it is. */
  readonly notes: readonly string[];
}

/** A name of a layer, as the legend has it. */
export interface Entry {
  readonly name: string;
  readonly kind: 'line' | 'edge' | 'fit' | 'points';
  readonly color?: string | undefined;
  readonly dashed?: Dashes | undefined;
  /** Whether the legend has it. Default: true. */
  readonly isListed?: boolean;
}

/** Whether a line is dashed, or how: the lengths of dashes and gaps, in turn. */
export type Dashes = boolean | readonly number[];

/** Something drawn into a chart: what `line`, `points`, `rule`, `slope`, `contour` and `heat` give. */
export interface Layer {
  /** The names in the legend. */
  readonly entries: readonly Entry[];
  /** Coordinates that an axis, logarithmic or not, must reach; those that it can't show are passed over. */
  xs(log: boolean): readonly number[];
  ys(log: boolean): readonly number[];
  /** Space between the layer and the frame: on all sides, or on none. Default: above and below. */
  readonly room?: 'around' | 'none';
  draw(frame: Frame): Drawing;
}

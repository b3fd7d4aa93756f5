import type { Mark } from './Layer.ts';

interface Stroke {
  readonly color: string;
  readonly width: number;
  readonly dash?: readonly number[];
  readonly opacity?: number;
}

/** A path through points, in their order, with a gap at each null. A point alone is a dot. */
export function path(points: readonly ({ readonly x: number; readonly y: number } | null)[], stroke: Stroke): Mark {
  return {
    data: { values: points.map((point) => point ?? { x: null, y: null }) },
    mark: {
      type: 'line',
      clip: true,
      stroke: stroke.color,
      strokeWidth: stroke.width,
      strokeOpacity: stroke.opacity ?? 1,
      strokeCap: stroke.dash?.length ? 'butt' : 'round',
      strokeJoin: 'round',
      ...(stroke.dash?.length && { strokeDash: [...stroke.dash] }),
      invalid: 'break-paths-show-path-domains',
    },
    encoding: {
      x: { field: 'x', type: 'quantitative' },
      y: { field: 'y', type: 'quantitative' },
      order: { value: null },
    },
  };
}

import type { TopLevelSpec } from 'vega-lite';

const INK = '#222222';

/** How every chart looks. */
export const config: NonNullable<TopLevelSpec['config']> = {
  // One alternative text for the picture, and not one for every point.
  aria: false,
  font: 'Helvetica, Arial, sans-serif',
  view: { stroke: '#bbbbbb' },
  axis: {
    gridColor: '#e6e6e6',
    domainColor: '#666666',
    tickColor: '#666666',
    tickSize: 4,
    labelColor: INK,
    labelFontSize: 11,
    labelOverlap: 'greedy',
    titleColor: INK,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 7,
  },
  legend: {
    labelColor: INK,
    labelFontSize: 11.5,
    labelLimit: 0,
    titleColor: INK,
    titleFontSize: 11.5,
    titleFontWeight: 'normal',
    offset: 10,
    columnPadding: 14,
    rowPadding: 3,
    gradientStrokeWidth: 0,
  },
  title: { anchor: 'start', frame: 'group', color: INK, fontSize: 13, fontWeight: 'bold', offset: 8 },
};

import fc from 'fast-check';
import type { TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { type ChartOptions, chart } from '../../src/plots/chart.ts';
import { heat } from '../../src/plots/heat.ts';
import type { Layer } from '../../src/plots/Layer.ts';
import { line } from '../../src/plots/line.ts';
import { panels } from '../../src/plots/panels.ts';
import { points } from '../../src/plots/points.ts';
import { rule } from '../../src/plots/rule.ts';
import { logTicks, scaleOf } from '../../src/plots/Scale.ts';
import { sharpnessPlot } from '../../src/plots/sharpnessPlot.ts';
import { slope } from '../../src/plots/slope.ts';
import { shades } from '../../src/plots/styles.ts';
import { textWidth } from '../../src/plots/textWidth.ts';
import { toSvg } from '../../src/plots/toSvg.ts';
import { pathsOf, plain, pointsOf, textsOf } from './drawn.ts';

const of = (layers: readonly Layer[], more: Partial<ChartOptions> = {}) =>
  chart({
    description: 'A chart.',
    x: { title: 'step t' },
    y: { title: 'value' },
    width: 400,
    height: 200,
    layers,
    ...more,
  });
const at = (values: readonly (number | null)[]) => values.map((y, step) => ({ step, y }));
const lineOf = (values: readonly (number | null)[], name = 'y') => line({ name, rows: at(values), x: 'step', y: 'y' });

describe('a line', () => {
  it('goes through every value, and has its place by the domain', async () => {
    const svg = await toSvg(of([lineOf([0, 5, 10])], { y: { title: 'value', domain: [0, 10] } }));
    expect(pathsOf(svg, 'line')).toEqual(['M0,200L200,100L400,0']);
  });

  it.each([null, Number.NaN, Number.POSITIVE_INFINITY])('has a gap at %s, and is never joined over it', async (gap) => {
    const svg = await toSvg(of([lineOf([0, 5, gap, 5, 10, gap, 2])], { y: { title: 'value', domain: [0, 10] } }));
    const [d] = pathsOf(svg, 'line');
    expect(pointsOf(d!).map(({ letter }) => letter)).toEqual(['M', 'L', 'M', 'L', 'M']);
    // A value alone is a dot.
    expect(svg).toContain('stroke-linecap="round"');
    expect(textsOf(svg).some((text) => text.includes('are infinite'))).toBe(gap === Number.POSITIVE_INFINITY);
  });

  it('keeps the order of its rows, as a trajectory needs', async () => {
    const rows = [0, 2, 1].map((x, y) => ({ x, y }));
    const svg = await toSvg(of([line({ name: 'path', rows, x: 'x', y: 'y' })]));
    expect(pointsOf(pathsOf(svg, 'line')[0]!).map(({ x }) => x)).toEqual([0, 400, 200]);
  });

  it('leaves out what has no place on a logarithmic axis, and says how many', async () => {
    const spec = of([lineOf([1, 0, -1, 10, 100])], { y: { title: 'value', log: true } });
    const note = 'y: 2 of 5 values are ≤ 0 and have no place on the logarithmic axis.';
    expect(spec.description).toBe(`A chart. ${note}`);
    const svg = await toSvg(spec);
    expect(pointsOf(pathsOf(svg, 'line')[0]!)).toHaveLength(3);
    expect(textsOf(svg)).toContain(note);
  });

  it('is cut off at the frame, and says how many values lie beyond', async () => {
    const spec = of([lineOf([1, 2, 1e9, 2])], { y: { title: 'value', domain: [0, 3] } });
    expect(spec.description).toContain('y: 1 of 4 values lie beyond the frame.');
    const svg = await toSvg(spec);
    const clip = svg.match(/class="mark-line role-mark[^"]*" clip-path="url\(#([^)]+)\)/)?.[1];
    expect(svg).toContain(`<clipPath id="${clip}"><rect x="0" y="0" width="400" height="200"/>`);
  });

  it('of a hundred thousand values keeps every peak, is small, and says how it was thinned', async () => {
    const values = Array.from({ length: 100_000 }, (_, k) => (k === 54_321 ? 9 : k === 77_777 ? -9 : Math.sin(k)));
    const spec = of([lineOf(values)], { y: { title: 'value', domain: [-10, 10] } });
    expect(spec.description).toMatch(
      /y: of 100,000 values the least and the largest in each of 40[01] columns are drawn/,
    );
    const svg = await toSvg(spec);
    expect(svg.length).toBeLessThan(30_000);
    const drawn = pointsOf(pathsOf(svg, 'line')[0]!);
    expect(Math.min(...drawn.map(({ y }) => y))).toBeCloseTo(10, 1);
    expect(Math.max(...drawn.map(({ y }) => y))).toBeCloseTo(190, 1);
  });

  it('keeps a gap among a hundred thousand values', async () => {
    const values = Array.from({ length: 100_000 }, (_, k) => (k > 40_000 && k < 60_000 ? null : 1));
    const svg = await toSvg(of([lineOf(values)]));
    const breaks = pointsOf(pathsOf(svg, 'line')[0]!).filter(({ letter }) => letter === 'M');
    expect(breaks.map(({ x }) => Math.round(x / 10) * 10)).toEqual([0, 240]);
  });

  it('has a band from low to high, which ends at the frame where a logarithmic axis can not show it', async () => {
    const rows = [1, 10].map((y, step) => ({ step, y }));
    const banded = line({ name: 'y', rows, x: 'step', y: 'y', low: (r) => r.y - 2, high: (r) => r.y + 2 });
    const linear = await toSvg(of([banded], { y: { title: 'value', domain: [0, 20] } }));
    expect(pathsOf(linear, 'area')).toEqual(['M0,210L400,120L400,80L0,170Z']);
    const log = await toSvg(of([banded], { y: { title: 'value', domain: [1, 100], log: true } }));
    expect(pointsOf(pathsOf(log, 'area')[0]!)[0]).toMatchObject({ x: 0, y: 200 });
  });
});

describe('points', () => {
  const rows = Array.from({ length: 40 }, (_, k) => ({ x: k, y: (k * 7) % 11, error: 1, kind: k % 2 === 0, size: k }));

  it('are each there, with bars of one standard error to both sides', async () => {
    const svg = await toSvg(
      of([points({ name: 'y', rows: [{ x: 1, y: 5, e: 2 }], x: 'x', y: 'y', yError: 'e' })], {
        x: { title: 'x', domain: [0, 2] },
        y: { title: 'y', domain: [0, 10] },
      }),
    );
    expect(pathsOf(svg, 'symbol')).toHaveLength(1);
    expect(svg).toContain('translate(200,100)');
    expect(pathsOf(svg, 'line')).toEqual(['M200,140L200,60']);
  });

  it('have a colour, a shape and a name for each category', async () => {
    const svg = await toSvg(of([points({ name: 'unstable', rows, x: 'x', y: 'y', colorBy: 'kind' })]));
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['unstable: true', 'unstable: false']));
    expect(new Set(pathsOf(svg, 'symbol')).size).toBe(2);
  });

  it('have a scale of colours for numbers', async () => {
    const svg = await toSvg(of([points({ name: 'size', rows, x: 'x', y: 'y', colorBy: 'size' })]));
    expect(svg).toContain('<linearGradient');
    expect(textsOf(svg)).toContain('size');
  });

  it('of a cloud of 30,000 are thinned with those far from the rest kept, and say so', async () => {
    const cloud = Array.from({ length: 30_000 }, (_, k) => ({ x: Math.sin(k) * (k % 97), y: Math.cos(k) * (k % 89) }));
    const spec = of([points({ name: 'cloud', rows: [...cloud, { x: 500, y: 500 }], x: 'x', y: 'y' })]);
    expect(spec.description).toMatch(/cloud: [\d,]+ of 30,001 points are drawn, one in each square of \d pixels\./);
    const svg = await toSvg(spec);
    expect(svg.length).toBeLessThan(150_000);
    const [d] = pathsOf(svg, 'line');
    expect(Math.max(...pointsOf(d!).map(({ x }) => x))).toBeGreaterThan(380);
  });
});

describe('rules, slopes and heat maps', () => {
  it('cross the whole frame', async () => {
    const frame = { x: { title: 'x', domain: [0, 10] }, y: { title: 'y', domain: [-10, 10] } } as const;
    const layers = [
      rule({ name: 'level', y: 5 }),
      rule({ name: 'upright', x: 5 }),
      slope({ name: 'by y', slope: 2, intercept: -10 }),
      slope({ name: 'by x', slope: 2, xIntercept: 5 }),
    ];
    const svg = await toSvg(of(layers, frame));
    expect(pathsOf(svg, 'line')).toEqual(['M0,50L400,50', 'M200,200L200,0', 'M0,200L400,0', 'M0,200L400,0']);
  });

  it('say where a level lies beyond the frame, though the legend names it', () => {
    const frame = { x: { title: 'x', domain: [0, 10] }, y: { title: 'y', domain: [0, 5] } } as const;
    const { description } = of([rule({ name: 'edge', y: 10 }), rule({ name: 'there', x: 10 })], frame);
    expect(description).toBe('A chart. edge: 10 lies beyond the frame.');
  });

  it('have cells that meet half-way, in the logarithm on a logarithmic axis', async () => {
    const rows = [1, 4, 16].flatMap((x) => [0, 1].map((y) => ({ x, y, v: x + y })));
    const spec = of([heat({ name: 'v', rows: rows.slice(1), x: 'x', y: 'y', value: 'v' })], {
      x: { title: 'x', log: 2 },
    });
    const svg = await toSvg(spec);
    const corners = pathsOf(svg, 'rect').map((d) => d.match(/^M([\d.]+),/)?.[1]);
    expect(corners.map(Number).sort((a, b) => a - b)).toEqual([0, 133.33, 133.33, 266.67, 266.67]);
    expect(new Set(svg.match(/<path [^>]*fill="rgb[^"]*"/g)).size).toBe(5);
  });

  it('say which cells have no value, and which show a mean', () => {
    const rows = [
      { x: 0, y: 0, v: 1 },
      { x: 1, y: 0, v: null },
      { x: 0, y: 0, v: 2 },
    ];
    const { description } = of([heat({ name: 'v', rows, x: 'x', y: 'y', value: 'v' })]);
    expect(description).toContain('v: 1 of 2 cells have no value to draw, and stay white.');
    expect(description).toContain('v: 1 cells show the mean of several rows.');
  });
});

describe('names', () => {
  it('stand in one legend, each once, in their order', async () => {
    const rows = at([1, 2]);
    const layers = [lineOf([1, 2], 'a'), points({ name: 'a', rows, x: 'step', y: 'y' }), rule({ name: 'edge', y: 1 })];
    const svg = await toSvg(of(layers));
    expect(textsOf(svg).filter((text) => ['a', 'edge'].includes(text))).toEqual(['a', 'edge']);
  });

  it('differ in print: neighbours by lightness, dashes or shape, an edge being black and dashed', async () => {
    const svg = await toSvg(
      of([...'abcdefgh'].map((name, k) => lineOf([k, k + 1], name)).concat(rule({ name: 'edge', y: 3 }))),
    );
    const strokes = [...svg.matchAll(/<path d="M[^"]*" stroke="(#\w{6})"[^>]*?(?:stroke-dasharray="([^"]*)")?\/>/g)];
    expect(strokes).toHaveLength(9);
    const looks = strokes.map(([, color, dash]) => ({ lightness: lightness(color!), dash }));
    for (const [k, { lightness, dash }] of looks.entries()) {
      for (const other of looks.slice(k + 1)) {
        expect(dash !== other.dash || Math.abs(lightness - other.lightness) > 15).toBe(true);
      }
    }
    expect(strokes.at(-1)!.slice(1)).toEqual(['#111111', '6,4']);
  });

  it('of more than eight are all drawn differently, and so are six edges', async () => {
    const lines = Array.from({ length: 20 }, (_, k) => lineOf([k, k + 1], `line ${k}`));
    const edges = Array.from({ length: 6 }, (_, k) => rule({ name: `edge ${k}`, y: k }));
    const svg = await toSvg(of([...lines, ...edges]));
    const strokes = [...svg.matchAll(/<path d="M[^"]*" stroke="(#\w{6})"[^>]*?(?:stroke-dasharray="([^"]*)")?\/>/g)];
    expect(strokes).toHaveLength(26);
    expect(new Set(strokes.map(([, color, dash]) => `${color} ${dash}`)).size).toBe(26);
  });

  it('with an order have colours from dark to light', () => {
    for (const count of [1, 2, 3, 7, 9]) {
      const lights = shades(count).map(lightness);
      expect(lights).toEqual(lights.toSorted((a, b) => a - b));
      expect(new Set(lights).size).toBe(count);
    }
  });
});

/** CIE lightness of a colour. */
function lightness(color: string): number {
  const linear = [1, 3, 5].map((k) => {
    const value = Number.parseInt(color.slice(k, k + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const y = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

describe('panels', () => {
  const two = () => [of([lineOf([1, 2], 'first')], { title: 'Rising' }), of([lineOf([300, 100], 'second')])];

  it('are lettered, each with its own axes and legend', async () => {
    const spec = panels([two(), two()], { title: 'All', description: 'Four panels.' });
    expect(spec.description).toBe('Four panels. (a) A chart. (b) A chart. (c) A chart. (d) A chart.');
    const svg = await toSvg(spec);
    const texts = textsOf(svg);
    expect(texts).toEqual(expect.arrayContaining(['All', '(a) Rising', '(b)', '(c) Rising', '(d)']));
    expect(texts.filter((text) => text === 'first')).toHaveLength(2);
    expect(pathsOf(svg, 'line').map((d) => pointsOf(d).map(({ y }) => Math.round(y)))).toEqual([
      [191, 9],
      [9, 191],
      [191, 9],
      [9, 191],
    ]);
  });

  it('have titles of several lines where one is wider than its frame', async () => {
    const chart = of([lineOf([1, 2])], { title: 'gradient descent, mean squared error, η = 0.25' });
    const title = `Three networks ${'of one kind, '.repeat(12)}trained alike`;
    const svg = await toSvg(panels([[chart, chart, chart]], { title, description: 'Three.' }));
    expect(svg).toContain(`<title>${title}</title>`);
    const linesOf = (drawn: string) => [...drawn.matchAll(/<tspan[^>]*>([^<]*)</g)].map(([, text]) => text!);
    const all = linesOf(svg);
    expect(all).toEqual(
      expect.arrayContaining(['(a) gradient descent,', '(c) gradient descent,', 'mean squared error,', 'η = 0.25']),
    );
    const above = all.filter((text) => /of one kind/.test(text));
    expect(above).toHaveLength(2);
    expect(Math.max(...above.map((text) => textWidth(text, 15)))).toBeLessThan(760);
    // Of a chart by itself too.
    const alone = linesOf(await toSvg(of([lineOf([1, 2])], { title })));
    expect(alone.length).toBeGreaterThan(1);
    expect(Math.max(...alone.map((text) => textWidth(text, 13)))).toBeLessThan(560);
  });

  it('letter a chart that stands twice by its places', () => {
    const [a] = two();
    expect(panels([[a!, a!]], { description: 'Twice.' }).description).toBe('Twice. (a) A chart. (b) A chart.');
  });

  it('are as wide together as asked for, about', async () => {
    for (const width of [500, 900]) {
      const svg = await toSvg(panels([two()], { description: 'Two.', width }));
      const found = Number(svg.match(/ width="(\d+)"/)?.[1]);
      expect(Math.abs(found - width)).toBeLessThan(60);
    }
  });
});

describe('an SVG', () => {
  const spec = () => of([lineOf([1, 2], '‖H‖_{S_n} & <b>')], { title: 'Title' });

  it('has alternative text, white ground, and text as text', async () => {
    const svg = await toSvg(spec());
    expect(svg).toMatch(
      /^<svg role="img" [^>]*><title>Title<\/title><desc>A chart\.<\/desc><rect [^>]*fill="white"\/>/,
    );
    expect(svg).not.toContain('aria-roledescription="line mark container"><path aria-label');
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['Title', 'step t', 'value', '‖H‖Sn & <b>']));
  });

  it('sets subscripts lower and smaller, and goes back to the line', async () => {
    const svg = await toSvg(spec());
    const [text] = svg.match(/<text[^>]*>(?:(?!<\/text>).)*‖H‖.*?<\/text>/s)!;
    expect(text).toMatch(/<tspan>‖H‖<\/tspan><tspan dy="0.\d+em" font-size="76%">S<\/tspan>/);
    const shifts = [...text.matchAll(/<tspan(?: dy="([-\d.]+)em")?(?: font-size="(\d+)%")?>/g)];
    const total = shifts.reduce((sum, [, dy = '0', size = '100']) => sum + (Number(dy) * Number(size)) / 100, 0);
    expect(total).toBeCloseTo(0, 2);
  });

  it('has the same bytes for the same specification, whatever was drawn before', async () => {
    const first = await toSvg(spec());
    await toSvg(panels([[spec(), spec()]], { description: 'Others.' }));
    expect(await toSvg(spec())).toBe(first);
  });

  it('shares no id with another one', async () => {
    const ids = (svg: string) => [...svg.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const one = ids(await toSvg(spec()));
    const other = ids(await toSvg(of([lineOf([1, 3])])));
    expect(one.length).toBeGreaterThan(0);
    expect(one.filter((id) => other.includes(id))).toEqual([]);
  });

  it('without a description is refused', async () => {
    const { description, ...rest } = spec();
    await expect(toSvg(rest as TopLevelSpec)).rejects.toThrow('toSvg: the specification has no description.');
  });
});

describe('what can not be drawn is refused at the call', () => {
  const rows = [{ step: 0, loss: 1, verdict: 'stable' }];
  it.each<[string, () => unknown]>([
    [
      "line: y is 'los', which is no column of the rows. Did you mean loss?",
      () => line({ name: 'L', rows, x: 'step', y: 'los' as 'loss' }),
    ],
    [
      "line: y of row 0 is 'stable'. Only numbers can be drawn.",
      () => line({ name: 'L', rows, x: 'step', y: 'verdict' }),
    ],
    ["line: name is ''. It is what the legend says", () => line({ name: '', rows, x: 'step', y: 'loss' })],
    ["line: there is no option 'dash'.", () => line({ name: 'L', rows, x: 'step', y: 'loss', dash: true } as never)],
    ['rule: it takes x or y', () => rule({ name: 'edge', x: 1, y: 1 } as never)],
    ['rule: y is NaN.', () => rule({ name: 'edge', y: Number.NaN })],
    ['slope: it takes intercept or xIntercept', () => slope({ name: 'fit', slope: 1 } as never)],
    ['chart: description is missing.', () => of([], { description: undefined as never })],
    [
      'chart: y.domain is [0, 1]. A logarithmic axis begins above 0.',
      () => of([], { y: { title: 'y', log: true, domain: [0, 1] } }),
    ],
    ['chart: layers[0] is an object of name.', () => of([{ name: 'L' } as never])],
    ['panels: rows[0][0] is not a chart.', () => panels([[{ mark: 'line' } as never]], { description: 'None.' })],
    ['panels: there are no rows.', () => panels([], { description: 'None.' })],
  ])('%s', (message, call) => {
    expect(call).toThrow(message);
  });
});

it('draws any numbers, those that are not finite too, without failing and without a coordinate that is NaN', async () => {
  const number = fc.oneof(fc.double(), fc.constant(null), fc.integer({ min: -5, max: 5 }));
  const rowsOf = fc.array(fc.record({ x: number, y: number, low: number, high: number }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(rowsOf, fc.boolean(), fc.boolean(), async (rows, xLog, yLog) => {
      const layers = [
        line({ name: 'line', rows, x: 'x', y: 'y', low: 'low', high: 'high' }),
        points({ name: 'points', rows, x: 'x', y: 'y', yError: 'high', colorBy: 'low' }),
        heat({ name: 'heat', rows, x: 'x', y: 'y', value: 'low' }),
      ];
      const svg = await toSvg(of(layers, { x: { title: 'x', log: xLog }, y: { title: 'y', log: yLog } }));
      expect(plain(svg)).not.toContain('undefined');
      expect(svg).not.toMatch(/(?:d|transform|x|y|width|height)="[^"]*NaN/);
    }),
    { numRuns: 60 },
  );
});

it.each([
  [
    [1, 100],
    [1, 2, 5, 10, 20, 50, 100],
  ],
  [
    [100, 1],
    [1, 2, 5, 10, 20, 50, 100],
  ],
  [
    [0.3, 0.4],
    [0.3, 0.4],
  ],
  [
    [0.305, 0.41],
    [0.35, 0.4],
  ],
  [
    [0.97, 1.02],
    [0.97, 0.98, 0.99, 1, 1.01, 1.02],
  ],
] as const)('a logarithmic axis from %j has numbers', (domain, ticks) => {
  expect(logTicks(scaleOf({ title: 'y', log: true, domain }, [], 200, 0))).toEqual(ticks);
});

it('of powers of two has numbers too where there are none', async () => {
  const svg = await toSvg(
    of([], { x: { title: 'b', log: 2, domain: [33, 60] }, y: { title: 'y', domain: [1000, 2000] } }),
  );
  expect(textsOf(svg)).toEqual(expect.arrayContaining(['40', '50', '60']));
});

describe('the sharpness', () => {
  const rows = Array.from({ length: 201 }, (_, step) => {
    const learningRate = 0.1 * (1 + Math.cos((Math.PI * step) / 200));
    return { step, edge: 2 / learningRate, lambda_1: 9, ias: 8 };
  });

  it('is seen also where a learning rate ends at 0, and the edge rises beyond all', () => {
    const spec = sharpnessPlot({ eigenvalues: rows, sharpness: rows });
    const { layer } = spec as unknown as { layer: readonly { encoding: { y: { scale: { domain: number[] } } } }[] };
    // η_100 is 0.1, and 2/η 20.
    expect(layer[0]!.encoding.y.scale.domain[1]).toBeCloseTo(32, 9);
    expect(spec.description).toMatch(/edge of stability: \d+ of 201 values lie beyond the frame/);
  });

  it('is drawn with a step whose learning rate is 0, and with none', async () => {
    for (const eigenvalues of [[{ ...rows[0]!, edge: Number.POSITIVE_INFINITY }, ...rows.slice(1)], []])
      expect(await toSvg(sharpnessPlot({ eigenvalues, sharpness: rows }))).toContain('edge of stability');
  });
});

it('says of no value at the end of a logarithmic axis that it lies beyond', () => {
  const ends = Array.from({ length: 60 }, (_, k) => 2 + 7 * k);
  const drawn = (end: number) =>
    chart({
      description: 'ends',
      x: { title: 'b', log: true },
      y: { title: 'value', log: true },
      layers: [line({ name: 'value', rows: [{ b: 1.5 }, { b: end }], x: 'b', y: 'b' })],
    });
  expect(ends.map((end) => drawn(end).description)).toEqual(ends.map(() => 'ends'));
  const less = [8, 16, 32, 64, 128, 256].map((b) => ({ b, value: b }));
  const framed = { title: 'b', log: true, domain: [9, 400] as [number, number] };
  expect(
    chart({ description: 'cut', x: framed, y: framed, layers: [line({ name: 'v', rows: less, x: 'b', y: 'value' })] })
      .description,
  ).toContain('v: 1 of 6 values lie beyond the frame');
});

import { BrinkError, requireNumber } from '../core/errors.ts';
import type { Layer } from './Layer.ts';
import { path } from './path.ts';
import { requireLayer } from './readings.ts';

/** What `rule` draws: a line at one y, or at one x. */
export type Rule = {
  readonly name: string;
  /** Default: true. */
  readonly dashed?: boolean;
  /** Default: black. */
  readonly color?: string;
} & ({ readonly y: number; readonly x?: undefined } | { readonly x: number; readonly y?: undefined });

/**
 * A straight line across the frame, level at `y` or upright at `x`: an edge, or the step of an event.
 *
 * @throws BrinkError unless one of x and y is a finite number.
 * @example
 * import { chart, line, rule } from 'brink';
 *
 * const rows = [9, 10.5, 9.8].map((lambda_1, step) => ({ step, lambda_1 }));
 * const spec = chart({
 *   description: 'The sharpness passes 2/η = 10 at step 1.',
 *   x: { title: 'step t' },
 *   y: { title: 'λ₁' },
 *   layers: [line({ name: 'λ₁', rows, x: 'step', y: 'lambda_1' }), rule({ name: '2/η', y: 10 })],
 * });
 * console.log('layer' in spec); // true
 */
export function rule(options: Rule): Layer {
  requireLayer('rule', options, ['name', 'x', 'y', 'dashed', 'color']);
  const { name, x, y, color, dashed = true } = options;
  if ((x === undefined) === (y === undefined)) throw new BrinkError('rule', 'it takes x or y: one of them, not both.');
  requireNumber('rule', x === undefined ? 'y' : 'x', x ?? y, Number.NEGATIVE_INFINITY);
  return {
    entries: [{ name, kind: 'edge', color, dashed }],
    xs: () => (x === undefined ? [] : [x]),
    ys: () => (y === undefined ? [] : [y]),
    draw: (frame) => {
      const across = x === undefined ? frame.x : frame.y;
      const ends = across.domain.map((end) => (x === undefined ? { x: end, y: y! } : { x, y: end }));
      if (!(x === undefined ? frame.y : frame.x).shows((x ?? y)!)) {
        return { marks: [], notes: [`${name}: ${x ?? y} is ≤ 0 and has no place on the logarithmic axis.`] };
      }
      const [from, to] = (x === undefined ? frame.y : frame.x).domain.toSorted((a, b) => a - b) as [number, number];
      const isWithin = from <= (x ?? y)! && (x ?? y)! <= to;
      return {
        marks: [path(ends, frame.style(name))],
        notes: isWithin ? [] : [`${name}: ${x ?? y} lies beyond the frame.`],
      };
    },
  };
}

import { describe, expect, it } from 'vitest';
import { generator, normals } from '../../src/linalg/random.ts';
import { lineFit } from '../../src/statistics/lineFit.ts';
import { lineFitInterval } from '../../src/statistics/lineFitInterval.ts';

/** Pearson's points (1901) with York's weights (1966): what every such fit is tested on. */
const x = [0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4];
const y = [5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5];
const xError = [1000, 1000, 500, 800, 200, 80, 60, 20, 1.8, 1].map((w) => 1 / Math.sqrt(w));
const yError = [1, 1.8, 4, 8, 20, 20, 70, 70, 100, 500].map((w) => 1 / Math.sqrt(w));

describe('the line with errors in both coordinates', () => {
  it("is York's for Pearson's points", () => {
    const line = lineFit({ x, y, xError, yError });
    expect(line.slope).toBeCloseTo(-0.480533407, 8);
    expect(line.intercept).toBeCloseTo(5.47991022, 7);
    expect(line.slopeError).toBeCloseTo(0.057985, 6);
    expect(line.interceptError).toBeCloseTo(0.294971, 6);
    expect(line.reducedChiSquare).toBeCloseTo(11.8663 / 8, 4);
    expect(line.xIntercept).toBeCloseTo(5.47991022 / 0.480533407, 6);
  });

  it('exchanges with its axes', () => {
    const line = lineFit({ x, y, xError, yError });
    const turned = lineFit({ x: y, y: x, xError: yError, yError: xError });
    expect(turned.slope).toBeCloseTo(1 / line.slope, 8);
    expect(turned.intercept).toBeCloseTo(line.xIntercept, 7);
  });

  it('is least squares weighted by 1/σ² where x is exact, and that of x on y where y is', () => {
    const weights = [3, 1, 2];
    const points = { x: [0, 1, 3], y: [1, 2, 2] };
    const line = lineFit({ ...points, yError: weights.map((w) => 1 / Math.sqrt(w)) });
    // Normal equations with Σw 6, Σwx 7, Σwx² 19, Σwy 9, Σwxy 14.
    expect(line.slope).toBeCloseTo((6 * 14 - 7 * 9) / (6 * 19 - 7 * 7), 12);
    expect(line.slopeError).toBeCloseTo(Math.sqrt(6 / (6 * 19 - 7 * 7)), 12);
    expect(line.interceptError).toBeCloseTo(Math.sqrt(19 / (6 * 19 - 7 * 7)), 12);
    const turned = lineFit({ x: points.y, y: points.x, xError: weights.map((w) => 1 / Math.sqrt(w)) });
    expect(turned.slope).toBeCloseTo(1 / line.slope, 9);
  });

  it('is ordinary least squares where nothing has an error', () => {
    const line = lineFit({ x: [1, 2, 3, 4], y: [2, 2, 3, 5] });
    // Σ(x−x̄)(y−ȳ) 5, Σ(x−x̄)² 5, residuals .5 −.5 −.5 .5.
    expect(line).toMatchObject({ slope: 1, intercept: 0.5, xIntercept: -0.5 });
    expect(line.slopeError).toBeCloseTo(Math.sqrt(0.5 / 5), 12);
    expect(line.interceptError).toBeCloseTo(Math.sqrt(0.5 * (1 / 4 + 6.25 / 5)), 12);
  });

  it('finds the slope that ordinary least squares finds too small', () => {
    const n = 4000;
    const [at, dx, dy] = [1, 2, 3].map((seed) => normals(generator(seed, 77), n));
    const points = { x: [...at!].map((v, i) => v + 0.7 * dx![i]!), y: [...at!].map((v, i) => 2 * v + 0.3 * dy![i]!) };
    expect(lineFit(points).slope).toBeCloseTo(2 / (1 + 0.49), 1);
    const line = lineFit({ ...points, xError: new Array(n).fill(0.7), yError: new Array(n).fill(0.3) });
    expect(Math.abs(line.slope - 2) / line.slopeError).toBeLessThan(3);
    expect(line.slopeError).toBeLessThan(0.05);
    expect(line.reducedChiSquare).toBeCloseTo(1, 1);
  });

  it('is none where the points determine none', () => {
    expect(lineFit({ x: [], y: [] }).slope).toBeNaN();
    expect(lineFit({ x: [2, 2], y: [1, 3] }).slope).toBeNaN();
    expect(lineFit({ x: [2, 2], y: [1, 3], yError: [1, 1] }).slope).toBeNaN();
  });

  it('has no scatter of two points, however their sums are rounded', () => {
    for (const x of [1, 1 / 3, 1.7]) {
      const points = { x: [x, 2.3], y: [2, 7.7] };
      const line = lineFit(points);
      expect(line.slope).toBeCloseTo(5.7 / (2.3 - x), 12);
      expect([line.slopeError, line.interceptError, line.reducedChiSquare]).toEqual([
        Number.NaN,
        Number.NaN,
        Number.NaN,
      ]);
      const withErrors = lineFit({ ...points, xError: [0.1, 0.2], yError: [0.3, 0.1] });
      expect(withErrors.slopeError).toBeGreaterThan(0);
      expect(withErrors.reducedChiSquare).toBeNaN();
    }
  });

  it('is none where all x are one number, whatever its last digits', () => {
    const y = [1, 2, 3.5];
    for (const x of [0.1, 0.7, 1e9 + 0.1]) {
      expect(lineFit({ x: [x, x, x], y }).slope).toBeNaN();
      expect(lineFit({ x: [x, x, x], y, yError: [1, 1, 1] }).slope).toBeNaN();
    }
  });

  it('refuses lengths that differ, and errors that are negative or of some points only', () => {
    expect(() => lineFit({ x: [1, 2], y: [1] })).toThrow('y has 1 entries. It must have 2.');
    expect(() => lineFit({ x: [1, 2], y: [1, 2], yError: [1, -1] })).toThrow('yError[1] is -1.');
    expect(() => lineFit({ x: [1, 2], y: [1, 2], yError: [1, 0] })).toThrow('point 1 has no error');
  });
});

describe('the interval of a line along a run', () => {
  const at = { x: (row: { x: number }) => row.x, y: (row: { y: number }) => row.y };

  it('shrinks to the line where the rows lie on one', () => {
    const rows = Array.from({ length: 50 }, (_, t) => ({ x: 5 + t / 10, y: 3 * (t / 10 - 2) }));
    const { slope, xIntercept } = lineFitInterval(rows, at);
    for (const end of ['value', 'low', 'high'] as const) {
      expect(slope[end]).toBeCloseTo(3, 9);
      expect(xIntercept[end]).toBeCloseTo(7, 9);
    }
  });

  it('takes integers of 64 bits, and no null', () => {
    const rows = Array.from({ length: 9 }, (_, t) => ({ x: BigInt(t) as unknown as number, y: 2 * t }));
    expect(lineFitInterval(rows, at).slope.value).toBeCloseTo(2, 12);
    expect(() => lineFitInterval(rows, { ...at, y: () => null as unknown as number })).toThrow('y[0] is null.');
  });

  it('refuses a column of another name, which would be no error at all', () => {
    const rows = Array.from({ length: 9 }, (_, t) => ({ x: t, y: 2 * t }));
    const given = { ...at, xerror: () => 1 };
    expect(() => lineFitInterval(rows, given)).toThrow(
      "lineFitInterval: there is no option 'xerror'. Did you mean xError?",
    );
  });

  it('knows that neighbours err together, which the error of the fit does not', () => {
    const noise = normals(generator(12), 200);
    let e = 0;
    const rows = [...noise].map((z, t) => {
      e = 0.9 * e + z;
      return { x: t / 100, y: t / 100 + e };
    });
    const { slope } = lineFitInterval(rows, at);
    const fit = lineFit({ x: rows.map(at.x), y: rows.map(at.y) });
    expect(slope.value).toBe(fit.slope);
    expect((slope.high - slope.low) / (2 * 1.97 * fit.slopeError)).toBeGreaterThan(2);
  });
});

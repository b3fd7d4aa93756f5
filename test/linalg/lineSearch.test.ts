import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstRise } from '../../src/linalg/firstRise.ts';
import { goldenSection } from '../../src/linalg/goldenSection.ts';

const search = { start: 1, limit: 64, tolerance: 0.01 };

it('the first rise of a cubic is its root, within the tolerance, in a few evaluations', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: 0.05, max: 50, noNaN: true }),
      fc.double({ min: -0.9, max: 4, noNaN: true }),
      fc.double({ min: 0.25, max: 4, noNaN: true }),
      fc.constantFrom(0.1, 0.01, 1e-4),
      async (root, third, off, tolerance) => {
        // α(α − root)(1 + third α/root), which rises first at the root.
        const f = async (alpha: number) => alpha * (alpha - root) * (1 + (third * alpha) / root);
        const found = await firstRise(f, -root, { start: root * off, limit: 100 * root, tolerance });
        if (third > -0.25) expect(Math.abs(found.alpha! / root - 1)).toBeLessThanOrEqual(tolerance);
        expect(found.evaluations).toBeLessThan(tolerance < 1e-3 ? 24 : 16);
      },
    ),
  );
});

it('the first rise of a quadratic takes four evaluations at most, from its root three', async () => {
  const f = async (alpha: number) => alpha * (alpha - 1);
  for (const start of [0.6, 0.9, 1, 1.5]) {
    const { alpha, evaluations } = await firstRise(f, -1, { ...search, start });
    expect(alpha).toBeCloseTo(1, 9);
    expect(evaluations).toBeLessThanOrEqual(start === 1 ? 3 : 4);
  }
});

it.each<[string, (alpha: number) => number, number, number]>([
  ['that falls for ever', (alpha) => -alpha, -1, 7],
  ['that rises at once', (alpha) => alpha, 1, 0],
  ['that is flat', () => 0, 0, 0],
  ['whose slope is not a number', () => 0, Number.NaN, 0],
  ['that rises in every step though its slope says otherwise', () => 1e-9, -1e-12, 64],
])('a function %s has none', async (_, f, slope, most) => {
  const { alpha, evaluations } = await firstRise(async (a) => f(a), slope, search);
  expect(alpha).toBeNull();
  expect(evaluations).toBeLessThanOrEqual(most);
});

it('what is not a number is above, and the rise before it is found', async () => {
  const { alpha } = await firstRise(async (a) => (a > 3 ? Number.NaN : -a), -1, search);
  expect(alpha).toBeGreaterThan(3 * 0.99);
  expect(alpha).toBeLessThan(3 * 1.01);
});

it('golden section finds the minimum of a lopsided valley, and what is least there', async () => {
  const f = async (x: number) => x ** 3 - 2 * x;
  const { at, value, evaluations } = await goldenSection(f, 0, Math.SQRT2, 1e-3);
  expect(Math.abs(at - Math.sqrt(2 / 3))).toBeLessThan(1e-3 * Math.SQRT2);
  expect(value).toBeCloseTo(await f(Math.sqrt(2 / 3)), 5);
  expect(evaluations).toBeLessThan(18);
});

it('neither asks for ever, nor loses what it found, where more is asked than float64 tells apart', async () => {
  const search = { start: 1, limit: 1e40, tolerance: 1e-17 };
  const { alpha, evaluations } = await firstRise(async (a) => -a + a ** 2 / 3, -1, search);
  expect(alpha).toBeCloseTo(3, 12);
  expect(evaluations).toBeLessThan(70);
  const far = await firstRise(async (a) => (a > 1e30 ? a : -a), -1, { ...search, tolerance: 0.01 });
  expect(far.alpha! / 1e30).toBeCloseTo(1, 1);
  const { at } = await goldenSection(async (x) => (x - 0.7) ** 2, 0, 2, 1e-17);
  expect(at).toBeCloseTo(0.7, 7);
});

import { describe, expect, it } from 'vitest';
import { correction, renewModel } from '../../src/linalg/spectralModel.ts';
import { addScaled, dot } from '../../src/linalg/vector.ts';
import { orthonormal } from '../helpers/orthonormal.ts';

const m = 12;
const vectors = orthonormal(m, 3);
const spectrum = [9, -6, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0];
const times = (v: ArrayLike<number>) => {
  const out = new Float64Array(m);
  vectors.forEach((q, k) => {
    addScaled(out, q, spectrum[k]! * dot(q, Float64Array.from(v)));
  });
  return out;
};
const single = (v: ArrayLike<number>) => Float32Array.from(v);

const largest = { scouted: null, before: (a: number, b: number) => b - a };

describe('a spectral model', () => {
  const model = {
    values: spectrum.slice(0, 5),
    vectors: vectors.slice(0, 5).map(single),
    searches: 1,
    scout: null,
  };

  it('that is H solves (λI − H) t = r', () => {
    const r = Float64Array.from({ length: m }, (_, k) => Math.cos(k));
    const lambda = 7;
    const t = correction(model, r, lambda);
    const back = times(t).map((x, k) => lambda * t[k]! - x);
    back.forEach((x, k) => {
      expect(x).toBeCloseTo(r[k]!, 5);
    });
  });

  it('keeps a correction finite where λ is one of its values, or 0', () => {
    for (const lambda of [9, 0, -6]) {
      const t = correction(
        model,
        Float64Array.from({ length: m }, () => 1),
        lambda,
      );
      // Nothing is blown up by more than 1/(5 % of the largest value).
      expect(Math.sqrt(dot(t, t))).toBeLessThan(Math.sqrt(m) / (0.05 * 9) + 1e-6);
    }
  });

  it('takes what is exact from the basis and the rest from the old model', () => {
    // The old model is wrong about q_1 and right about q_2; the basis holds q_1 and a mix of q_3 and q_4.
    const old = { values: [3, -6], vectors: [single(vectors[0]!), single(vectors[1]!)], searches: 3 };
    const mix = vectors[2]!.map((x, k) => (x + vectors[3]![k]!) / Math.SQRT2);
    const basis = [vectors[0]!, mix].map((v) => ({ vector: single(v), product: single(times(v)) }));
    const ritzMatrix = basis.map((a) => basis.map((b) => dot(a.vector, b.product)));
    const renewed = renewModel(basis, ritzMatrix, old, { ...largest, size: 3, first: 1 });
    expect(renewed.values).toEqual([expect.closeTo(9, 5), expect.closeTo(-6, 5), expect.closeTo(3, 5)]);
    expect(Math.abs(dot(renewed.vectors[0]!, vectors[0]!))).toBeCloseTo(1, 5);
    expect(Math.abs(dot(renewed.vectors[1]!, vectors[1]!))).toBeCloseTo(1, 5);
    expect(renewed.searches).toBe(4);
    expect(renewed.scout).toBeNull();
    const two = renewModel(basis, ritzMatrix, old, { ...largest, size: 2, first: 2 });
    expect(two.values).toEqual([expect.closeTo(9, 5), expect.closeTo(3, 5)]);
  });

  it('scouts in the part of a product that lies outside of what it remembers', () => {
    const old = { values: [9, -6], vectors: [single(vectors[0]!), single(vectors[1]!)], searches: 1 };
    const basis = [{ vector: single(vectors[0]!), product: single(times(vectors[0]!)) }];
    const scouted = Float32Array.from(vectors[0]!, (x, k) => 5 * x - 2 * vectors[1]![k]! + 0.5 * vectors[2]![k]!);
    const { scout } = renewModel(basis, [[9]], old, { ...largest, scouted, size: 2, first: 1 });
    expect(dot(scout!, vectors[2]!)).toBeCloseTo(1, 5);
    expect(dot(scout!, scout!)).toBeCloseTo(1, 5);
    const nothing = new Float32Array(m);
    expect(renewModel(basis, [[9]], old, { ...largest, scouted: nothing, size: 2, first: 1 }).scout).toBeNull();
  });
});

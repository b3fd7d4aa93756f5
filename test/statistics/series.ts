import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { generator, normals } from '../../src/linalg/random.ts';

/** A series as measured along a run, of a length and a seed. */
export type Series = (length: number, seed: number) => number[];

/** Values before the first that is kept: the series has forgotten how it began. */
const BEFORE = 200;

/** x_t = φ x_{t−1} + ε_t: mean and median 0. */
export const autoregression =
  (phi: number): Series =>
  (length, seed) => {
    let x = 0;
    return [...normals(generator(seed, 1), BEFORE + length)].map((z) => (x = phi * x + z)).slice(BEFORE);
  };

/** ±(2 + a_t) in turns with noise, a_t slow: mean 0. What is measured at the edge, where it is quiet. */
export const periodTwo: Series = (length, seed) => {
  const slow = normals(generator(seed, 2), length);
  const noise = normals(generator(seed, 3), length);
  let a = 0;
  return [...slow].map((z, t) => {
    a = 0.98 * a + 0.2 * z;
    return ((t + seed) % 2 === 0 ? 1 : -1) * (2 + a) + 0.5 * noise[t]!;
  });
};

/** ±2 in turns about a level that wanders: mean and median 0. Its signs tell nothing of how long it remembers. */
export const wandering: Series = (length, seed) =>
  autoregression(0.8)(length, seed).map((level, t) => 0.6 * level + ((t + seed) % 2 === 0 ? 2 : -2));

/** An oscillation that grows by a quarter a step, saturates, lifts the level, and falls back at random. */
export const bursts: Series = (length, seed) => {
  const random = generator(seed, 4);
  const noise = normals(generator(seed, 5), BEFORE + length);
  let amplitude = 0.01;
  return [...noise]
    .map((z, t) => {
      amplitude = Math.min(1.25 * amplitude, 1.5);
      if (amplitude > 1 && uniformFloat64(random) < 0.15) amplitude = 0.005 + 0.02 * uniformFloat64(random);
      return (t % 2 === 0 ? 3 : -3) * amplitude + (amplitude > 0.3 ? 0.6 : 0) + 0.3 * z;
    })
    .slice(BEFORE);
};

/** Quiet stretches of mean 0 and oscillating ones of mean ½, 20 long on average each: mean ¼. */
export const stretches: Series = (length, seed) => {
  const random = generator(seed, 6);
  const noise = normals(generator(seed, 7), BEFORE + length);
  let isQuiet = true;
  let x = 0;
  return [...noise]
    .map((z, t) => {
      if (uniformFloat64(random) < 0.05) isQuiet = !isQuiet;
      x = 0.5 * x + z;
      return isQuiet ? 0.3 * x : (t % 2 === 0 ? 2 : -2) + 0.5 + 0.5 * x;
    })
    .slice(BEFORE);
};

import { BrinkError, requireInteger, requireNumber } from '../core/errors.ts';
import { requireFlag, requireList, requireOptions } from '../core/given.ts';
import { samplingCoefficient } from './samplingCoefficient.ts';

/** A batch size and the learning rate that was found best with it. */
export interface TunedPair {
  /** b. */
  readonly batchSize: number;
  /** η. */
  readonly learningRate: number;
}

/**
 * Which ρ two tuned pairs (b, η) imply: the one for which both have the same ρ_b/η, `lssr` inverted.
 *
 * With s = γ_{n,b}/b and k = η₂/η₁, ρ = (k s₂ − s₁)/((1 − s₁) − k(1 − s₂)).
 *
 * There is one only if η grows with b, and more slowly than by the linear rule, s₁/s₂. Far below the knee, b ≪ 1/ρ, the
 * rule is nearly linear for every ρ, and a small error of η is a large one of ρ: take pairs on both sides of it. That
 * two pairs imply a ρ does not prove that a third one goes with it.
 *
 * Cost: none.
 *
 * @param pairs Two, of different b.
 * @param n Examples.
 * @param options `replacement` (false): whether batches are drawn with replacement.
 * @throws BrinkError where a number is out of range, or no ρ in (0, 1] goes with both.
 * @example
 * rhoFromPairs([{ batchSize: 4, learningRate: 0.054 }, { batchSize: 64, learningRate: 0.39 }], 256); // 0.0254
 *
 * Source: Lee and Jang (2023), equation (17).
 */
export function rhoFromPairs(
  pairs: readonly [TunedPair, TunedPair],
  n: number,
  options: { readonly replacement?: boolean } = {},
): number {
  const who = 'rhoFromPairs';
  requireOptions(who, options, ['replacement'], '{ replacement: true }');
  const { replacement = false } = options;
  requireFlag(who, 'replacement', replacement);
  requireInteger(who, 'n', n, 1);
  requireList(who, 'pairs', pairs);
  if (pairs.length !== 2) throw new BrinkError(who, `there are ${pairs.length as number} pairs. Two make a ρ.`);
  for (const [i, pair] of pairs.entries()) {
    requireOptions(who, pair, ['batchSize', 'learningRate'], '{ batchSize: 32, learningRate: 0.1 }');
    requireInteger(who, `pairs[${i}].batchSize`, pair.batchSize, 1);
    requireNumber(who, `pairs[${i}].learningRate`, pair.learningRate, 0);
    if (pair.batchSize > n && !replacement) {
      throw new BrinkError(who, `pairs[${i}].batchSize is ${pair.batchSize}, but there are only ${n} examples.`);
    }
  }
  const [small, large] = pairs.toSorted((a, b) => a.batchSize - b.batchSize) as [TunedPair, TunedPair];
  if (small.batchSize === large.batchSize) {
    throw new BrinkError(who, `both pairs have b = ${small.batchSize}. Any ρ goes with one b; take two.`);
  }
  const [s1, s2] = [small, large].map(({ batchSize: b }) => samplingCoefficient(n, b, replacement) / b) as [
    number,
    number,
  ];
  const k = large.learningRate / small.learningRate;
  const linear = s1 / s2;
  if (!(k >= 1 && k < linear)) {
    throw new BrinkError(
      who,
      `from b = ${small.batchSize} to ${large.batchSize} the learning rate goes by a factor of ${k.toPrecision(4)}, and no ρ in (0, 1] ` +
        `goes with that: LSSR has 1 at ρ = 1 and ${linear.toPrecision(4)} as ρ → 0, the linear rule. ` +
        (k < 1 ? 'The pairs follow another rule, or their errors are large.' : 'Take a larger b, where it saturates.'),
    );
  }
  return (k * s2 - s1) / (1 - s1 - k * (1 - s2));
}

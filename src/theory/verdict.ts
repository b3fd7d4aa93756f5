/** What a verdict is given on. */
export interface EdgeState {
  readonly edge: number;
  readonly lambda1: number;
  /** λ₁ at the step probed before; null at the first. */
  readonly previousLambda1: number | null;
  /** How far the difference of both may be off. */
  readonly lambda1Error: number;
  /** tr(HS_b)/tr(S_n). */
  readonly interaction: number;
  /** Of `interaction`. */
  readonly standardError: number;
  /** tr(S_b). */
  readonly traceS: number;
  readonly fullBatch: boolean;
}

/** Where training stands, in words, and the rule that says so, with its numbers. */
export interface Verdict {
  readonly verdict: 'stationary' | 'unknown' | 'unstable' | 'at the edge' | 'progressive sharpening' | 'stable';
  readonly rule: string;
}

/**
 * The first rule that holds: stationary or unknown, unstable, at the edge, progressive sharpening, stable.
 *
 * Source: Lee and Jang (2023), equation (16): tr(HS_b)/tr(S_n) against the edge.
 */
export function verdict(
  { edge, lambda1, previousLambda1, lambda1Error, interaction, standardError, traceS, fullBatch }: EdgeState,
  margin: number,
): Verdict {
  if (Number.isNaN(interaction)) {
    return traceS === 0
      ? { verdict: 'stationary', rule: 'every gradient is 0: nothing moves, and tr(HS_b)/tr(S_n) has no value' }
      : {
          verdict: 'unknown',
          rule: 'tr(HS_b)/tr(S_n) has no value: the gradient is 0 or beyond float32, though batches move',
        };
  }
  if (Number.isNaN(edge)) {
    return { verdict: 'unknown', rule: 'there is no edge: the step says no learning rate, or no momentum' };
  }
  // At ∇L = 0 the ratio is infinite, and so is every error of it.
  const error = Number.isFinite(interaction) ? standardError : 0;
  const of = (x: number) => `${(x / edge).toFixed(3)} of the edge`;
  if (Number.isNaN(error)) {
    return {
      verdict: 'unknown',
      rule: `tr(HS_b)/tr(S_n) is ${of(interaction)}, and how far that is off is not known: all draws are the same`,
    };
  }
  if (interaction - 2 * error > edge * (1 + margin)) {
    return {
      verdict: 'unstable',
      rule: `tr(HS_b)/tr(S_n) is ${of(interaction)}, more than ${margin} above it by two standard errors`,
    };
  }
  if (interaction + 2 * error >= edge * (1 - margin)) {
    return {
      verdict: 'at the edge',
      rule: `tr(HS_b)/tr(S_n) is ${of(interaction)}, within ${margin} or two standard errors`,
    };
  }
  if (fullBatch && lambda1 >= edge) {
    return { verdict: 'at the edge', rule: `λ₁ is ${of(lambda1)}; the gradient has not turned towards q₁ yet` };
  }
  if (previousLambda1 !== null && lambda1 - previousLambda1 > lambda1Error) {
    return {
      verdict: 'progressive sharpening',
      rule:
        `λ₁ has risen by ${(lambda1 - previousLambda1).toPrecision(2)} to ${lambda1.toPrecision(4)}, and ` +
        `tr(HS_b)/tr(S_n) is ${of(interaction)}`,
    };
  }
  const then = previousLambda1 === null ? 'there is no λ₁ before it to compare' : 'λ₁ has not risen';
  return { verdict: 'stable', rule: `tr(HS_b)/tr(S_n) is ${of(interaction)}, and ${then}` };
}

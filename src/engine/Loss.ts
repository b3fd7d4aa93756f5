import type { Tensor } from '@tensorflow/tfjs';
import type { JsonObject } from '../core/Json.ts';

/** ℓ_i as a function of an example's outputs and its target. */
export interface Loss {
  /** 'crossEntropy', 'meanSquaredError', … */
  readonly name: string;
  /** The arguments that rebuild it. */
  readonly config: JsonObject;
  /** Whether targets must be shares: rows without a negative entry that sum to one. Default: they may be anything. */
  readonly targetsAreShares?: boolean;
  /** Whether outputs must be logits, without a softmax behind them: then shares are refused. Default: anything. */
  readonly outputsAreLogits?: boolean;
  /**
   * d, where ℓ(s f, s y) = s^d ℓ(f, y) for every s > 0, as 2 for a square: losses whose squares leave float32 are then
   * computed again from outputs and targets of another size. Default: there is none, and such losses are 0 or infinite.
   */
  readonly degree?: number;
  /** ℓ: outputs [B, C], targets [B, C] → [B]. */
  perExample(outputs: Tensor, targets: Tensor): Tensor;
}

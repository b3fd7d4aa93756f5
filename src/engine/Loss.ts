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
  /** ℓ: outputs [B, C], targets [B, C] → [B]. */
  perExample(outputs: Tensor, targets: Tensor): Tensor;
}

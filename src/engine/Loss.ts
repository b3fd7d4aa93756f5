import type { Tensor } from '@tensorflow/tfjs';
import type { JsonObject } from '../core/Json.ts';

/** ℓ_i as a function of an example's outputs and its target. */
export interface Loss {
  /** 'crossEntropy', 'meanSquaredError', … */
  readonly name: string;
  /** The arguments that rebuild it. */
  readonly config: JsonObject;
  /** ℓ: outputs [B, C], targets [B, C] → [B]. */
  perExample(outputs: Tensor, targets: Tensor): Tensor;
}

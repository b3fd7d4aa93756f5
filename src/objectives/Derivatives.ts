import type { JsonObject } from '../core/Json.ts';
import type { HessianProduct, LossAndGradient, Performance, Split } from '../core/Objective.ts';
import type { ParameterShape } from '../core/Parameters.ts';

/**
 * The mathematics of an objective, without memory: what one writes to add a kind of objective.
 *
 * A batch of null means all n examples. Every function may be asked at any θ.
 */
export interface Derivatives {
  /** The name in error messages. */
  readonly name: string;
  readonly paramCount: number;
  /** What θ is made of; default: not known. */
  readonly parameters?: readonly ParameterShape[];
  readonly exampleCount: number;
  readonly coupled: boolean;
  /** Whether `performance` has a test set to measure; default false. */
  readonly hasTest?: boolean;
  readonly metadata: JsonObject;
  initialWeights(seed: number): Float32Array;
  performance(weights: Float32Array, split: Split): Promise<Performance>;
  lossAndGradient(weights: Float32Array, batch: Int32Array | null): Promise<LossAndGradient>;
  hessianVector(weights: Float32Array, v: Float32Array, batch: Int32Array | null): Promise<HessianProduct>;
  weightedGradient(weights: Float32Array, u: Float64Array): Promise<Float32Array>;
  /** ‖g_i‖², [n], where they can be had for about one gradient. */
  exampleNormsSquared?(weights: Float32Array): Promise<Float64Array>;
}

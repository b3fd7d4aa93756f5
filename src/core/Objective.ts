import type { Account } from './Account.ts';
import type { Cost } from './Cost.ts';
import type { JsonObject } from './Json.ts';
import type { ParameterShape } from './Parameters.ts';

/** H v, and what came free with it. */
export interface HessianProduct {
  /** H v, flat [m]. */
  readonly product: Float32Array;
  /** g_iᵀv for every example, [n]; null where examples are coupled (batch normalisation). */
  readonly projections: Float64Array | null;
}

/** Loss and gradient from one pass. */
export interface LossAndGradient {
  /** The mean of ℓ_i over the examples of the pass. */
  readonly loss: number;
  /** Its gradient, flat [m]. */
  readonly gradient: Float32Array;
  /** ℓ_i, in the order of the examples of the pass; null where examples are coupled. */
  readonly exampleLosses: Float64Array | null;
  /** Share of examples whose largest output is their class; null where there are no classes. */
  readonly accuracy: number | null;
}

/** Loss and accuracy from a forward pass. */
export interface Performance {
  readonly loss: number;
  readonly accuracy: number | null;
  readonly exampleLosses: Float64Array | null;
}

/** Which examples a forward pass sees. */
export type Split = 'train' | 'test';

/**
 * L at one θ. Whatever is asked for twice is computed once: probes at one step share a point.
 *
 * Products run one at a time; each is finished once it has begun. What is handed in is copied at the call: it may be
 * filled anew right after.
 */
export interface Point {
  readonly objective: Objective;
  /** θ, flat [m]: a copy of what was handed in, so that it stays the point's when that array is filled anew. */
  readonly weights: Float32Array;
  /** L(θ). Free once `gradient` or `exampleLosses` is there. */
  loss(): Promise<number>;
  /** ∇L(θ), flat [m]: one gradient. */
  gradient(): Promise<Float32Array>;
  /** ℓ_i(θ), [n]: one forward pass, free after `gradient`. Rejects where examples are coupled. */
  exampleLosses(): Promise<Float64Array>;
  /** Loss and accuracy on a split: one forward pass; on 'train' free after `gradient`. */
  performance(split: Split): Promise<Performance>;
  /** H v with all g_iᵀv: about three gradients. Shared by callers that hand in the same array with the same numbers. */
  hessianVector(v: Float32Array): Promise<HessianProduct>;
  /** ‖g_i‖², [n]: about one gradient. Rejects where the objective has none, see `exampleNorms`. */
  exampleNormsSquared(): Promise<Float64Array>;
  /** Σ_i u_i g_i for u [n]: one gradient. Rejects where examples are coupled. */
  weightedGradient(u: Float64Array): Promise<Float32Array>;
  /** Loss and gradient of the mean over a batch: b/n gradients. */
  batchGradient(batch: Int32Array): Promise<LossAndGradient>;
  /** H_ξ v of the batch's own loss: about 3b/n gradients. */
  batchHessianVector(batch: Int32Array, v: Float32Array): Promise<Float32Array>;
  /** L at θ + scale·direction: a point of its own. */
  moved(direction: Float32Array, scale: number): Point;
  /** Computes once for each key (compared part by part with ===) and point: how probes share what they derive. */
  memo<T>(key: readonly unknown[], compute: () => Promise<T>): Promise<T>;
  /**
   * The same point, but every call rejects with the signal's reason once it is aborted, and what it makes is booked to
   * an account, if there is one.
   */
  until(signal: AbortSignal, account?: Account | null): Point;
}

/** A training loss L(θ) = (1/n) Σ ℓ_i(θ): what probes ask. */
export interface Objective {
  /** m. */
  readonly paramCount: number;
  /** What θ is made of, in its order: files of weights are read by it. Default: not known. */
  readonly parameters?: readonly ParameterShape[];
  /** n. */
  readonly exampleCount: number;
  /**
   * Whether one example's loss depends on the others (batch normalisation): then L belongs to a fixed partition of
   * the data.
   */
  readonly coupled: boolean;
  /** Whether `performance('test')` can be had. */
  readonly hasTest: boolean;
  /** Whether ‖g_i‖² can be had exactly for every example: it depends on the layers. */
  readonly exampleNorms: boolean;
  /** Everything that rebuilds it: model, data with checksum, loss, chunk, engine. */
  readonly metadata: JsonObject;
  /** Work done through this objective. */
  readonly cost: Readonly<Cost>;
  /** θ_0 for a seed. */
  initialWeights(seed: number): Float32Array;
  /**
   * L at what `weights` holds now; the same array with the same numbers gives the same point while it is the newest,
   * which alone keeps what it has computed. Cost: a copy of m numbers, and a comparison at each further call. Throws
   * on a wrong length.
   */
  at(weights: Float32Array): Point;
}

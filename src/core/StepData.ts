/**
 * One moment of training, as plain data: the weights θ_t, and the gradient that the update from here uses.
 *
 * Nothing in it belongs to the engine, so it may be held, buffered, delayed or serialised by any RxJS operator.
 */
export interface StepData {
  /** t, counted from 0. */
  readonly index: number;
  /** θ_t, flat [m]. Never written to after the step is emitted. */
  readonly weights: Float32Array;
  /**
   * The gradient that the update uses, flat [m]: of the batch, at θ_t + β₂ δ_{t−1}; for full-batch GD without
   * look-ahead it is ∇L(θ_t).
   */
  readonly gradient: Float32Array;
  /** The loss of the batch, where `gradient` was taken. */
  readonly batchLoss: number;
  /** The examples of the batch; null: all n. */
  readonly batch: Int32Array | null;
  /** b; NaN: unknown. */
  readonly batchSize: number;
  /** Whether a batch is drawn with replacement. */
  readonly replacement: boolean;
  /** η; NaN: unknown. */
  readonly learningRate: number;
  /** β₁ of generalized momentum; 0: none, NaN: unknown. */
  readonly beta1: number;
  /** β₂ of generalized momentum; 0: Polyak's, β₂ = β₁: Nesterov's; NaN: unknown. */
  readonly beta2: number;
  /** δ_{t−1}, flat [m]; null without momentum. */
  readonly velocity: Float32Array | null;
  /** t·b/n: passes over the data so far; NaN: unknown. */
  readonly epoch: number;
}

/**
 * One moment of training, as plain data: the weights θ_t, and the gradient that the update from here uses.
 *
 * Nothing in it belongs to the engine, so a step may be held, buffered, delayed or serialised by any RxJS operator.
 * A live and a replayed step are the same thing.
 */
export interface StepData {
  /** t, counted from 0. */
  readonly index: number;
  /** θ_t, flat [m]. Never written to after the step is emitted. */
  readonly weights: Float32Array;
  /** The gradient that the update uses, flat [m]: of the batch, at θ_t + β₂ δ_{t−1}; for full-batch GD without look-ahead it is ∇L(θ_t). */
  readonly gradient: Float32Array;
  /** The loss of the batch, where `gradient` was taken. */
  readonly batchLoss: number;
  /** The examples of the batch; null: all n. */
  readonly batch: Int32Array | null;
  /** b. */
  readonly batchSize: number;
  /** Whether a batch is drawn with replacement. */
  readonly replacement: boolean;
  /** η. */
  readonly learningRate: number;
  /** β₁ of generalized momentum; 0: none. */
  readonly beta1: number;
  /** β₂ of generalized momentum; 0: Polyak's, β₂ = β₁: Nesterov's. */
  readonly beta2: number;
  /** δ_{t−1}, flat [m]; null without momentum. */
  readonly velocity: Float32Array | null;
  /** t·b/n: passes over the data so far. */
  readonly epoch: number;
}

/** A step on its way through a pipeline: its data, and the one thing that holds its source back. */
export interface Step extends StepData {
  /**
   * Asks the source not to move on before `promise` has settled, as `waitUntil` of a web worker's extendable event does.
   *
   * A rejection counts as settled: whoever made the promise reports it. Once the source has moved on, a call does nothing.
   */
  waitUntil(promise: Promise<unknown>): void;
}

/** The two ends of a step: `step` goes down the stream, `settled` is what its source waits for. */
export interface OpenStep {
  readonly step: Step;
  /** Resolves when everything registered on the step has settled, also what was registered while waiting. */
  settled(): Promise<void>;
}

/** Makes a step from its data: what a source of your own calls before it emits. */
export function openStep(data: StepData): OpenStep {
  let pending: Promise<unknown>[] = [];
  return {
    step: {
      ...data,
      waitUntil: (promise) => {
        pending.push(promise);
      },
    },
    settled: async () => {
      while (pending.length > 0) {
        const now = pending;
        pending = [];
        await Promise.allSettled(now);
      }
    },
  };
}

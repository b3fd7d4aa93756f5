import type { JsonObject } from './Json.ts';

/** Examples as plain numbers, one after the other. */
export interface Examples {
  /** x_i, [count × entries of inputShape], each row-major. */
  readonly inputs: Float32Array;
  /** y_i, [count × outputCount]; one-hot for classes. */
  readonly targets: Float32Array;
  /** Class of each example; null for regression. */
  readonly labels: Uint8Array | Int32Array | null;
  readonly count: number;
}

/** What a model is trained and tested on. */
export interface Dataset {
  /** 'digits', 'cifar10', … */
  readonly name: string;
  /** Shape of one input: [64], or [32, 32, 3] (height, width, channels). */
  readonly inputShape: readonly number[];
  /** Entries of one target; for classes, how many there are. */
  readonly outputCount: number;
  /** Names of the classes, in the order of their labels; null for regression. */
  readonly classes: readonly string[] | null;
  readonly train: Examples;
  /** Null where none was asked for. */
  readonly test: Examples | null;
  /** Subset, normalisation, and SHA-256 of the source files and of the inputs as used. */
  readonly metadata: JsonObject;
}

import type { Initializer } from '../engine/Model.ts';

/** How a kernel is drawn, given the number of inputs that each of its outputs sums over. */
export type KernelInitializer = (fanIn: number) => Initializer;

/** W ~ N(0, scale²/fan_in). */
export const normal =
  (scale: number): KernelInitializer =>
  (fanIn) => ({ distribution: 'normal', scale: scale / Math.sqrt(fanIn) });

/**
 * W uniform on ±scale √(3/fan_in), so that its variance is scale²/fan_in too (He et al., 2015: scale = √2 for ReLU, 1
 * for linear).
 */
export const kaimingUniform =
  (scale: number): KernelInitializer =>
  (fanIn) => ({ distribution: 'uniform', scale: scale * Math.sqrt(3 / fanIn) });

import type { Point } from '../core/Objective.ts';
import { firstRise, type Rise } from '../linalg/firstRise.ts';
import { dot } from '../linalg/vector.ts';

/** A line from θ against a direction, and the loss on it. */
export interface DescentLine {
  /** dᵀ∇ of the loss at θ: how fast it falls at first. */
  readonly slope: number;
  /** dᵀHd, H that of the loss at θ. */
  readonly curvature: number;
  /** The loss at θ − αd, less that at θ. */
  change(alpha: number): Promise<number>;
}

/** How far to look for a critical step, and how exactly. */
export interface CriticalStepSettings {
  /** η, where the search begins if the line curves downwards. */
  readonly learningRate: number;
  /** As a share of the critical step. */
  readonly tolerance: number;
  /** How far to look, in units of where the search begins. */
  readonly limit: number;
}

/**
 * The smallest step down a line from which on the loss is above where it began; null where none is found. The search
 * begins at the root of the quadratic model, 2 slope/curvature.
 */
export function criticalStep(
  { slope, curvature, change }: DescentLine,
  { learningRate, tolerance, limit }: CriticalStepSettings,
): Promise<Rise> {
  const root = (2 * slope) / curvature;
  const start = root > 0 && Number.isFinite(root) ? root : learningRate;
  return firstRise(change, -slope, { start, tolerance, limit: limit * start });
}

/** L along −∇L. Cost: ∇L and H∇L (shared); a forward pass for each α, shared by probes that ask for the same one. */
export async function gradientLine(point: Point): Promise<DescentLine> {
  const gradient = await point.gradient();
  const { product } = await point.hessianVector(gradient);
  const loss = await point.loss();
  return {
    slope: dot(gradient, gradient),
    curvature: dot(gradient, product),
    change: (alpha) =>
      point.memo(['gradientLine', alpha], async () => (await point.moved(gradient, -alpha).loss()) - loss),
  };
}

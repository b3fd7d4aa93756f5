import { probes } from '../catalogue/probes.ts';
import { requireNames } from '../core/requireNames.ts';
import { throttleSteps } from '../operators/throttleSteps.ts';
import { toParquet } from '../tables/toParquet.ts';
import type { Branch } from './branches.ts';

/** How often a set measures. */
export interface SetOptions {
  /** What is dear is measured at every so many steps; what is cheap as its own line says. */
  readonly every?: number;
}

const NAMES = ['every'];

const branch =
  (every: number, name: string, options: Readonly<Record<string, unknown>> = {}): Branch =>
  (steps) =>
    steps.pipe(throttleSteps(every), probes[name]!(options), toParquet());

/**
 * Branches for a first look that costs next to nothing: `await run(steps, economy())`.
 *
 * `loss` at every step; `sharpness`, ‖H‖_{S_n} of the full batch, at every `every`-th. Cost: for full-batch descent one
 * product every `every`-th step, some 3/every of the training itself; for SGD a forward pass a step more.
 *
 * @param options `every` (10).
 * @throws BrinkError at the call for an option that there is not.
 */
export function economy(options: SetOptions = {}): Readonly<Record<'loss' | 'sharpness', Branch>> {
  requireNames('economy', options, NAMES);
  const { every = 10 } = options;
  return { loss: branch(1, 'trainingLoss'), sharpness: branch(every, 'interactionAwareSharpness') };
}

/**
 * Branches that show where training stands: those of `economy`, and λ₁ … λ₃ (`eigenvalues`), the verdict for the run's
 * own batch size (`edge`) and the cosines with q₁ (`alignment`), which share their eigenpairs.
 *
 * Cost: every `every`-th step some 6 products for the eigenpairs, and for SGD 16 products and gradients more for
 * `edge`.
 *
 * @param options `every` (10).
 * @throws BrinkError at the call for an option that there is not.
 */
export function business(
  options: SetOptions = {},
): Readonly<Record<'loss' | 'sharpness' | 'eigenvalues' | 'edge' | 'alignment', Branch>> {
  requireNames('business', options, NAMES);
  const { every = 10 } = options;
  return {
    ...economy(options),
    eigenvalues: branch(every, 'topEigenvalues', { count: 3 }),
    edge: branch(every, 'edge'),
    alignment: branch(every, 'alignment', { count: 3 }),
  };
}

/**
 * Branches that show everything that needs no choice of yours: those of `business`, the slice along the step
 * (`slices`) and the traces (`traces`), and ten times as seldom the whole spectrum (`spectrum`).
 *
 * Cost: every `every`-th step some 30 products and 13 forward passes more, every tenth of these times 160 products.
 *
 * @param options `every` (10).
 * @throws BrinkError at the call for an option that there is not.
 */
export function full(
  options: SetOptions = {},
): ReturnType<typeof business> & Readonly<Record<'slices' | 'traces' | 'spectrum', Branch>> {
  requireNames('full', options, NAMES);
  const { every = 10 } = options;
  return {
    ...business(options),
    slices: branch(every, 'lossSlice'),
    traces: branch(every, 'hessianTrace'),
    spectrum: branch(10 * every, 'spectralDensity'),
  };
}

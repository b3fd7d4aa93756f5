import type { OperatorFunction } from 'rxjs';
import { z } from 'zod';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import type { Table } from '../core/Table.ts';
import { alignment } from '../probes/alignment.ts';
import { batchSharpness } from '../probes/batchSharpness.ts';
import { edge } from '../probes/edge.ts';
import { expectedLossChange } from '../probes/expectedLossChange.ts';
import { gradientConcentration } from '../probes/gradientConcentration.ts';
import { hessianTrace } from '../probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../probes/interactionAwareSharpness.ts';
import { lossPlane } from '../probes/lossPlane.ts';
import { lossSlice } from '../probes/lossSlice.ts';
import { resultantLength } from '../probes/resultantLength.ts';
import { scalingRule } from '../probes/scalingRule.ts';
import { spectralDensity } from '../probes/spectralDensity.ts';
import { theoremOne } from '../probes/theoremOne.ts';
import { topEigenvalues } from '../probes/topEigenvalues.ts';
import { trainingLoss } from '../probes/trainingLoss.ts';

/** A probe as those know it who find it by its name. */
export interface CataloguedProbe {
  readonly table: Table;
  /** The names and types of its options; their ranges are the probe's own to check. */
  readonly options: z.ZodObject;
  /** What a step costs, word for word as in the probe's own documentation. */
  readonly cost: string;
  /** The probe. @throws ZodError for options of a wrong name or type, BrinkError for one out of its range. */
  open(objective: Objective, options: unknown): OperatorFunction<Step, object>;
}

type Probe = ((objective: Objective, options: never) => OperatorFunction<Step, object>) & { readonly table: Table };

type Options<P extends Probe> = NonNullable<Parameters<P>[1]>;

/** The options that a file or a command line can hold. */
type PlainOptions<O> = { [K in keyof O as NonNullable<O[K]> extends (...args: never[]) => unknown ? never : K]: O[K] };

/** A schema for each option, none left out. */
type Shape<O> = { readonly [K in keyof O]-?: z.ZodType<O[K]> };

function entry<P extends Probe>(
  probe: P,
  { cost, ...shape }: Shape<PlainOptions<Options<P>>> & { readonly cost: string },
): CataloguedProbe {
  const options = z.strictObject(shape);
  return {
    table: probe.table,
    options,
    cost,
    // The shape's type says that what it lets through are the probe's options.
    open: (objective, given) => probe(objective, options.parse(given) as never),
  };
}

const number = z.number().exactOptional();
const flag = z.boolean().exactOptional();
const numbers = z.array(z.number());
const estimator = z.enum(['examples', 'batches']).exactOptional();

/** Every probe by its name. A new one is enrolled by one line. */
export const catalogue: Readonly<Record<string, CataloguedProbe>> = {
  alignment: entry(alignment, {
    count: number,
    tolerance: number,
    cost: 'one gradient and the eigenpair, both shared with other probes that ask for the same.',
  }),
  batchSharpness: entry(batchSharpness, {
    batchSizes: numbers,
    replacement: flag,
    draws: number,
    seed: number,
    cost: 'for each b and draw b/n gradients and b/n products.',
  }),
  edge: entry(edge, {
    draws: number,
    deflate: number,
    margin: number,
    tolerance: number,
    seed: number,
    cost: 'the eigenpairs, H∇L; for b < n K gradients and products, shared with interactionAwareSharpness, and K·b/n of both.',
  }),
  expectedLossChange: entry(expectedLossChange, {
    batchSizes: numbers,
    replacement: flag,
    draws: number,
    seed: number,
    cost: 'for each b and draw b/n gradients, one forward pass and one product.',
  }),
  gradientConcentration: entry(gradientConcentration, {
    batchSizes: numbers.exactOptional(),
    replacement: flag,
    estimator,
    draws: number,
    seed: number,
    cost: "'examples' ∇L and one gradient more where it is exact, else K; 'batches' K·b/n gradients for each b. Draws are shared with interactionAwareSharpness.",
  }),
  hessianTrace: entry(hessianTrace, {
    draws: number,
    targetError: number,
    maxDraws: number,
    deflate: number,
    tolerance: number,
    seed: number,
    cost: 'K products and the eigenpairs, which are shared with other probes.',
  }),
  interactionAwareSharpness: entry(interactionAwareSharpness, {
    batchSizes: numbers.exactOptional(),
    replacement: flag,
    estimator,
    draws: number,
    targetError: number,
    maxDraws: number,
    deflate: number,
    tolerance: number,
    seed: number,
    cost: "H∇L, and with draws K: 'examples' K gradients, one more where the norms are exact, K products and the eigenpairs; 'batches' K products and K·b/n gradients for each b. Eigenpairs, draws and H∇L are shared with other probes.",
  }),
  lossPlane: entry(lossPlane, {
    coordinates: numbers,
    tolerance: number,
    cost: 'a forward pass for each of the coordinates² points; by default the eigenpair, shared with other probes; where q₂ is needed, a search for two.',
  }),
  lossSlice: entry(lossSlice, {
    alphas: numbers.exactOptional(),
    directional: numbers.exactOptional(),
    cost: 'H∇L (shared), one forward pass for each α, one product for each α of `directional`.',
  }),
  resultantLength: entry(resultantLength, {
    batchSizes: numbers,
    replacement: flag,
    draws: number,
    seed: number,
    cost: 'for each b, K·b/n gradients; 2 for b = 1 where it is exact.',
  }),
  scalingRule: entry(scalingRule, {
    batchSizes: numbers,
    draws: number,
    seed: number,
    cost: '∇L, and one gradient more where the layers give the norms of per-example gradients (nothing is drawn then), else K, shared with gradientConcentration and interactionAwareSharpness.',
  }),
  spectralDensity: entry(spectralDensity, {
    draws: number,
    steps: number,
    points: number,
    width: number,
    seed: number,
    cost: 'draws × steps products.',
  }),
  theoremOne: entry(theoremOne, {
    batchSizes: numbers,
    tails: numbers.exactOptional(),
    replacement: flag,
    draws: number,
    signDraws: number,
    tolerance: number,
    seed: number,
    cost: 'eigenpairs at both ends of H and the top one of C₁ (a product and a gradient each time), signDraws gradients and products, and for each b and draw b/n gradients and one forward pass.',
  }),
  topEigenvalues: entry(topEigenvalues, {
    count: number,
    grow: number,
    maxCount: number,
    smallest: number,
    tolerance: number,
    maxProducts: number,
    seed: number,
    cost: '`products` Hessian-vector products, about three gradients each: some 6 for three pairs at the edge.',
  }),
  trainingLoss: entry(trainingLoss, {
    test: flag,
    cost: 'for full-batch GD nothing, as its gradient brings the loss; else one forward pass over the training set. With `test`, one over the test set.',
  }),
};

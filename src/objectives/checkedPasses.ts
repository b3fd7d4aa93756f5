import { Content } from '../core/Content.ts';
import { BrinkError } from '../core/errors.ts';
import { requireVector } from '../core/given.ts';
import { Refills } from '../core/Refills.ts';
import type { Derivatives } from './Derivatives.ts';

type Passes = Pick<
  Derivatives,
  'performance' | 'lossAndGradient' | 'hessianVector' | 'weightedGradient' | 'exampleNormsSquared'
>;

/** The passes of an objective; each throws where the function that was handed in returned what can't be right. */
export function checkedPasses(derivatives: Derivatives): Passes {
  const { name, paramCount: m, exampleCount: n } = derivatives;
  const refills = new Refills<true>();

  function check(
    what: string,
    vector: Float32Array | Float64Array,
    length: number,
    kind: 'Float32Array' | 'Float64Array',
  ) {
    requireVector(name, `the ${what} that was returned`, vector, length, [kind]);
    // Answers are remembered: one array that is filled anew would change those before.
    if (refills.before(vector, true) instanceof Content) return;
    throw new BrinkError(
      name,
      `the ${what} that was returned lies in an array that was returned before, with other numbers in it. ` +
        'What was returned first has changed too; return a new array each time.',
    );
  }
  const checkLoss = (loss: number) => {
    if (typeof loss === 'number') return;
    throw new BrinkError(name, `the loss that was returned is of type ${typeof loss}. It must be a number.`);
  };

  const checkExampleLosses = (losses: Float64Array | null, count: number | null) => {
    if (losses !== null) requireVector(name, 'the ℓ_i that was returned', losses, count, ['Float64Array']);
  };

  return {
    performance: async (weights, split) => {
      const found = await derivatives.performance(weights, split);
      checkLoss(found.loss);
      checkExampleLosses(found.exampleLosses, split === 'train' ? n : null);
      return found;
    },
    lossAndGradient: async (weights, batch) => {
      const found = await derivatives.lossAndGradient(weights, batch);
      checkLoss(found.loss);
      check('gradient', found.gradient, m, 'Float32Array');
      checkExampleLosses(found.exampleLosses, batch?.length ?? n);
      return found;
    },
    hessianVector: async (weights, v, batch) => {
      const found = await derivatives.hessianVector(weights, v, batch);
      const { product, projections } = found;
      check('H v', product, m, 'Float32Array');
      // Of a batch nobody asks for them.
      if (batch === null && projections !== null) check('g_iᵀv', projections, n, 'Float64Array');
      return found;
    },
    weightedGradient: async (weights, u) => {
      const found = await derivatives.weightedGradient(weights, u);
      check('Σ u_i g_i', found, m, 'Float32Array');
      return found;
    },
    ...(derivatives.exampleNormsSquared && {
      exampleNormsSquared: async (weights) => {
        const found = await derivatives.exampleNormsSquared!(weights);
        check('‖g_i‖²', found, n, 'Float64Array');
        return found;
      },
    }),
  };
}

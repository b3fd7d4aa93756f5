import { from, lastValueFrom, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { hessianTrace } from '../../src/probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';

const step = (objective: Objective) => stepAt(objective.initialWeights(3), { learningRate: 0.1 }, { objective });

const PROBES = {
  hessianTrace: async (options: object) => {
    const objective = regression();
    const [row] = await lastValueFrom(
      from([step(objective)]).pipe(hessianTrace({ deflate: 0, ...options }), toArray()),
    );
    const errors = [row!.trace_H_standard_error / row!.trace_H, row!.trace_H2_standard_error / row!.trace_H2];
    return { draws: row!.draws, error: Math.max(...errors), products: objective.cost.products };
  },
  interactionAwareSharpness: async (options: object) => {
    const objective = regression();
    const probe = interactionAwareSharpness({ batchSizes: [1, 3], deflate: 0, ...options });
    const rows = await lastValueFrom(from([step(objective)]).pipe(probe, toArray()));
    const errors = rows.map((row) => row.ias_standard_error / Math.abs(row.ias));
    // One product is H∇L.
    return { draws: rows[0]!.draws, error: Math.max(...errors), products: objective.cost.products - 1 };
  },
};

it.each(Object.entries(PROBES))(
  '%s draws twice as often until its standard error is small enough',
  async (_, measured) => {
    const first = await measured({ draws: 4 });
    expect(first).toMatchObject({ draws: 4, products: 4 });
    const targetError = first.error / 4;
    const last = await measured({ draws: 4, targetError, maxDraws: 4096 });
    expect(last.error).toBeLessThanOrEqual(targetError);
    expect(Math.log2(last.draws / 4) % 1).toBe(0);
    expect((await measured({ draws: last.draws / 2 })).error).toBeGreaterThan(targetError);
    expect(last.products, 'no draw is made twice').toBe(last.draws);
  },
);

it.each(Object.entries(PROBES))('%s stops at the most draws that it may take', async (_, measured) => {
  expect(await measured({ draws: 4, targetError: 1e-9, maxDraws: 11 })).toMatchObject({ draws: 11, products: 11 });
});

it('refuses a target that is no share, and a limit below the draws to begin with', () => {
  for (const targetError of [0, -1, Number.NaN]) {
    expect(() => hessianTrace({ targetError })).toThrow(`targetError is ${targetError}`);
  }
  expect(() => hessianTrace({ draws: 8, maxDraws: 7 })).toThrow('maxDraws is 7');
});

import { lastValueFrom, type OperatorFunction, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import type { Step } from '../../src/core/Step.ts';
import type { StepData } from '../../src/core/StepData.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { dot, mean } from '../../src/linalg/vector.ts';
import { quadratic, toy } from '../../src/objectives/quadratic.ts';
import { criticalSharpness } from '../../src/probes/criticalSharpness.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { lossSlice } from '../../src/probes/lossSlice.ts';
import { sliceMinimum } from '../../src/probes/sliceMinimum.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { curvedRegression } from '../helpers/curvedRegression.ts';
import { everyBatch } from '../helpers/everyBatch.ts';
import { perExampleQuadratics } from '../helpers/perExampleQuadratics.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';

type Options = Parameters<typeof criticalSharpness>[0];
async function critical(
  objective: Objective,
  weights: Float32Array,
  options: Options = {},
  more: Partial<StepData> = {},
) {
  const step = stepAt(weights, { learningRate: 0.1, batchSize: objective.exampleCount, ...more }, { objective });
  const [row] = await lastValueFrom(of(step).pipe(criticalSharpness(options), toArray()));
  return row!;
}

describe('critical sharpness', () => {
  it('is the interaction-aware sharpness of the full batch where the loss is quadratic, all along a run', async () => {
    const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 40, initialWeights: [3, 0.1] });
    const rows = await lastValueFrom(steps.pipe(criticalSharpness({ tolerance: 1e-3 }), toArray()));
    const sharpness = await lastValueFrom(steps.pipe(interactionAwareSharpness(), toArray()));
    expect(rows).toHaveLength(41);
    for (const [t, row] of rows.entries()) {
      expect(Math.abs(row.critical_sharpness! / sharpness[t]!.ias - 1)).toBeLessThan(1e-3);
      expect(row.quadratic_sharpness).toBeCloseTo(sharpness[t]!.ias, 9);
      expect(Math.abs(row.gap!)).toBeLessThan(1e-3 * sharpness[t]!.ias);
      expect(row.critical_sharpness! * row.critical_step!).toBeCloseTo(2, 12);
      expect(row.evaluations).toBeLessThanOrEqual(3);
    }
  });

  it('is where the loss has come back, and the gap says how much sooner than on the quadratic', async () => {
    for (const c of [-0.3, -0.1, 0.1, 0.4]) {
      const objective = curvedRegression(c);
      const weights = objective.initialWeights(1);
      const row = await critical(objective, weights, { tolerance: 1e-3 });
      const point = objective.at(weights);
      const gradient = await point.gradient();
      const change = async (eta: number) => (await point.moved(gradient, -eta).loss()) - (await point.loss());
      expect(await change(row.critical_step! * 1.001)).toBeGreaterThan(0);
      expect(await change(row.critical_step! * 0.999)).toBeLessThan(0);
      expect(await change(row.critical_step! / 2)).toBeLessThan(0);
      // Of the sign of the third derivative along −∇L: L(θ − η∇L) has (2/η_c) − ‖H‖ = −(η_c/3) ∇³L(∇L,∇L,∇L)/‖∇L‖².
      const third =
        ((await change(row.critical_step!)) +
          row.critical_step! * dot(gradient, gradient) -
          (row.critical_step! ** 2 / 2) * row.quadratic_sharpness * dot(gradient, gradient)) /
        dot(gradient, gradient);
      expect(Math.abs(row.gap!)).toBeGreaterThan(1e-2);
      expect(row.gap! / ((2 * third) / row.critical_step! ** 2)).toBeCloseTo(1, 2);
      expect(row.evaluations).toBeLessThanOrEqual(9);
    }
  });

  it('along batches gives tr(HS_b)/tr(S_n) as a ratio of means on the training loss', async () => {
    const objective = regression(7, 5);
    const weights = objective.initialWeights(1);
    const point = objective.at(weights);
    const gradient = await point.gradient();
    const [rows, traces] = [[] as Awaited<ReturnType<typeof critical>>[], [] as number[]];
    for (const batch of everyBatch(7, 4, false)) {
      const given = { batch: Int32Array.from(batch), batchSize: 4 };
      rows.push(await critical(objective, weights, { direction: 'batch', tolerance: 1e-4 }, given));
      const g = (await point.batchGradient(given.batch)).gradient;
      traces.push(dot(g, (await point.hessianVector(g)).product));
    }
    // Every batch leads downhill here.
    expect(Math.min(...rows.map(({ slope }) => slope))).toBeGreaterThan(0);
    const ratio = mean(rows.map((row) => row.slope * row.critical_sharpness!)) / mean(rows.map(({ slope }) => slope));
    expect(ratio / (mean(traces) / dot(gradient, gradient))).toBeCloseTo(1, 3);
  });

  it("along batches gives the batch sharpness as a mean on the batch's own loss", async () => {
    const objective = regression(6, 5);
    const weights = objective.initialWeights(2);
    const point = objective.at(weights);
    const [found, expected] = [[] as number[], [] as number[]];
    for (const batch of everyBatch(6, 2, false)) {
      const given = { batch: Int32Array.from(batch), batchSize: 2 };
      const options = { direction: 'batch', loss: 'batch', tolerance: 1e-4 } as const;
      found.push((await critical(objective, weights, options, given)).critical_sharpness!);
      const g = (await point.batchGradient(given.batch)).gradient;
      expected.push(dot(g, await point.batchHessianVector(given.batch, g)) / dot(g, g));
    }
    expect(mean(found) / mean(expected)).toBeCloseTo(1, 3);
  });

  it('is null where the loss never rises, and where the batch leads upwards', async () => {
    const falling = await critical(quadratic({ A: [[-1]] }), Float32Array.of(1), { limit: 8 });
    expect(falling).toMatchObject({ critical_sharpness: null, critical_step: null, gap: null, evaluations: 4 });
    const against = perExampleQuadratics([
      { A: [[1]], b: [3] },
      { A: [[1]], b: [-1] },
    ]);
    const uphill = { batch: Int32Array.of(1), batchSize: 1 };
    const row = await critical(against, Float32Array.of(0), { direction: 'batch' }, uphill);
    expect(row).toMatchObject({ critical_sharpness: null, slope: -1, evaluations: 0 });
    // The batch's own loss does fall.
    const own = await critical(against, Float32Array.of(0), { direction: 'batch', loss: 'batch' }, uphill);
    expect(own.critical_sharpness).toBeCloseTo(1, 5);
  });

  it('of the whole batch is that of the gradient', async () => {
    const objective = curvedRegression(0.2);
    const weights = objective.initialWeights(1);
    const whole = await critical(objective, weights, { direction: 'batch', loss: 'batch' });
    expect(whole).toEqual(await critical(objective, weights));
  });

  it("refuses the batch's own loss along the gradient, and a step that does not name its batch", async () => {
    expect(() => criticalSharpness({ loss: 'batch' })).toThrow(
      "criticalSharpness: loss is 'batch' and direction 'gradient'.",
    );
    const unnamed = critical(regression(), regression().initialWeights(0), { direction: 'batch' }, { batchSize: 3 });
    await expect(unnamed).rejects.toThrow('step 0 does not say which 3 of 12 examples its batch has.');
  });

  it('shares its forward passes with the minimum of the slice', async () => {
    const costOf = async (...probes: OperatorFunction<Step, object>[]) => {
      const objective = curvedRegression(0.3);
      const step = stepAt(objective.initialWeights(1), {}, { objective });
      for (const probe of probes) await lastValueFrom(of(step).pipe(probe));
      return objective.cost;
    };
    const both = await costOf(criticalSharpness(), sliceMinimum());
    expect(both).toEqual(await costOf(sliceMinimum()));
    expect(both).toMatchObject({ gradients: 1, products: 1 });
  });
});

describe('the minimum of the slice', () => {
  const at = async (c: number, options: Parameters<typeof sliceMinimum>[0] = {}) => {
    const objective = curvedRegression(c);
    const step = stepAt(objective.initialWeights(1), { learningRate: 0.05 }, { objective });
    return (await lastValueFrom(of(step).pipe(sliceMinimum(options), toArray())))[0]!;
  };

  it('is that of the quadratic where the loss is one', async () => {
    const row = await at(0, { tolerance: 1e-3 });
    expect(row.shift).toBeCloseTo(1, 2);
    expect(row.minimum_shift).toBeCloseTo(1, 2);
    expect(row.alpha_min! / (row.alpha_zero_quadratic! / 2)).toBeCloseTo(row.minimum_shift!, 9);
  });

  it('is where a fine slice has it', async () => {
    const objective = curvedRegression(0.4);
    const step = stepAt(objective.initialWeights(1), { learningRate: 0.05 }, { objective });
    const row = await at(0.4);
    const alphas = Array.from({ length: 400 }, (_, k) => ((k + 1) / 350) * row.alpha_zero!);
    const slice = await lastValueFrom(of(step).pipe(lossSlice({ alphas, directional: [] }), toArray()));
    const least = slice.reduce((a, b) => (b.loss_change < a.loss_change ? b : a));
    expect(Math.abs(least.alpha / row.alpha_min! - 1)).toBeLessThan(0.02);
    expect(row.least_change! / least.loss_change).toBeCloseTo(1, 3);
    const zero = slice.find((point) => point.loss_change > 0)!;
    expect(Math.abs(zero.alpha / row.alpha_zero! - 1)).toBeLessThan(0.015);
  });

  it('moves right where the valley flattens ahead, and left where it steepens', async () => {
    const [y, x] = normals(generator(7), 2) as unknown as [number, number];
    const shifts = async (c: number) => {
      // One example at r = 1, which the step takes to lower r: the curvature there is 1 + c r.
      const step = stepAt(Float32Array.of((1 + y) / x), {}, { objective: curvedRegression(c, 1, 1) });
      const [row] = await lastValueFrom(of(step).pipe(sliceMinimum(), toArray()));
      return [row!.shift!, row!.minimum_shift!];
    };
    for (const shift of await shifts(0.3)) expect(shift).toBeGreaterThan(1.1);
    for (const shift of await shifts(-0.3)) expect(shift).toBeLessThan(0.9);
  });

  it('is null where the loss falls for ever', async () => {
    const step = stepAt(Float32Array.of(1), {}, { objective: quadratic({ A: [[-1]] }) });
    const [row] = await lastValueFrom(of(step).pipe(sliceMinimum(), toArray()));
    expect(row).toMatchObject({ alpha_min: null, alpha_zero: null, alpha_zero_quadratic: null, shift: null });
  });
});

describe('a slice relative to the root of the quadratic', () => {
  it('lies on one parabola at every step of a quadratic, whatever η', async () => {
    for (const learningRate of [0.01, 2 / 32]) {
      const steps = gradientDescent(toy(), { learningRate, steps: 5, initialWeights: [3, 0.1] });
      const probe = lossSlice({ alphas: [0.25, 0.5, 1], directional: [], relative: true });
      const rows = await lastValueFrom(steps.pipe(probe, toArray()));
      expect(rows).toHaveLength(18);
      for (let t = 0; t < 18; t += 3) {
        const [quarter, half, root] = rows.slice(t, t + 3);
        expect([quarter!.alpha, half!.alpha, root!.alpha]).toEqual([0.25, 0.5, 1]);
        expect(quarter!.loss_change / half!.loss_change).toBeCloseTo(0.75, 4);
        expect(Math.abs(root!.loss_change / half!.loss_change)).toBeLessThan(1e-4);
        expect(half!.quadratic_change / half!.loss_change).toBeCloseTo(1, 4);
      }
    }
  });

  it('has no rows where the quadratic curves downwards', async () => {
    const step = stepAt(Float32Array.of(1), {}, { objective: quadratic({ A: [[-1]] }) });
    expect(await lastValueFrom(of(step).pipe(lossSlice({ relative: true }), toArray()))).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { sizeOf } from '../../src/core/Parameters.ts';
import { chebyshev } from '../../src/datasets/chebyshev.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { mlp } from '../../src/models/mlp.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const reference = JSON.parse(readFileSync(new URL('../../fixtures/chebyshev.json', import.meta.url), 'utf8'));

/** Mulberry32, the 32-bit generator with which the trajectory's initial weights are defined. */
function* mulberry32(state: number): Generator<number, never> {
  for (;;) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    yield ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

const model = mlp({ inputs: 1, hidden: [30, 20], outputs: 1, activation: 'tanh' });

/** W ~ N(0, 1/fan_in), drawn row by row over [out, in]; biases 0. */
function initialWeights(): Float32Array {
  const random = mulberry32(0);
  const draw = () => Math.sqrt(-2 * Math.log(random.next().value)) * Math.cos(2 * Math.PI * random.next().value);
  return Float32Array.from(
    model.parameters.flatMap((parameter) => {
      const values = new Array<number>(sizeOf(parameter)).fill(0);
      const [inputs, outputs] = parameter.shape;
      if (outputs === undefined) return values;
      for (let o = 0; o < outputs; o++)
        for (let i = 0; i < inputs!; i++) values[i * outputs + o] = draw() / Math.sqrt(inputs!);
      return values;
    }),
  );
}

it('gradient descent on the Chebyshev task keeps to the double-precision trajectory for 300 steps, and then passes the edge', async () => {
  const objective = await empiricalRisk({ model, data: chebyshev(), loss: meanSquaredError });
  expect(objective.paramCount).toBe(701);
  const steps = gradientDescent(objective, {
    learningRate: reference.eta,
    steps: 420,
    initialWeights: initialWeights(),
  });

  const first = await firstValueFrom(steps.pipe(interactionAwareSharpness({ batchSizes: [1, 20] })));
  expect(first.trace_S_n).toBeCloseTo(0.2991130647, 6);
  expect(first.trace_S_b).toBeCloseTo(6.104996521, 5);
  expect(first.trace_S_b_standard_error).toBe(0);
  const [, full] = await lastValueFrom(
    gradientDescent(objective, { learningRate: reference.eta, steps: 0, initialWeights: initialWeights() }).pipe(
      interactionAwareSharpness({ batchSizes: [1, 20] }),
      toArray(),
    ),
  );
  expect(full!.ias).toBeCloseTo(6.79443409, 5);

  const rows = await lastValueFrom(steps.pipe(throttleSteps(10), topEigenvalues(), toArray()));
  const losses = await lastValueFrom(steps.pipe(throttleSteps(10), toArray()));
  for (const [k, { step, loss, lambda_1 }] of reference.rows.entries()) {
    expect(rows[k]!.step).toBe(step);
    expect(Math.abs(rows[k]!.lambda_1 / lambda_1 - 1), `λ₁ at step ${step}`).toBeLessThan(1e-4);
    expect(Math.abs(losses[k]!.batchLoss / loss - 1), `loss at step ${step}`).toBeLessThan(1e-4);
  }
  // In double precision λ₁ passes 2/η = 10 at step 382.
  expect(rows.find((row) => row.lambda_1 > row.edge)!.step).toBeGreaterThan(370);
  expect(rows.find((row) => row.lambda_1 > row.edge)!.step).toBeLessThan(400);
});

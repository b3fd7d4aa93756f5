import { firstValueFrom, from, lastValueFrom, type OperatorFunction, toArray } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Objective, Point } from '../src/core/Objective.ts';
import type { Step } from '../src/core/Step.ts';
import { installedBuild } from '../src/engine/install/nativeBuild.ts';
import { estimateRatio, outsidePairs, signWeights } from '../src/estimators/gradientNoise.ts';
import { hessianEigenpairs } from '../src/estimators/hessianEigenpairs.ts';
import { ofExamples } from '../src/estimators/secondMoments.ts';
import type { Eigenpairs } from '../src/linalg/eigenpairs.ts';
import { covariance, dot, mean, norm, rescale } from '../src/linalg/vector.ts';
import { leastSquares } from '../src/objectives/leastSquares.ts';
import { quadratic } from '../src/objectives/quadratic.ts';
import { alignment } from '../src/probes/alignment.ts';
import { gradientConcentration } from '../src/probes/gradientConcentration.ts';
import { hessianTrace } from '../src/probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../src/probes/interactionAwareSharpness.ts';
import { lossSlice } from '../src/probes/lossSlice.ts';
import { resultantLength } from '../src/probes/resultantLength.ts';
import { theoremOne } from '../src/probes/theoremOne.ts';
import { topEigenvalues } from '../src/probes/topEigenvalues.ts';
import { samplingCoefficient } from '../src/theory/samplingCoefficient.ts';
import { gradientDescent } from '../src/training/gradientDescent.ts';
import { everything } from './helpers/everything.ts';
import {
  Comparison,
  openProblem,
  problemNames,
  readArray,
  readJson,
  readObserved,
  type Value,
} from './helpers/referenceProblem.ts';
import { stepAt } from './helpers/stepAt.ts';

const problems = problemNames.map((name) => ({ name, problem: readJson(name) }));
const all = (n: number) => Int32Array.from({ length: n }, (_, i) => i);

describe.each(problems.filter(({ problem }) => 'alpha' in problem))('$name: the toy quadratic', ({ problem }) => {
  it.each([problem.gd, ...problem.momentum])(
    'follows gradient descent with β₁ = $beta_1, β₂ = $beta_2',
    async (run: Value) => {
      const objective = quadratic({
        A: [
          [2, 0],
          [0, 32 * problem.alpha],
        ],
      });
      const steps = await lastValueFrom(
        gradientDescent(objective, {
          learningRate: problem.eta,
          steps: problem.steps,
          initialWeights: Float32Array.from(problem.start),
          beta1: run.beta_1,
          beta2: run.beta_2,
        }).pipe(toArray()),
      );
      const replayed = steps.map((step) => stepAt(step.weights, step, { objective }));
      const rows = <R>(probe: OperatorFunction<Step, R>) => lastValueFrom(from(replayed).pipe(probe, toArray()));
      const aligned = await rows(alignment({ tolerance: 1e-9 }));
      const eigen = await rows(topEigenvalues({ tolerance: 1e-9 }));
      const sharp = await rows(interactionAwareSharpness());
      const losses = await Promise.all(steps.map((step) => objective.at(step.weights).loss()));

      // Each step rounds once: errors grow with the number of steps, relative to the largest value of the column.
      const close = { relative: problem.steps * 2 ** -23 };
      const compared = new Comparison(run, null);
      compared.same(
        '/step',
        steps.map((s) => s.index),
      );
      compared.near(
        '/theta',
        steps.flatMap((s) => [...s.weights]),
        close,
      );
      compared.near('/loss', losses, close);
      compared.near(
        '/lambda_1',
        eigen.map((r) => r.lambda_1),
        close,
      );
      compared.near('/edge', eigen[0]!.edge, close);
      compared.near(
        '/ias',
        sharp.map((r) => r.ias),
        close,
      );
      compared.near(
        '/cos_q1_gradient',
        aligned.map((r) => r.cos_q1_gradient),
        close,
      );
      compared.near(
        '/abs_q1_gradient',
        aligned.map((r) => r.abs_q1_gradient),
        close,
      );
      compared.near(
        '/one_minus_cos_q1_gradient',
        aligned.map((r) => 1 - r.cos_q1_gradient),
        close,
      );
      compared.near(
        '/lambda_1_minus_ias',
        eigen.map((r, t) => r.lambda_1 - sharp[t]!.ias),
        close,
      );
      // Step t + 1 carries δ_t; the last δ of the file leads out of the run.
      const deltas = steps
        .slice(1)
        .map((step, t) => step.velocity ?? step.weights.map((w, k) => w - steps[t]!.weights[k]!));
      compared.near(
        '/delta',
        deltas.flatMap((d) => [...d]),
        { ...close, expected: run.delta.slice(0, -1) },
      );
      compared.near(
        '/abs_q1_delta',
        deltas.map((d) => Math.abs(d[1]!)),
        { ...close, expected: run.abs_q1_delta.slice(0, -1) },
      );
      if (run.beta_1 !== 0) {
        compared.near(
          '/cos_q1_delta',
          aligned.slice(1).map((r) => r.cos_q1_velocity!),
          { ...close, expected: run.cos_q1_delta.slice(0, -1) },
        );
      } else {
        expect(aligned.every((r) => r.cos_q1_velocity === null)).toBe(true);
        compared.near(
          '/cos_q1_delta',
          deltas.map((d) => Math.abs(d[1]!) / norm(d)),
          { ...close, expected: run.cos_q1_delta.slice(0, -1) },
        );
      }
      compared.same('/above_edge', eigen[0]!.lambda_1 > eigen[0]!.edge);
      compared.complete({
        '/beta_1': 'input',
        '/beta_2': 'input',
        '/root_moduli_lambda_2_then_lambda_1': 'a property of the recursion, not a quantity that brink measures',
        '/growth_rate_c': 'a property of the recursion, not a quantity that brink measures',
      });
    },
  );
});

const isSecond = process.env.BRINK_ENGINE === 'wasm' && (installedBuild('cpu') ?? installedBuild('cuda'));
const networks = problems
  .filter(({ problem }) => 'layout' in problem)
  .flatMap(({ name, problem }) => ['init', 'trained'].map((state) => ({ name, problem, state })))
  // A convolution takes minutes.
  .filter(({ name, state }) => everything || name === 'a2-mlp' || (state === 'trained' && !isSecond));

describe.each(networks)('$name at the $state point', ({ name, problem, state }) => {
  const values = problem[state];
  const compared = new Comparison(values, readObserved(name)?.[state] ?? null);
  const n: number = problem.n;
  const eta: number = values.eta;
  let objective: Objective;
  let point: Point;
  let weights: Float32Array;
  let gradient: Float32Array;
  let Hg: Float32Array;
  let pairs: Eigenpairs;
  const row = <R>(probe: OperatorFunction<Step, R>) =>
    lastValueFrom(from([stepAt(weights, { learningRate: eta }, { objective })]).pipe(probe, toArray()));

  beforeAll(async () => {
    objective = await openProblem(problem);
    weights = readArray(values.parameters) as Float32Array;
    point = objective.at(weights);
    gradient = await point.gradient();
    Hg = (await point.hessianVector(gradient)).product;
    const count = values.eigenvalues_top.length;
    pairs = await hessianEigenpairs(point, { who: 'test', count, tolerance: 3e-5, maxProducts: 400, seed: 0 }, null);
  });

  it('has the loss, the gradient and the losses of single examples', async () => {
    compared.near('/loss', await point.loss());
    compared.near('/gradient', gradient, { expected: readArray(values.gradient) });
    compared.near('/gradient_norm', norm(gradient));
    compared.near('/trace_S_n', dot(gradient, gradient));
    compared.near('/per_example_losses', await point.exampleLosses());
    const next = await point.moved(gradient, -eta).gradient();
    compared.near('/cos_gradient_next_gradient', dot(gradient, next) / (norm(gradient) * norm(next)));
  });

  it('multiplies with the Hessian', async () => {
    const v = Float32Array.from(weights, (_, k) => Math.cos(k + 1));
    const { product } = await point.hessianVector(v);
    compared.near('/hvp_check/product', product, { expected: readArray(values.hvp_check.product) });
    compared.near('/hvp_check/v_H_v', dot(v, product));
    compared.near('/hvp_check/norm_Hv', norm(product));
    compared.near('/hvp_check/last_8', product.slice(-8));
    compared.near('/H_gradient_norm', norm(Hg));
    compared.near('/g_H_g', dot(gradient, Hg));
  });

  it('finds the eigenvalues at both ends and the sharpest direction', async () => {
    const bottom = values.eigenvalues_bottom.length;
    const [eigen] = await row(
      topEigenvalues({
        count: values.eigenvalues_top.length,
        smallest: bottom,
        tolerance: 1e-5,
        maxProducts: 400,
      }),
    );
    expect(eigen!.converged).toBe(true);
    compared.near('/eigenvalues_top', eigen!.eigenvalues);
    compared.near('/lambda_1', eigen!.lambda_1);
    compared.near('/eigenvalues_bottom', Array.from(eigen!.smallest_eigenvalues).reverse());
    compared.near('/two_over_eta', eigen!.edge);
    const q1 = pairs.pairs[0]!;
    compared.near('/q1', q1.vector, { expected: readArray(values.q1), absolute: 1e-4 });
    compared.near('/g_q1_first_10', q1.projections!.slice(0, 10), { relative: 1e-4 });
    compared.near(
      '/projection_variance_q1_to_q10',
      pairs.pairs.map((p) => covariance(p.projections!, p.projections!)),
      { relative: 1e-4 },
    );
  });

  it('sees the gradient against the sharpest direction', async () => {
    const [aligned] = await row(alignment({ tolerance: 1e-6 }));
    // Where the cosine is tiny it is a cancellation: what counts is its error against 1.
    compared.near('/cos_q1_gradient', aligned!.cos_q1_gradient, { absolute: 1e-5 });
    compared.near('/abs_q1_gradient', aligned!.abs_q1_gradient, { absolute: 1e-5 * norm(gradient) });
  });

  it('slices the loss along the gradient', async () => {
    const alphas = compared.at('/slice/alpha');
    const directional = compared.at('/directional_sharpness/alpha');
    const rows = await row(lossSlice({ alphas, directional }));
    const at = (alpha: number) => rows.find((r) => r.alpha === alpha)!;
    compared.same(
      '/slice/alpha',
      alphas.map((a: number) => at(a).alpha),
    );
    compared.near(
      '/slice/loss',
      alphas.map((a: number) => at(a).loss),
    );
    compared.near(
      '/slice/loss_change',
      alphas.map((a: number) => at(a).loss_change),
    );
    compared.near(
      '/slice/quadratic_change',
      alphas.map((a: number) => at(a).quadratic_change),
    );
    compared.same('/directional_sharpness/alpha', directional);
    compared.near(
      '/directional_sharpness/sharpness',
      directional.map((a: number) => at(a).directional_sharpness!),
    );
  });

  it('has every batch size right once the traces are exact, and within its error where they are drawn', async () => {
    const gradients: Float32Array[] = [];
    let traceS1 = 0;
    let traceHS1 = 0;
    const resultant = new Float64Array(weights.length);
    for (const i of all(n)) {
      const { gradient: g } = await point.batchGradient(Int32Array.of(i));
      gradients.push(g);
      traceS1 += dot(g, g) / n;
      traceHS1 += dot(g, (await point.hessianVector(g)).product) / n;
      const length = norm(g);
      g.forEach((x, k) => {
        resultant[k]! += x / length / n;
      });
    }
    const [gg, gHg] = [dot(gradient, gradient), dot(gradient, Hg)];
    compared.near('/per_example_gradient_norms', gradients.map(norm));
    compared.near('/per_example_gradient_norms', (await point.exampleNormsSquared()).map(Math.sqrt));
    compared.near('/trace_S_1', traceS1);
    compared.near('/trace_C_1', traceS1 - gg);
    compared.near('/trace_H_S_1', traceHS1);
    compared.near('/trace_H_C_1', traceHS1 - gHg);
    compared.near('/resultant_length_squared_b1', dot(resultant, resultant));
    const [single] = await row(resultantLength({ batchSizes: [1] }));
    expect(single!.draws).toBe(0);
    compared.near('/resultant_length_squared_b1', single!.resultant_length_squared);
    const v = Float32Array.from(gradient, (g, k) => g - eta * Hg[k]!);
    const { projections } = await point.hessianVector(v);
    compared.near('/v_C1_v', covariance(projections!, projections!));

    const sizes: { batch_size: number; replacement: boolean }[] = values.by_batch_size;
    const none = new Float64Array(2);
    const exact = { within: { trace: traceS1 - gg, traceH: traceHS1 - gHg }, trace: none, traceH: none };
    const moments = sizes.map(({ batch_size: b, replacement }) => {
      const share = samplingCoefficient(n, b, replacement) / b;
      return ofExamples({ traceS: gg, traceHS: gHg }, exact, share).exact;
    });
    const rho = moments.map(({ traceS }) => gg / traceS);
    compared.same(
      '/by_batch_size/batch_size',
      sizes.map((s) => s.batch_size),
    );
    compared.same(
      '/by_batch_size/replacement',
      sizes.map((s) => s.replacement),
    );
    compared.near(
      '/by_batch_size/sampling_coefficient',
      sizes.map((s) => samplingCoefficient(n, s.batch_size, s.replacement)),
    );
    compared.near(
      '/by_batch_size/trace_S_b',
      moments.map((m) => m.traceS),
    );
    compared.near(
      '/by_batch_size/trace_H_S_b',
      moments.map((m) => m.traceHS),
    );
    compared.near(
      '/by_batch_size/ias',
      moments.map((m) => m.traceHS / m.traceS),
    );
    compared.near('/by_batch_size/rho', rho);
    compared.near('/rho_1', gg / traceS1);
    compared.near(
      '/by_batch_size/rho_by_17',
      sizes.map(({ batch_size: b, replacement }) => {
        const share = samplingCoefficient(n, b, replacement) / b;
        return 1 / (share / (gg / traceS1) + 1 - share);
      }),
    );
    compared.near(
      '/by_batch_size/two_rho_over_eta',
      rho.map((r) => (2 * r) / eta),
    );
    compared.near(
      '/by_batch_size/trace_H_S_b_over_trace_S_n',
      moments.map((m) => m.traceHS / gg),
    );
    compared.same(
      '/by_batch_size/unstable',
      moments.map((m) => m.traceHS / gg > 2 / eta),
    );
    compared.near(
      '/by_batch_size/expected_loss_change_second_order',
      moments.map((m) => (eta ** 2 / 2) * m.traceHS - eta * gg),
    );

    for (const replacement of [false, true]) {
      const wanted = values.by_batch_size.filter((s: Value) => s.replacement === replacement);
      const batchSizes = wanted.map((s: Value) => s.batch_size);
      const drawn = await row(interactionAwareSharpness({ batchSizes, replacement, draws: 12, seed: 3 }));
      const concentrated = await row(gradientConcentration({ batchSizes, replacement, draws: 12, seed: 3 }));
      drawn.forEach((r, j) => {
        const within = (x: number, truth: number, error: number) =>
          expect(Math.abs(x - truth), `b = ${r.batch_size}: ${x} ± ${error} for ${truth}`).toBeLessThanOrEqual(
            5 * error + 1e-5 * truth,
          );
        within(r.ias, wanted[j].ias, r.ias_standard_error);
        within(r.rho, wanted[j].rho, r.rho_standard_error);
        within(r.interaction, wanted[j].trace_H_S_b_over_trace_S_n, r.interaction_standard_error);
        within(concentrated[j]!.rho, wanted[j].rho, concentrated[j]!.rho_standard_error);
      });
    }
    const [full] = await row(interactionAwareSharpness());
    compared.near('/ias_gd', full!.ias);
  });

  it('weighs examples with given signs, and leaves out the sharpest directions', async () => {
    const { draws, deflated } = values.estimators.random_signs;
    const traces: { trace: number; traceH: number; outside: number }[] = [];
    for (const { z } of draws) {
      const a = await point.weightedGradient(signWeights(Float64Array.from(z)));
      const whole = await outsidePairs(point, a, []);
      const outside = await outsidePairs(point, a, pairs.pairs.slice(0, 3));
      traces.push({ ...whole, outside: outside.traceH });
    }
    compared.near(
      '/estimators/random_signs/draws/a_norm_squared',
      traces.map((t) => t.trace),
    );
    compared.near(
      '/estimators/random_signs/draws/a_H_a',
      traces.map((t) => t.traceH),
    );
    compared.near(
      '/estimators/random_signs/draws/a_perp_H_a_perp_k3',
      traces.map((t) => t.outside),
      { relative: 1e-4 },
    );
    const outlierPart = (k: number) =>
      pairs.pairs.slice(0, k).reduce((sum, p) => sum + p.value * covariance(p.projections!, p.projections!), 0);
    compared.near(
      '/estimators/random_signs/deflated/outlier_part',
      deflated.map((d: Value) => outlierPart(d.k)),
      { relative: 1e-4 },
    );
  });

  it('estimates the traces of the Hessian and of its square', async () => {
    const [traces] = await row(hessianTrace({ draws: 16, deflate: 6, seed: 5 }));
    compared.within('/trace_H', traces!.trace_H, traces!.trace_H_standard_error);
    compared.within('/trace_H2', traces!.trace_H2, traces!.trace_H2_standard_error);
  });

  it('has the spread of the next loss', async () => {
    const sizes: { batch_size: number; replacement: boolean }[] = values.by_batch_size;
    const predicted = new Map<string, number>();
    for (const replacement of [false, true]) {
      const batchSizes = sizes.filter((s) => s.replacement === replacement).map((s) => s.batch_size);
      const rows = await row(
        theoremOne({
          batchSizes,
          replacement,
          tails: [1],
          draws: 2,
          signDraws: 40,
          tolerance: 1e-5,
          seed: 7,
        }),
      );
      for (const r of rows) predicted.set(`${r.batch_size} ${r.replacement}`, r.predicted_std ** 2);
      const [first] = rows;
      compared.near('/v_C1_v', first!.v_C1_v);
      // Its search stops at a residual, which bounds the eigenvalue's error.
      compared.near('/lambda_1_of_C_1', first!.lambda_1_C1, { relative: 1e-5 });
      compared.within('/trace_HC1HC1', first!.trace_HC1HC1, first!.trace_HC1HC1_standard_error);
      // Variance is linear in the trace, so its error is known too.
      for (const [j, s] of sizes.entries()) {
        if (s.replacement !== replacement) continue;
        const share = (eta ** 2 * samplingCoefficient(n, s.batch_size, replacement)) / s.batch_size;
        const allowed = 5 * (share ** 2 / 2) * first!.trace_HC1HC1_standard_error;
        const truth = compared.at('/by_batch_size/next_loss_variance_lemma_3')[j];
        expect(Math.abs(predicted.get(`${s.batch_size} ${replacement}`)! - truth)).toBeLessThanOrEqual(
          allowed + 1e-4 * truth,
        );
      }
    }
    compared.compared('/by_batch_size/next_loss_variance_lemma_3');
  });

  it('samples given batches', async () => {
    const given = values.estimators.fixed_batches;
    const drawn: { norm: number; gHg: number; change: number; unit: Float64Array }[] = [];
    for (const batch of given.batches) {
      const { gradient: g } = await point.batchGradient(Int32Array.from(batch));
      const { product } = await point.hessianVector(g);
      const unit = Float64Array.from(g);
      rescale(unit, 1 / norm(g));
      drawn.push({
        norm: norm(g),
        gHg: dot(g, product),
        change: (await point.moved(g, -eta).loss()) - (await point.loss()),
        unit,
      });
    }
    const squares = drawn.map((d) => d.norm ** 2);
    const below = '/estimators/fixed_batches';
    compared.near(
      `${below}/g_norm`,
      drawn.map((d) => d.norm),
    );
    compared.near(
      `${below}/g_H_g`,
      drawn.map((d) => d.gHg),
    );
    compared.near(`${below}/mean_g_H_g`, mean(drawn.map((d) => d.gHg)));
    compared.near(`${below}/mean_g_norm_squared`, mean(squares));
    const none = new Float64Array(drawn.length);
    const ias = estimateRatio(
      0,
      Float64Array.from(drawn, (d) => d.gHg),
      0,
      Float64Array.from(squares),
    );
    compared.near(`${below}/ias`, ias.value);
    compared.near(`${below}/rho`, estimateRatio(dot(gradient, gradient), none, 0, Float64Array.from(squares)).value);
    compared.near(
      `${below}/loss_change`,
      drawn.map((d) => d.change),
    );
    const changes = compared.at(`${below}/loss_change`).map(Math.abs);
    compared.near(`${below}/mean_loss_change`, mean(drawn.map((d) => d.change)), {
      absolute: 1e-5 * Math.max(...changes),
    });
    const direction = drawn[0]!.unit.map((_, k) => mean(drawn.map((d) => d.unit[k]!)));
    compared.near(`${below}/resultant_length_squared`, dot(direction, direction));
    const norms = Float64Array.from(drawn, (d) => d.norm);
    // A standard deviation far below its mean is a cancellation: what counts is the rounding of the norms themselves.
    compared.near(`${below}/gradient_norm_std_over_mean`, Math.sqrt(covariance(norms, norms)) / mean(norms), {
      absolute: 2 ** -23,
    });
  });

  it('leaves no key of the file unlooked at', () => {
    const reference = 'a property of the reference computation';
    compared.complete({
      '/eta': 'input',
      '/parameters': 'input',
      '/hvp_check/v': 'input',
      '/directional_sharpness/alpha': 'input',
      '/estimators/random_signs/draws/z': 'input',
      '/estimators/random_signs/deflated/k': 'input',
      '/estimators/fixed_batches/batch_size': 'input',
      '/estimators/fixed_batches/batches': 'input',
      '/estimators/random_signs/std_of_one_draw_trace_C_1':
        'a property of the estimator, checked by its standard errors',
      '/estimators/random_signs/std_of_one_draw_trace_H_C_1':
        'a property of the estimator, checked by its standard errors',
      '/estimators/random_signs/deflated/std_of_one_sign_draw':
        'a property of the estimator, checked by its standard errors',
      '/estimators/random_signs/deflated/remainder': 'trace_H_C_1 less outlier_part, both compared',
      '/eigenvector_residual_over_lambda_1': reference,
      '/dense_asymmetry_over_max': reference,
      '/trace_H_from_eigenvalues': reference,
      '/trace_H2_from_eigenvalues': reference,
      '/eigenvalues_counted_negative': reference,
    });
  });
});

describe.each(problems.filter(({ problem }) => 'layout' in problem))('$name in training', ({ name, problem }) => {
  it('loses what full-batch gradient descent loses in double precision', async () => {
    const objective = await openProblem(problem);
    const { eta, steps: count } = problem.training;
    const initialWeights = readArray(problem.init.parameters) as Float32Array;
    const steps = await lastValueFrom(
      gradientDescent(objective, { learningRate: eta, steps: count, initialWeights }).pipe(toArray()),
    );
    const observed = readObserved(name)?.training;
    const compared = new Comparison(
      problem.training,
      observed && { '/losses': observed.losses, '/trained_unrounded': observed.end_point },
    );
    compared.near(
      '/losses',
      steps.map((s) => s.batchLoss),
    );
    compared.near('/trained_unrounded', steps.at(-1)!.weights, {
      expected: readArray(problem.training.trained_unrounded),
    });
    compared.complete({ '/eta': 'input', '/steps': 'input' });
  });
});

describe.each(problems.filter(({ problem }) => 'X' in problem))('$name: every batch enumerated', ({ problem }) => {
  const objective = leastSquares({ X: problem.X, y: problem.y });
  const point = objective.at(Float32Array.from(problem.theta));
  const { n, eta } = problem;
  const compared = new Comparison(problem, null);

  /** All batches of b examples: ordered with replacement, else unordered. */
  function batches(b: number, replacement: boolean): number[][] {
    if (b === 0) return [[]];
    return batches(b - 1, replacement).flatMap((head) =>
      [...all(n)].filter((i) => replacement || head.length === 0 || i > head.at(-1)!).map((i) => [...head, i]),
    );
  }

  const outer = (gs: readonly Float32Array[]) =>
    Array.from(gs[0]!, (_, i) => Array.from(gs[0]!, (_, j) => mean(gs.map((g) => g[i]! * g[j]!))));

  it('has the loss, the gradients, the Hessian and its spectrum', async () => {
    const gradient = await point.gradient();
    const single = await Promise.all(
      [...all(n)].map(async (i) => (await point.batchGradient(Int32Array.of(i))).gradient),
    );
    compared.near('/loss', await point.loss());
    compared.near('/losses', await point.exampleLosses());
    compared.near('/gradient', gradient);
    compared.near(
      '/per_example_gradients',
      single.flatMap((g) => [...g]),
    );
    const columns = await Promise.all(
      Array.from(gradient, (_, k) => point.hessianVector(Float32Array.from(gradient, (_, j) => (j === k ? 1 : 0)))),
    );
    compared.near(
      '/H',
      columns.flatMap(({ product }) => [...product]),
    );
    columns.forEach(({ projections }, k) => {
      expect([...projections!]).toEqual(single.map((g) => expect.closeTo(g[k]!, 6)));
    });
    const found = await firstValueFrom(
      from([stepAt(point.weights, {}, { objective })]).pipe(topEigenvalues({ count: problem.m, tolerance: 1e-6 })),
    );
    compared.near('/eigenvalues_descending', found.eigenvalues);
    const S1 = outer(single);
    const Sn = outer([gradient]);
    compared.near('/S_1', S1.flat());
    compared.near('/S_n', Sn.flat());
    compared.near(
      '/C_1',
      S1.flatMap((r, i) => r.map((x, j) => x - Sn[i]![j]!)),
    );
    compared.near('/trace_S_n', dot(gradient, gradient));
    compared.near('/trace_S_1', mean(single.map((g) => dot(g, g))));
    const { product: Hg } = await point.hessianVector(gradient);
    const v = Float32Array.from(gradient, (g, k) => g - eta * Hg[k]!);
    const { projections } = await point.hessianVector(v);
    compared.near('/v_C1_v', covariance(projections!, projections!));
  });

  it('has tr(C_1) and tr(H C_1) as the mean over all signs, with and without leaving out eigenvectors, and so identity (1)', async () => {
    const gradient = await point.gradient();
    const { product: Hg } = await point.hessianVector(gradient);
    const [gg, gHg] = [dot(gradient, gradient), dot(gradient, Hg)];
    const settings = { who: 'test', count: 2, tolerance: 0.2, maxProducts: 1, seed: 0 };
    const rough = await hessianEigenpairs(point, settings, null);
    expect(rough.pairs[0]!.residual, 'eigenvectors that are not exact').toBeGreaterThan(1e-4);
    for (const pairs of [[], rough.pairs]) {
      let trace = 0;
      let traceH = 0;
      for (let bits = 0; bits < 2 ** n; bits++) {
        const z = Float64Array.from({ length: n }, (_, i) => ((bits >> i) & 1 ? 1 : -1));
        const draw = await outsidePairs(point, await point.weightedGradient(signWeights(z)), pairs);
        // Over independent fair signs E[(z − z̄)(z − z̄)ᵀ] = I − 11ᵀ/n, so the mean over all 2ⁿ is exact.
        trace += draw.trace / 2 ** n;
        traceH += draw.traceH / 2 ** n;
      }
      const variance = pairs.map((p) => covariance(p.projections!, p.projections!));
      trace += variance.reduce((a, b) => a + b, 0);
      traceH += variance.reduce((sum, x, j) => sum + x * pairs[j]!.value, 0);
      compared.near('/trace_C_1', trace, { relative: 1e-6 });
      compared.near('/trace_H_C_1', traceH, { relative: 1e-6 });
      for (const [j, { batch_size: b, replacement }] of problem.cases.entries()) {
        const none = new Float64Array(2);
        const share = samplingCoefficient(n, b, replacement) / b;
        const noise = { within: { trace, traceH }, trace: none, traceH: none };
        const { exact } = ofExamples({ traceS: gg, traceHS: gHg }, noise, share);
        expect(exact.traceS).toBeCloseTo(problem.cases[j].trace_S_b, 5);
        expect(exact.traceHS).toBeCloseTo(problem.cases[j].trace_H_S_b, 5);
      }
    }
    const draws: { a: Float32Array; Ha: Float32Array }[] = [];
    for (let bits = 0; bits < 2 ** n; bits++) {
      const a = await point.weightedGradient(
        signWeights(Float64Array.from({ length: n }, (_, i) => ((bits >> i) & 1 ? 1 : -1))),
      );
      draws.push({ a, Ha: (await point.hessianVector(a)).product });
    }
    const squares = draws.flatMap(({ a }) => draws.map(({ Ha }) => dot(a, Ha) ** 2));
    compared.near('/trace_HC1HC1', mean(squares), { relative: 1e-6 });
    const [theorem] = await lastValueFrom(
      from([stepAt(point.weights, { learningRate: eta }, { objective })]).pipe(
        theoremOne({ batchSizes: [1], signDraws: 40, draws: 2, tails: [1] }),
        toArray(),
      ),
    );
    compared.within('/trace_HC1HC1', theorem!.trace_HC1HC1, theorem!.trace_HC1HC1_standard_error);
    for (const { batch_size: b, replacement, variance_of_next_loss_if_gradients_were_normal: truth } of problem.cases) {
      const share = (eta ** 2 * samplingCoefficient(n, b, replacement)) / b;
      expect(share * problem.v_C1_v + (share ** 2 / 2) * mean(squares)).toBeCloseTo(truth, 5);
    }
    const ias = await firstValueFrom(
      from([stepAt(point.weights, {}, { objective })]).pipe(interactionAwareSharpness()),
    );
    compared.near('/ias_gd', ias.ias);
    compared.near('/rho_1', gg / problem.trace_S_1);
  });

  it('has each batch size as the mean over all its batches', async () => {
    const gradient = await point.gradient();
    const gg = dot(gradient, gradient);
    const loss = await point.loss();
    const columns: Record<string, Value[]> = {};
    for (const { batch_size: b, replacement } of problem.cases) {
      const drawn = [];
      for (const batch of batches(b, replacement)) {
        const { gradient: g } = await point.batchGradient(Int32Array.from(batch));
        const { product } = await point.hessianVector(g);
        drawn.push({ batch, g, gHg: dot(g, product), change: (await point.moved(g, -eta).loss()) - loss });
      }
      const gs = drawn.map((d) => d.g);
      if (b === 2 && !replacement) {
        compared.same(
          '/batch_gradients_b2_without_replacement/batch',
          drawn.map((d) => d.batch),
        );
        compared.near(
          '/batch_gradients_b2_without_replacement/g',
          gs.flatMap((g) => [...g]),
        );
      }
      const S = outer(gs);
      const traceS = mean(gs.map((g) => dot(g, g)));
      const traceHS = mean(drawn.map((d) => d.gHg));
      const norms = Float64Array.from(gs, norm);
      const changes = Float64Array.from(drawn, (d) => d.change);
      const units = Array.from(gradient, (_, k) => mean(gs.map((g) => g[k]! / norm(g))));
      const row: Record<string, Value> = {
        batches: drawn.length,
        sampling_coefficient: samplingCoefficient(n, b, replacement),
        S_b: S.flat(),
        C_b: S.flatMap((r, i) => r.map((x, j) => x - gradient[i]! * gradient[j]!)),
        trace_S_b: traceS,
        trace_H_S_b: traceHS,
        ias: traceHS / traceS,
        rho: gg / traceS,
        two_rho_over_eta: (2 * gg) / traceS / eta,
        trace_H_S_b_over_trace_S_n: traceHS / gg,
        unstable: traceHS / gg > 2 / eta,
        expected_loss_change: mean(changes),
        variance_of_next_loss: covariance(changes, changes),
        resultant_length_squared: units.reduce((sum, u) => sum + u * u, 0),
        gradient_norm_std_over_mean: Math.sqrt(covariance(norms, norms)) / mean(norms),
      };
      for (const [key, value] of Object.entries(row)) {
        columns[key] ??= [];
        columns[key].push(value);
      }
    }
    for (const [key, column] of Object.entries(columns)) {
      if (key === 'batches' || key === 'unstable') compared.same(`/cases/${key}`, column);
      else compared.near(`/cases/${key}`, column.flat(), { relative: 2e-6 });
    }
  });

  it('leaves no key of the file unlooked at', () => {
    compared.complete({
      '/problem': 'text',
      '/conventions': 'text',
      '/n': 'input',
      '/m': 'input',
      '/eta': 'input',
      '/X': 'input',
      '/y': 'input',
      '/theta': 'input',
      '/cases/batch_size': 'input',
      '/cases/replacement': 'input',
      '/identities_held_exactly_in_rationals': 'a property of the reference computation',
      '/cases/variance_of_next_loss_if_gradients_were_normal': 'compared above, case by case',
    });
  });
});

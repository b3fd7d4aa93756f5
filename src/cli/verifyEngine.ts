import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom, type OperatorFunction, of, toArray } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import { openStep, type Step } from '../core/Step.ts';
import { digits } from '../datasets/digits.ts';
import { type Engine, openEngine } from '../engine/openEngine.ts';
import { empiricalRisk } from '../engine/risk/empiricalRisk.ts';
import { dot, norm } from '../linalg/vector.ts';
import { crossEntropy } from '../losses/crossEntropy.ts';
import { mlp } from '../models/mlp.ts';
import { gradientConcentration } from '../probes/gradientConcentration.ts';
import { hessianTrace } from '../probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../probes/interactionAwareSharpness.ts';
import { lossSlice } from '../probes/lossSlice.ts';
import { topEigenvalues } from '../probes/topEigenvalues.ts';

/** One quantity beside its reference. */
export interface EngineCheck {
  readonly quantity: string;
  readonly value: number;
  readonly reference: number;
  /** Relative to the reference, or in standard errors where the value is an estimate. */
  readonly error: number;
  readonly allowed: number;
  readonly unit: 'relative' | 'standard errors';
  readonly passed: boolean;
}

export interface EngineVerification {
  readonly engine: Engine;
  readonly problem: string;
  readonly checks: readonly EngineCheck[];
  readonly passed: boolean;
}

const PROBLEM = 'a2-mlp';
const FOLDER = join(import.meta.dirname, '../../fixtures/reference');
/** How much worse than the other float32 implementation that was watched this one may be. */
const MARGIN = 10;
/**
 * Four units in the last place of float32: what adding in another order, as engines and processors do, was seen to
 * change.
 */
const FLOAT32 = 2 ** -21;
const STANDARD_ERRORS = 5;

/** The numbers of a reference file that are compared here. */
interface Reference {
  readonly problem: string;
  readonly n: number;
  readonly trained: {
    readonly parameters: { readonly file: string };
    readonly eta: number;
    readonly hvp_check: { readonly v_H_v: number; readonly norm_Hv: number };
    readonly directional_sharpness: readonly { readonly alpha: number; readonly sharpness: number }[];
    readonly by_batch_size: readonly {
      readonly batch_size: number;
      readonly replacement: boolean;
      readonly ias: number;
      readonly rho: number;
    }[];
    readonly [quantity: string]: unknown;
  };
}

/**
 * Computes on this machine's engine what was once computed in double precision: loss, gradient, products, eigenvalues,
 * sharpness, concentration and traces of a small network that has been trained.
 *
 * A value may be off by ten times what another float32 implementation was seen to be, an estimate by five of its
 * standard errors.
 *
 * @param folder Where the reference values lie; default those that come with brink.
 * @throws BrinkError where they can't be read.
 */
export async function verifyEngine(folder = FOLDER): Promise<EngineVerification> {
  const { problem, n, trained } = read<Reference>(folder, `${PROBLEM}.json`);
  const observed = read<{ trained: Record<string, number> }>(folder, `${PROBLEM}.float32-observed.json`).trained;
  const engine = await openEngine();
  const objective = await empiricalRisk({
    model: mlp({ inputs: 64, hidden: [32, 32], outputs: 10, activation: 'tanh' }),
    data: await digits({ train: n, center: false }),
    loss: crossEntropy,
  });
  const weights = new Float32Array(new Uint8Array(readFileSync(join(folder, trained.parameters.file))).buffer);
  const point = objective.at(weights);
  const step = openStep({ index: 0, weights, learningRate: trained.eta }, { objective }).step;
  const rows = <R>(probe: OperatorFunction<Step, R>) => lastValueFrom(probe(of(step)).pipe(toArray()));

  const checks: EngineCheck[] = [];
  const compare = (quantity: string, value: number, reference: number, path: string) => {
    const error = Math.abs(value - reference) / Math.abs(reference);
    const allowed = Math.max(MARGIN * (observed[path] ?? 0), FLOAT32);
    checks.push({ quantity, value, reference, error, allowed, unit: 'relative', passed: error <= allowed });
  };
  const estimate = (quantity: string, value: number, standardError: number, reference: number) => {
    const error = Math.abs(value - reference) / standardError;
    const passed = error <= STANDARD_ERRORS;
    checks.push({ quantity, value, reference, error, allowed: STANDARD_ERRORS, unit: 'standard errors', passed });
  };
  const number = (name: string) => trained[name] as number;

  const gradient = await point.gradient();
  compare('L', await point.loss(), number('loss'), '/loss');
  compare('‖∇L‖', norm(gradient), number('gradient_norm'), '/gradient_norm');
  const v = Float32Array.from(weights, (_, k) => Math.cos(k + 1));
  const { product } = await point.hessianVector(v);
  compare('vᵀHv', dot(v, product), trained.hvp_check.v_H_v, '/hvp_check/v_H_v');
  compare('‖Hv‖', norm(product), trained.hvp_check.norm_Hv, '/hvp_check/norm_Hv');

  const [top] = await rows(topEigenvalues({ count: 3, smallest: 1, tolerance: 1e-4 }));
  const eigenvalues = trained.eigenvalues_top as readonly number[];
  for (const k of [0, 1, 2]) {
    compare(`λ_${k + 1}`, top!.eigenvalues[k]!, eigenvalues[k]!, '/eigenvalues_top');
  }
  const smallest = (trained.eigenvalues_bottom as readonly number[]).at(-1)!;
  compare('λ_m', top!.smallest_eigenvalues[0]!, smallest, '/eigenvalues_bottom');

  const { alpha, sharpness } = trained.directional_sharpness[0]!;
  const [slice] = await rows(lossSlice({ alphas: [], directional: [alpha] }));
  const path = '/directional_sharpness/sharpness';
  compare(`‖H_α‖_{S_n}, α = ${alpha}`, slice!.directional_sharpness!, sharpness, path);

  const [full] = await rows(interactionAwareSharpness());
  compare('‖H‖_{S_n}', full!.ias, number('ias_gd'), '/ias_gd');
  compare('tr(S_n)', full!.trace_S_n, number('trace_S_n'), '/trace_S_n');
  const sizes = trained.by_batch_size.filter(({ batch_size, replacement }) => !replacement && batch_size < n);
  const batchSizes = sizes.map(({ batch_size }) => batch_size);
  const concentrations = await rows(gradientConcentration({ batchSizes }));
  const sharpnesses = await rows(interactionAwareSharpness({ batchSizes, draws: 32 }));
  sizes.forEach(({ batch_size: b, ias, rho }, k) => {
    compare(`ρ_${b}`, concentrations[k]!.rho, rho, '/by_batch_size/rho');
    estimate(`‖H‖_{S_${b}}`, sharpnesses[k]!.ias, sharpnesses[k]!.ias_standard_error, ias);
  });
  const [traces] = await rows(hessianTrace({ draws: 32, deflate: 10 }));
  estimate('tr(H)', traces!.trace_H, traces!.trace_H_standard_error, number('trace_H'));
  estimate('tr(H²)', traces!.trace_H2, traces!.trace_H2_standard_error, number('trace_H2'));
  return { engine, problem, checks, passed: checks.every(({ passed }) => passed) };
}

function read<T>(folder: string, file: string): T {
  const path = join(folder, file);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new BrinkError(
      'verify',
      `${path} can't be read: ${(cause as Error).message}. It holds the reference values.`,
      {
        cause,
      },
    );
  }
}

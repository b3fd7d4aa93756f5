import { BrinkError, requireInteger } from '../core/errors.ts';
import { requireFlag, requireList } from '../core/given.ts';
import { requireNames } from '../core/requireNames.ts';
import { shown } from '../core/shown.ts';
import { samplingCoefficient } from './samplingCoefficient.ts';

/** A row of `gradientConcentration` or `interactionAwareSharpness`, as far as it is read. */
export interface TracesOfBatch {
  readonly step: number;
  readonly batch_size: number;
  readonly replacement: boolean;
  readonly trace_S_n: number;
  readonly trace_S_b: number;
  readonly trace_S_b_standard_error: number;
  /** Null where tr(S_b) tells nothing of single examples: for b = n, and where they are coupled. */
  readonly noise_scale?: number | null;
}

/** A row of `scalingRule`, as far as it is read. */
export interface TracesOfExample {
  readonly step: number;
  readonly trace_S_n: number;
  readonly trace_S_1: number;
  readonly trace_S_1_standard_error: number;
}

/** ρ of a run, and how well it is known. */
export interface RhoOfRun {
  readonly rho: number;
  /** That of the draws alone, 0 where the norms of per-example gradients are exact. */
  readonly standardError: number;
  /**
   * How far ρ depends on which part of the run was measured: the jackknife's over ten blocks of successive steps; null
   * for fewer than twenty steps.
   */
  readonly blockStandardError: number | null;
  /** How many steps are summed. */
  readonly steps: number;
}

/** What one step adds. */
interface Term {
  readonly step: number;
  readonly above: number;
  readonly below: number;
  readonly error: number;
  /** γ_{n,b}/b of the row that it came from. */
  readonly share: number;
}

/** How ρ is told from the traces of batches. */
export interface RhoOfRunOptions {
  /**
   * Whether identity (1) is to be taken for right where batch normalisation couples examples: ρ is then that of a run
   * without it whose batches of the same size vary as much, an approximation; default false: such rows are refused.
   */
  readonly asIfUncoupled?: boolean;
}

const BLOCKS = 10;

/**
 * ρ of a run from a table of it: Σ_t ‖∇L‖²/Σ_t E‖g_i‖², the ρ that `lssr` needs to go with learning rates that are
 * tuned over whole runs.
 *
 * A ratio of sums over the steps in the table, each once, from the row with the smallest b: by identity (1),
 * E‖g_i‖² = ‖∇L‖² + (tr(S_b) − ‖∇L‖²)·b/γ_{n,b}.
 *
 * It is a number of this run: of its η, b and length. Steps at which the gradient is large, the first ones, count most;
 * measure evenly, from the beginning. Neither error speaks of another seed.
 *
 * Cost: none.
 *
 * @param rows Of `gradientConcentration`, `interactionAwareSharpness` or `scalingRule`, as `readTable` gives them.
 * @param n Examples of the run.
 * @param options `asIfUncoupled` (false).
 * @throws BrinkError where a row lacks what is needed, is of another n or of a model with batch normalisation, which
 *   couples examples, no row has b < n, or a trace is not finite.
 * @example
 * const { rows } = await readTable('output/run/concentration.parquet', gradientConcentration.table);
 * const { rho, standardError } = rhoOfRun(rows, 1024);
 *
 * Source: Lee and Jang (2023), Definition 2 and Section 5.
 */
export function rhoOfRun(
  rows: readonly (TracesOfBatch | TracesOfExample)[],
  n: number,
  options: RhoOfRunOptions = {},
): RhoOfRun {
  requireList('rhoOfRun', 'rows', rows);
  return rhoOfRuns([rows], n, options);
}

/**
 * ρ of several runs together, a ratio of sums over all their steps; as `rhoOfRun` in all else.
 *
 * @param runs The rows of each, one run after the other.
 * @param n Examples of every run.
 * @param options `asIfUncoupled` (false).
 * @throws BrinkError as `rhoOfRun` does.
 */
export function rhoOfRuns(
  runs: readonly (readonly (TracesOfBatch | TracesOfExample)[])[],
  n: number,
  options: RhoOfRunOptions = {},
): RhoOfRun {
  const who = 'rhoOfRun';
  requireNames(who, options, ['asIfUncoupled']);
  const { asIfUncoupled = false } = options;
  requireFlag(who, 'asIfUncoupled', asIfUncoupled);
  requireInteger(who, 'n', n, 1);
  const ordered = runs.flatMap((rows) => {
    const terms = new Map<number, Term>();
    for (const [i, row] of Array.from(rows).entries()) {
      const term = termOf(who, i, row, n, asIfUncoupled);
      if (term.share > (terms.get(term.step)?.share ?? 0)) terms.set(term.step, term);
    }
    return [...terms.values()].sort((a, b) => a.step - b.step);
  });
  if (ordered.length === 0) {
    const count = runs.reduce((sum, rows) => sum + rows.length, 0);
    throw new BrinkError(who, `of ${count} rows none has b < n = ${n}. Measure one, such as batchSizes: [1].`);
  }
  const { rho, below } = ratio(ordered);
  return {
    rho,
    standardError: (rho * Math.sqrt(ordered.reduce((sum, { error }) => sum + error ** 2, 0))) / below,
    blockStandardError: jackknife(ordered),
    steps: ordered.length,
  };
}

function termOf(who: string, i: number, row: TracesOfBatch | TracesOfExample, n: number, asIfUncoupled: boolean): Term {
  const at = `rows[${i}]`;
  if (typeof row !== 'object' || row === null) throw new BrinkError(who, `${at} is ${shown(row)}. It must be a row.`);
  const ofExample = 'trace_S_1' in row;
  if (!ofExample && !('trace_S_b' in row && 'trace_S_n' in row)) {
    throw new BrinkError(
      who,
      `${at} has neither trace_S_b nor trace_S_1. The tables of gradientConcentration, interactionAwareSharpness and ` +
        'scalingRule have one of them.',
    );
  }
  const { step, trace_S_n: above } = row;
  let share = 1;
  if (!ofExample) {
    if (row.batch_size > n) throw new BrinkError(who, `${at} is of b = ${row.batch_size}, and n is only ${n}.`);
    share = samplingCoefficient(n, row.batch_size, row.replacement) / row.batch_size;
    if (share > 0 && row.noise_scale === null && !asIfUncoupled) {
      throw new BrinkError(
        who,
        `step ${step}: noise_scale is null in ${at}, for b = ${row.batch_size}. That is so for b = n, and then n is not ` +
          `${n}, and with batch normalisation, where one example has no gradient and ρ does not follow from tr(S_b): ` +
          'running_rho has the ρ_b that was measured, and asIfUncoupled: true takes (1) for right all the same.',
      );
    }
  }
  const [second, error] = ofExample
    ? [row.trace_S_1, row.trace_S_1_standard_error]
    : [row.trace_S_b, row.trace_S_b_standard_error];
  for (const [name, value] of Object.entries({ trace_S_n: above, 'its second moment': second, 'its error': error })) {
    if (Number.isFinite(value)) continue;
    throw new BrinkError(who, `step ${step}: ${name} is ${shown(value)} in ${at}. Leave the step out.`);
  }
  return { step, above, below: above + (second - above) / share, error: error / share, share };
}

function ratio(terms: readonly Term[]): { rho: number; below: number } {
  const below = terms.reduce((sum, term) => sum + term.below, 0);
  return { rho: terms.reduce((sum, term) => sum + term.above, 0) / below, below };
}

/** The standard error from leaving out one block after the other (Quenouille, 1956; Künsch, 1989). */
function jackknife(terms: readonly Term[]): number | null {
  if (terms.length < 2 * BLOCKS) return null;
  const start = (block: number) => Math.floor((block * terms.length) / BLOCKS);
  const without = Array.from({ length: BLOCKS }, (_, block) => {
    return ratio([...terms.slice(0, start(block)), ...terms.slice(start(block + 1))]).rho;
  });
  const center = without.reduce((sum, rho) => sum + rho, 0) / BLOCKS;
  return Math.sqrt(((BLOCKS - 1) / BLOCKS) * without.reduce((sum, rho) => sum + (rho - center) ** 2, 0));
}

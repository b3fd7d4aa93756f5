import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { readTable } from '../tables/readTable.ts';
import { type BestLearningRate, bestLearningRates, type TunedRun } from '../theory/bestLearningRates.ts';
import { type RhoOfRun, rhoOfRuns, type TracesOfBatch } from '../theory/rhoOfRun.ts';

const WHO = 'lssr';

/** What a sweep over batch size and learning rate says of both. */
export interface TunedSweep {
  readonly n: number;
  /** Whether the runs drew their batches with replacement. */
  readonly replacement: boolean;
  readonly best: readonly BestLearningRate[];
  /** The column that scored the runs. */
  readonly score: string;
  /** Pooled over the runs nearest to the best learning rate of each batch size. */
  readonly rho: RhoOfRun;
}

type Rows = readonly Record<string, unknown>[];

/**
 * Reads a sweep that was collected.
 *
 * @param path Its `sweep.parquet`, whose tables lie beside it.
 * @param score The column that says how good a run was, the higher the better; default: the one that ends in
 *   test_accuracy.
 * @throws CommandLineError where an axis, the score or a table with ρ is missing, the score is a loss, or runs differ
 *   by more than b, η and seeds.
 */
export async function tunedSweep(path: string, rows: Rows, score?: string): Promise<TunedSweep> {
  for (const axis of ['batch_size', 'learning_rate']) {
    if (rows[0] && axis in rows[0]) continue;
    throw new CommandLineError(
      WHO,
      `${path} has no axis ${axis}. It must be a sweep over batch size and learning rate.`,
    );
  }
  if (score !== undefined && /loss$/.test(score)) {
    throw new CommandLineError(
      WHO,
      `--score is ${score}, a loss, of which less is better. The best η is the one with the highest score; name an accuracy.`,
    );
  }
  const ended = rows.filter(({ state }) => state === 'done' || state === 'diverged');
  requireOneSetting(path, ended);
  const column = score ?? scoreIn(path, ended);
  const cells = ended.map((row) => ({
    id: String(row.cell_id),
    batchSize: Number(row.batch_size),
    learningRate: Number(row.learning_rate),
    score: row.state === 'diverged' || row[column] == null ? Number.NaN : Number(row[column]),
  }));
  if (score !== undefined && !(rows[0] && score in rows[0])) {
    throw new CommandLineError(WHO, `${path} has no column ${score}. It has ${Object.keys(rows[0] ?? {}).join(', ')}.`);
  }
  const best = bestLearningRates(cells);
  const chosen = best.flatMap((one) => nearest(cells, one));
  const { traces, n, replacement } = await tracesOf(path, new Set(chosen));
  return { n, replacement, best, score: column, rho: rhoOfRuns(traces, n) };
}

/** Runs of one b and η are taken for repetitions of each other: by seeds they are, by another axis not. */
function requireOneSetting(path: string, rows: Rows): void {
  const names = Object.keys(rows[0] ?? {});
  // The axes come first.
  const others = names
    .slice(0, names.indexOf('cell'))
    .filter((name) => !['batch_size', 'learning_rate'].includes(name) && !/(^|_)seed$/.test(name));
  for (const cells of Map.groupBy(rows, (row) => `${row.batch_size} ${row.learning_rate}`).values()) {
    const mixed = others.find((name) => cells.some((row) => row[name] !== cells[0]![name]));
    if (mixed === undefined) continue;
    const values = [...new Set(rows.map((row) => row[mixed]))].join(', ');
    throw new CommandLineError(
      WHO,
      `the runs of ${path} differ by ${mixed} too (${values}), and would be taken for repetitions of each other. Choose by --where '${mixed}=…'.`,
    );
  }
}

function scoreIn(path: string, rows: Rows): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const found = names.filter((name) => name.endsWith('test_accuracy'));
  if (found.length === 1) return found[0]!;
  const advice = `Name the column that says how good a run was by --score; there are ${names.join(', ')}.`;
  throw new CommandLineError(
    WHO,
    `${path} has ${found.length === 0 ? 'no' : 'more than one'} column test_accuracy. ${advice}`,
  );
}

/** The cells of the trained learning rate nearest to the best one. */
function nearest(cells: readonly (TunedRun & { readonly id: string })[], best: BestLearningRate): string[] {
  const ofB = cells.filter(({ batchSize, score }) => batchSize === best.batchSize && Number.isFinite(score));
  const distance = (rate: number) => Math.abs(Math.log(rate / best.learningRate));
  const rate = ofB.map(({ learningRate }) => learningRate).toSorted((a, b) => distance(a) - distance(b))[0];
  return ofB.filter(({ learningRate }) => learningRate === rate).map(({ id }) => id);
}

/** The rows with ‖∇L‖² and E‖g_i‖² of some cells, and n of their objective; whether they drew with replacement. */
async function tracesOf(path: string, ids: ReadonlySet<string>) {
  const tables = join(dirname(path), 'tables');
  const folders = existsSync(tables) ? readdirSync(tables, { withFileTypes: true }) : [];
  for (const { name: branch } of folders.filter((entry) => entry.isDirectory())) {
    const files = readdirSync(join(tables, branch)).filter((file) => ids.has(file.replace(/\.parquet$/, '')));
    if (files.length === 0) continue;
    const read = await Promise.all(files.sort().map((file) => readTable(join(tables, branch, file))));
    const { table } = read[0]!;
    if (!('trace_S_n' in table.columns) || !('trace_S_b' in table.columns || 'trace_S_1' in table.columns)) continue;
    const sources = read.map(
      ({ metadata }) => metadata.source as { objective?: { n?: number }; replacement?: boolean },
    );
    const counts = new Set(sources.map(({ objective }) => objective?.n));
    const [n] = counts;
    if (n === undefined) throw new CommandLineError(WHO, `${tables}/${branch} does not say n.`);
    if (counts.size > 1) {
      throw new CommandLineError(
        WHO,
        `the cells of ${path} were trained on ${[...counts].join(' and ')} examples. The rules are of one n: sweep over one.`,
      );
    }
    const replacement = sources[0]!.replacement === true;
    return { traces: read.map(({ rows }) => rows as unknown as TracesOfBatch[]), n, replacement };
  }
  throw new CommandLineError(
    WHO,
    `the cells of ${path} have no table with ρ. Put the probe gradientConcentration or scalingRule into the pipeline, every some steps, and collect again.`,
  );
}

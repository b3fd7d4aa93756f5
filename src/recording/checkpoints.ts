import { createHash } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Observable, type Subscriber } from 'rxjs';
import { BrinkError, given, requireInteger, requireNumber } from '../core/errors.ts';
import { requireFlag, requireList, requireOptions, requireShare, requireText } from '../core/given.ts';
import type { Objective } from '../core/Objective.ts';
import { openStep, type Step, stepRun } from '../core/Step.ts';
import { checksums } from '../files/checksums.ts';
import { type CheckpointTable, readCheckpointTable } from './checkpointTable.ts';
import { loadWeights, weightTypes } from './loadWeights.ts';

/** What is known of the run that left the checkpoints; what isn't given, or null, is unknown. */
export interface CheckpointsOptions {
  /** L, of the same network, loss and data. */
  readonly objective: Objective;
  /** What the files call the model's parameters, in their order; see `loadWeights`. */
  readonly names?: readonly string[];
  /** The first step that may come; default: the first that there is. */
  readonly from?: number;
  /** The last step that may come; default: the last that there is. */
  readonly to?: number;
  /**
   * A table (.csv, .tsv, .parquet) of what is known of each step: `step`, and any of `file` (a path that starts in the
   * table's folder), `learning_rate`, `batch_size`, `beta1`, `beta2`, `epoch`. Default: the step stands in the file's
   * name, and all the rest is as the other options say.
   */
  readonly table?: string;
  /** η of the steps for which the table has none. */
  readonly learningRate?: number | null;
  /** b of the steps for which the table has none. */
  readonly batchSize?: number | null;
  /** Whether batches were drawn with replacement; default false. */
  readonly replacement?: boolean;
  /** β₁ of the steps for which the table has none: PyTorch's `momentum`; 0 for plain SGD. */
  readonly beta1?: number | null;
  /** β₂ of the steps for which the table has none: 0 for Polyak's momentum, β₁ for Nesterov's. */
  readonly beta2?: number | null;
}

/** A file, and which step it is of. */
export interface Checkpoint {
  readonly index: number;
  readonly file: string;
}

const WHO = 'checkpoints';
const NAMES = [
  ...['objective', 'names', 'from', 'to', 'table'],
  ...['learningRate', 'batchSize', 'replacement', 'beta1', 'beta2'],
];
const ENDINGS = ['.safetensors', '.npz'];

/**
 * The steps of a run that was trained elsewhere, from the weights that it left: a source as any other, so that every
 * probe, throttle and sink works on a run of PyTorch's.
 *
 * A file holds θ_t as `loadWeights` reads it, by PyTorch's names or brink's. t is the last number in the file's name
 * (`step-000400.safetensors` is step 400), or stands in a table. A step is read when its turn comes, in the order of t;
 * the next one waits for all work registered on it. What is not known of a run is NaN in the step: columns that follow
 * from it are NaN (`edge` without η or momentum), and a probe whose question needs it says so. Where b = n the gradient
 * of the step is ∇L; with Nesterov's look-ahead, whose δ is not in the files, and of a batch of SGD, whose examples
 * nobody has noted, it is unknown, and so is the batch's loss.
 *
 * That names and shapes fit does not prove that the objective is the one that was trained: compare `trainingLoss` with
 * the loss that the run itself has noted. Batch normalisation normalises by the batch, as in `net.train()`.
 *
 * ```ts
 * import { checkpoints, type Objective, run, topEigenvalues, toParquet } from 'brink';
 *
 * const measure = (objective: Objective) =>
 *   run(checkpoints('runs/a/step-*.safetensors', { objective, learningRate: 0.1, beta1: 0.9, beta2: 0 }), {
 *     eigenvalues: (s) => s.pipe(topEigenvalues(), toParquet()),
 *   }, { directory: 'output/a' });
 * ```
 *
 * Weights in half precision (float16, bfloat16) are measured as they are, in float32; the metadata says so
 * (`storedAs`).
 *
 * Cost: reading each file twice (its checksum goes into every table), and a gradient a step where b = n.
 *
 * @param files A pattern (`runs/a/step-*.safetensors`; `*`, `**`, `?`, `{a,b}`), or a list of paths; .safetensors,
 *   .npz.
 * @param options `objective`; `names`, `from`, `to`, `table`, `learningRate`, `batchSize`, `replacement`, `beta1`,
 *   `beta2`.
 * @throws BrinkError at the call for an option out of its range, a pattern that no file fits, a name without a number,
 *   or two files of one step (several runs: one source each); in the stream where the table can't be read or lacks a
 *   file, or a file is damaged, or has other parameters or a number that is not finite.
 */
export function checkpoints(files: string | readonly string[], options: CheckpointsOptions): Observable<Step> {
  requireOptions(WHO, options, NAMES, '{ objective }');
  const { objective, names, from = 0, to, table, replacement = false } = options;
  if (typeof objective?.at !== 'function') {
    throw new BrinkError(WHO, `${given('objective', objective)} It must be an objective, such as empiricalRisk gives.`);
  }
  requireInteger(WHO, 'from', from, 0);
  if (to !== undefined) requireInteger(WHO, 'to', to, from);
  if (table !== undefined) requireText(WHO, 'table', table);
  requireFlag(WHO, 'replacement', replacement);
  const { learningRate = null, batchSize = null, beta1 = null, beta2 = null } = options;
  if (learningRate !== null) requireNumber(WHO, 'learningRate', learningRate, 0, true);
  if (batchSize !== null) requireInteger(WHO, 'batchSize', batchSize, 1);
  if (batchSize !== null && batchSize > objective.exampleCount) {
    throw new BrinkError(WHO, `batchSize is ${batchSize}. The objective has ${objective.exampleCount} examples.`);
  }
  if (beta1 !== null) requireShare(WHO, 'beta1', beta1);
  if (beta2 !== null) requireShare(WHO, 'beta2', beta2);
  const paths = checkpointFiles(files);
  const chosen = (all: readonly Checkpoint[]) => {
    const within = all.filter(({ index }) => index >= from && index <= (to ?? index));
    if (within.length > 0) return within;
    throw new BrinkError(
      WHO,
      `there are steps ${all[0]!.index} to ${all.at(-1)!.index}, and none from ${from} to ${to ?? 'the last'}. Choose others.`,
    );
  };
  const named = table === undefined ? chosen(inOrder(paths.map((file) => ({ file, index: indexOf(file) })))) : null;

  async function emit(subscriber: Subscriber<Step>): Promise<void> {
    const known: CheckpointTable | null = table === undefined ? null : await readCheckpointTable(WHO, table);
    const all = named ?? chosen(inOrder(paths.map((file) => ({ file, index: known!.indexOf(file) ?? indexOf(file) }))));
    const hash = createHash('sha256');
    for (const { file } of all) hash.update((await checksums(file)).sha256);
    const types = [...new Set(all.flatMap(({ file }) => weightTypes(file)))].sort();
    const run = stepRun({
      objective,
      total: all.length,
      last: all.at(-1)!.index,
      reads: [...all.map(({ file }) => file), ...(table === undefined ? [] : [table])],
      metadata: {
        source: WHO,
        files: { count: all.length, first: basename(all[0]!.file), last: basename(all.at(-1)!.file) },
        sha256: hash.digest('hex'),
        ...(types.length > 0 && { storedAs: types }),
        table: known && { file: known.file, sha256: known.sha256 },
        learningRate,
        batchSize,
        replacement,
        beta1,
        beta2,
        objective: objective.metadata,
      },
    });
    for (const { index, file } of all) {
      if (subscriber.closed) return;
      const weights = loadWeights(file, objective, names === undefined ? {} : { names });
      const row = known?.of(index) ?? {};
      const b = row.batchSize ?? batchSize ?? Number.NaN;
      const lookAhead = row.beta2 ?? beta2 ?? 0;
      const isFull = b === objective.exampleCount && !replacement && lookAhead === 0;
      const point = isFull ? objective.at(weights) : null;
      const gradient = await point?.gradient();
      const batchLoss = await point?.loss();
      if (subscriber.closed) return;
      const { step, settled } = openStep(
        {
          index,
          weights,
          ...(gradient && { gradient, batchLoss: batchLoss! }),
          batchSize: b,
          replacement,
          learningRate: row.learningRate ?? learningRate ?? Number.NaN,
          beta1: row.beta1 ?? beta1 ?? Number.NaN,
          beta2: row.beta2 ?? beta2 ?? Number.NaN,
          epoch: row.epoch ?? (index * b) / objective.exampleCount,
        },
        run,
      );
      subscriber.next(step);
      await settled();
      await setImmediate();
    }
  }

  return new Observable<Step>((subscriber) => {
    emit(subscriber).then(
      () => subscriber.complete(),
      (error) => subscriber.error(error),
    );
  });
}

/**
 * The files that a pattern or a list names.
 *
 * @throws BrinkError where there are none, or one is no file of weights.
 */
export function checkpointFiles(files: string | readonly string[]): readonly string[] {
  let found: readonly string[];
  if (typeof files === 'string') {
    requireText(WHO, 'files', files);
    found = globSync(files).sort();
    if (found.length === 0)
      throw new BrinkError(WHO, `no file fits '${files}' in ${resolve('.')}. Look at the pattern.`);
  } else {
    requireList(WHO, 'files', files);
    found = Array.from(files, (file, k) => {
      requireText(WHO, `files[${k}]`, file);
      return file;
    });
    if (found.length === 0) throw new BrinkError(WHO, 'files is []. Name one at least.');
    const missing = found.find((file) => !existsSync(file));
    if (missing !== undefined) throw new BrinkError(WHO, `there is no file ${resolve(missing)}.`);
  }
  const other = found.find((file) => !ENDINGS.includes(extname(file).toLowerCase()));
  if (other === undefined) return found;
  throw new BrinkError(
    WHO,
    `${other} is none of ${ENDINGS.join(', ')}. Save weights so (safetensors.torch.save_file).`,
  );
}

/** The last number in a file's name. */
function indexOf(file: string): number {
  const name = basename(file, extname(file));
  const digits = name.match(/\d+/g)?.at(-1);
  const index = Number(digits);
  if (digits !== undefined && Number.isSafeInteger(index)) return index;
  throw new BrinkError(
    WHO,
    `${file} has no number in its name that could be its step. Name it step-<number>, or say the step in a table: ` +
      "checkpoints(files, { objective, table: 'steps.csv' }) with the columns file and step.",
  );
}

/** @throws BrinkError where two are of one step. */
function inOrder(all: readonly Checkpoint[]): readonly Checkpoint[] {
  const sorted = all.toSorted((a, b) => a.index - b.index);
  const k = sorted.findIndex(({ index }, k) => index === sorted[k - 1]?.index);
  if (k < 0) return sorted;
  const [first, second] = [sorted[k - 1]!, sorted[k]!];
  const several = dirname(first.file) !== dirname(second.file);
  throw new BrinkError(
    WHO,
    `${first.file} and ${second.file} are both of step ${first.index}. ` +
      (several
        ? 'They are of several runs; make a source of each: checkpoints("runs/a/*.safetensors", …).'
        : 'A run has one of each; name those that are meant.'),
  );
}

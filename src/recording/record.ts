import { existsSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAbsolute, relative, resolve } from 'node:path';
import { defer, type MonoTypeOperatorFunction, type Observable, tap } from 'rxjs';
import packageJson from '../../package.json' with { type: 'json' };
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { currentRun, type RunContext } from '../core/runContext.ts';
import type { Step } from '../core/Step.ts';
import type { StepSource } from '../core/StepSource.ts';
import { isBeingWritten } from '../tables/isBeingWritten.ts';
import { openRecording } from './openRecording.ts';
import { RecordingFile, type RecordingStart } from './RecordingFile.ts';
import type { RecordingHeader, Selection } from './RecordingHeader.ts';
import type { RecordedStep, StepShape } from './recordingColumns.ts';
import { requireSameRun } from './requireSameRun.ts';

/** Which steps are recorded, and what of them. */
export interface RecordOptions {
  /** Records the steps whose index t has t ≡ 0 (mod every); default 1: all. */
  readonly every?: number;
  /** The first step that may be recorded; default 0. */
  readonly from?: number;
  /** The last step that may be recorded; default: the run's last. */
  readonly to?: number;
  /**
   * Whether the gradient is recorded too, which doubles the size; default false: a replay computes it again, for b/n gradients a
   * step, which full-batch GD shares with the probes. With it a replay needs no objective.
   */
  readonly gradient?: boolean;
  /** Whether a recording of that name is replaced; default false: it is refused. */
  readonly overwrite?: boolean;
  /** Whether the recording of that name is gone on with, by a run that resumes from it; default false. */
  readonly append?: boolean;
  /** Told once, at the first step and before anything is written, how large the recording will be, where the run's length is known. */
  readonly onEstimate?: (estimate: { readonly bytes: number; readonly steps: number }) => void;
}

const WHO = 'record';

/**
 * Writes the steps that pass through it to a recording, from which `replay` makes the same steps again: (t, θ_t, δ_{t−1}, batch, η, β₁, β₂, …).
 *
 * The file is an Arrow IPC stream with one step a batch, θ_t as FixedSizeList<Float32>[m], readable by Arrow libraries at any moment. It has
 * its name from the first step on. A step is in the hands of the operating system before it passes on: a process that is killed loses none, at
 * most a torn one behind the last, which a replay leaves out and `append` cuts off. The schema's key-values hold what rebuilds the objective
 * and the run. Where no step comes no file is made.
 *
 * Where the length of the run is known, the first step tells the size of the recording (`onEstimate`), and it is refused where the disk has
 * no room for it.
 *
 * With `append` it goes on with a recording: steps up to its last are compared with what it holds (the last one by its weights) and not
 * written again, later ones follow. `every`, `from`, `to` and `gradient` are then those of the recording.
 *
 * Cost: 4m bytes a step, 8m with momentum, and 4m more with `gradient`; the time to copy them once.
 *
 * @param path Default 'recording.arrows'; relative paths start in the run's folder, outside a run in the working folder.
 * @param options `every` (1), `from` (0), `to` (last), `gradient` (false), `overwrite` (false), `append` (false),
 *   `onEstimate`.
 * @throws BrinkError at the call where the path does not end in `.arrows` or an option is out of range; in the stream where the
 *   file is there already (with `append`: is not, or belongs to another run), steps come out of order, or the disk has no room
 *   or refuses. Steps before are kept.
 */
export function record(path = 'recording.arrows', options: RecordOptions = {}): MonoTypeOperatorFunction<Step> {
  const { every = 1, from = 0, to, gradient = false, overwrite = false, append = false, onEstimate } = options;
  if (!path.endsWith('.arrows')) throw new BrinkError(WHO, `the path is '${path}'. It must end in '.arrows'.`);
  requireInteger(WHO, 'every', every, 1);
  requireInteger(WHO, 'from', from, 0);
  if (to !== undefined) requireInteger(WHO, 'to', to, from);
  if (append && overwrite) {
    throw new BrinkError(
      WHO,
      'append and overwrite are both true. The one goes on with what the other removes; choose one.',
    );
  }

  return (steps: Observable<Step> & Partial<StepSource>) =>
    defer(() => {
      const run = currentRun();
      const { source = steps.metadata ?? null, ...versions } = { ...run?.metadata, ...(!run && VERSIONS) };
      const target = resolve(run?.directory ?? '.', path);
      const header: RecordingHeader = {
        source: source as JsonObject | null,
        selection: { every, from, to: to ?? null },
        writer: { host: hostname(), pid: process.pid },
        run: versions,
      };
      const recorder = append
        ? continued(target, header.source, onEstimate)
        : begun(target, header, gradient, overwrite, onEstimate);
      // One that is gone on with belongs to another run, which may not be removed with this one.
      if (run && !append) listFile(run, target);
      let final: number | null = null;
      return steps.pipe(
        tap({
          next: (step) => {
            final ??= finalIndex(header.source, steps.total, step.index);
            recorder.take(step, final);
          },
          complete: () => recorder.finish(),
          error: (error) => finishAfter(error, recorder),
          // Whoever unsubscribes is not there to be told.
          unsubscribe: () => {
            try {
              recorder.finish();
            } catch (error) {
              process.emitWarning(error as Error);
            }
          },
        }),
      );
    });
}

const VERSIONS: JsonObject = {
  brink: packageJson.version,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
};

/** Takes steps one after the other, and writes those that are to be recorded. */
interface Recorder {
  /** @param final The index of the run's last step; null: unknown. */
  take(step: Step, final: number | null): void;
  finish(): void;
}

/** Begins a recording with the first step that it takes. */
function begun(
  target: string,
  header: RecordingHeader,
  hasGradient: boolean,
  overwrite: boolean,
  onEstimate: RecordOptions['onEstimate'],
): Recorder {
  if (existsSync(target)) {
    if (!overwrite) {
      throw new BrinkError(
        WHO,
        `${target} is there already. It would be lost; name another file, pass overwrite: true, or append: true to go on with it.`,
      );
    }
    const old = openRecording(WHO, target);
    old.close();
    requireFree(target, old.header);
    rmSync(target);
  }
  const shape = (step: Step): StepShape => ({
    paramCount: step.weights.length,
    hasVelocity: step.velocity !== null,
    hasGradient,
  });
  return recorder(
    header.selection,
    null,
    (step) => ({ path: target, header, shape: shape(step), kept: null, onEstimate }),
    target,
  );
}

/** Goes on with a recording behind its last whole step. */
function continued(target: string, source: JsonObject | null, onEstimate: RecordOptions['onEstimate']): Recorder {
  const { header, shape, end, indices, last } = wholePart(target);
  requireFree(target, header);
  requireSameRun(WHO, target, header, source);
  const kept = { bytes: end, steps: indices.length };
  return recorder(header.selection, last, () => ({ path: target, header, shape, kept, onEstimate }), target);
}

/** What a recording holds, and its last step; it is closed again. */
function wholePart(target: string) {
  const recording = openRecording(WHO, target);
  try {
    const { indices } = recording;
    return { ...recording, last: indices.length === 0 ? null : recording.read(indices.length - 1) };
  } finally {
    recording.close();
  }
}

function recorder(
  selection: Selection,
  recorded: RecordedStep | null,
  start: (first: Step) => RecordingStart,
  target: string,
): Recorder {
  let file: RecordingFile | null = null;
  let shape: StepShape | null = null;
  let last = recorded?.index ?? -1;
  return {
    take(step, final) {
      if (!isSelected(step.index, selection)) return;
      if (file === null && recorded !== null && step.index <= last) {
        if (step.index === last) requireSameWeights(target, recorded, step);
        return;
      }
      requireNext(step, last, selection, file === null && recorded !== null);
      if (file === null || shape === null) {
        const begin = start(step);
        file = new RecordingFile(begin);
        shape = begin.shape;
      }
      requireShape(step, shape);
      file.append(
        { ...step, gradient: shape.hasGradient ? step.gradient : null },
        final === null ? null : selectedUpTo(final, selection) - selectedUpTo(step.index - 1, selection),
      );
      last = step.index;
    },
    finish: () => file?.finish(),
  };
}

function isSelected(t: number, { every, from, to }: Selection): boolean {
  return t >= from && t % every === 0 && (to === null || t <= to);
}

/** How many of the steps 0 … t are recorded. */
function selectedUpTo(t: number, { every, from, to }: Selection): number {
  const multiples = (upTo: number) => Math.floor(upTo / every) + 1;
  return Math.max(0, multiples(Math.min(t, to ?? t)) - multiples(from - 1));
}

/** The index of the run's last step, as far as its source says. */
function finalIndex(source: JsonObject | null, total: number | undefined, first: number): number | null {
  if (total !== undefined) return first + total - 1;
  return typeof source?.steps === 'number' ? source.steps : null;
}

function requireNext({ index }: Step, last: number, selection: Selection, isGoingOn: boolean): void {
  if (index <= last) {
    throw new BrinkError(
      WHO,
      `step ${index} came after step ${last}. A recording holds one run, whose steps rise; give each run a file of its own.`,
    );
  }
  if (isGoingOn && selectedUpTo(index - 1, selection) > selectedUpTo(last, selection)) {
    throw new BrinkError(
      WHO,
      `the recording ends with step ${last}, and the next to come is step ${index}. The steps between would be missing; resume from a step that it holds.`,
    );
  }
}

function requireSameWeights(target: string, recorded: RecordedStep, step: Step): void {
  const k = step.weights.findIndex((w, k) => !Object.is(w, recorded.weights[k]));
  if (k < 0) return;
  throw new BrinkError(
    WHO,
    `entry ${k} of θ at step ${step.index} is ${step.weights[k]}, and ${target} has ${recorded.weights[k]}. The run that comes is not the one that was recorded; the engine, the machine or the objective differs.`,
  );
}

function requireShape(step: Step, { paramCount, hasVelocity, hasGradient }: StepShape): void {
  const wrong =
    step.weights.length !== paramCount ||
    (step.velocity?.length ?? null) !== (hasVelocity ? paramCount : null) ||
    (hasGradient && step.gradient.length !== paramCount);
  if (!wrong) return;
  throw new BrinkError(
    WHO,
    `step ${step.index} has ${step.weights.length} weights and ${step.velocity ? 'a' : 'no'} velocity, and the recording ${paramCount} and ${hasVelocity ? 'one' : 'none'}. All steps of a recording are alike.`,
  );
}

function requireFree(target: string, { writer }: RecordingHeader): void {
  if (isBeingWritten(target, writer)) {
    throw new BrinkError(
      WHO,
      `${target} is in use by process ${writer.pid}, which began it. Wait for its end, or name another file.`,
    );
  }
}

/** Both errors, where the recording could not be finished after another. */
function finishAfter(error: unknown, recorder: Recorder): void {
  try {
    recorder.finish();
  } catch (second) {
    throw new AggregateError([error, second], `${(error as Error).message} ${(second as Error).message}`);
  }
}

/** Lists the recording among the files of a run, where it lies in its folder. */
function listFile(run: RunContext, target: string): void {
  const within = relative(run.directory, target);
  if (!within.startsWith('..') && !isAbsolute(within)) run.files.add(within);
}

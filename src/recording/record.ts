import { hostname } from 'node:os';
import { isAbsolute, relative, resolve } from 'node:path';
import { defer, type MonoTypeOperatorFunction, type Observable, tap } from 'rxjs';
import packageJson from '../../package.json' with { type: 'json' };
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import type { StepSource } from '../core/StepSource.ts';
import { currentRun, type RunContext } from '../files/runContext.ts';
import { beginRecording, continueRecording, type Recorder } from './Recorder.ts';
import type { Estimate } from './RecordingFile.ts';
import type { RecordingHeader } from './RecordingHeader.ts';

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
  readonly onEstimate?: (estimate: Estimate) => void;
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
        ? continueRecording(target, header.source, onEstimate)
        : beginRecording(target, header, { gradient, overwrite, onEstimate });
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

/** The index of the run's last step, as far as its source says. */
function finalIndex(source: JsonObject | null, total: number | undefined, first: number): number | null {
  if (total !== undefined) return first + total - 1;
  return typeof source?.steps === 'number' ? source.steps : null;
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

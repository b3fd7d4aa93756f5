import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { defer, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import { requireFlag, requireOptions, requirePath } from '../core/given.ts';
import { branchOf, madeFrom } from '../core/origin.ts';
import type { RunBranch } from '../core/Step.ts';
import { requireStep, type Step } from '../core/Step.ts';
import { MACHINE } from '../files/versions.ts';
import { beginRecording, continueRecording, type Recorder, requireRoom } from './Recorder.ts';
import type { Estimate } from './RecordingFile.ts';
import type { RecordingHeader } from './RecordingHeader.ts';
import { noteContinuation } from './recordedRun.ts';

/** Which steps are recorded, and what of them. */
export interface RecordOptions {
  /** Records the steps whose index t has t ≡ 0 (mod every); default 1: all. */
  readonly every?: number;
  /** The first step that may be recorded; default 0. */
  readonly from?: number;
  /** The last step that may be recorded; default: the run's last. */
  readonly to?: number;
  /**
   * Whether the gradient is recorded too, which doubles the size; default false: a replay computes it again, for b/n
   * gradients a step, which full-batch GD shares with the probes. With it a replay needs no objective. True is for a
   * source of one's own whose steps have another gradient than that of their `batch` at θ_t + β₂δ_{t−1}, or don't say
   * of which batch it is: a replay can't compute it again.
   */
  readonly gradient?: boolean;
  /** Whether a recording of that name is replaced; default false: it is refused. */
  readonly overwrite?: boolean;
  /**
   * Told once, at the first step and before anything is written, how large the recording will be (where not every step
   * reaches it: at most), where the run's length is known.
   */
  readonly onEstimate?: (estimate: Estimate) => void;
}

const WHO = 'record';

/**
 * Writes the steps that pass through it to a recording, from which `replay` makes the same steps again:
 * (t, θ_t, δ_{t−1}, batch, η, β₁, β₂, …).
 *
 * The file is an Arrow IPC stream with one step a batch, θ_t as FixedSizeList<Float32>[m], readable by Arrow libraries
 * at any moment. It has its name from the first step on. A step is in the hands of the operating system before it
 * passes on: a process that is killed loses none, at most a torn one behind the last, which a replay leaves out and a
 * run that goes on cuts off. The schema's key-values hold what rebuilds the objective and the run. Where no step comes
 * no file is made.
 *
 * Where the length of the run is known, the first step tells the size of the recording (`onEstimate`), and it is
 * refused where the disk has no room for it.
 *
 * Each step has in its message's key-values the CRC-32 of all its bytes, which other readers pass over and replay,
 * resume and fork compare.
 *
 * Of a run that goes on with a recording (`resume`) it goes on with the same file, where no other is named: steps up to
 * its last are compared with what it holds (the last one by its weights) and not written again, later ones follow.
 * `every`, `from`, `to` and `gradient` are then those of the recording.
 *
 * Cost: 4m bytes a step, 8m with momentum, and 4m more with `gradient`; the time to copy them once.
 *
 * @param path Default: the recording that the run goes on with, or `<branch>.arrows`; outside a run `recording.arrows`.
 *   Relative paths start in the run's folder, outside a run in the working folder.
 * @param options `every` (1), `from` (0), `to` (last), `gradient` (false), `overwrite` (false), `onEstimate`.
 * @throws BrinkError at the call where the path does not end in `.arrows` or an option is out of range; at the first
 *   step, within `run` before anything is written, where the file is there already or is read by the source, or where
 *   the run is not that of the recording that it goes on with; in the stream where steps come out of order, an index
 *   lies above 2³¹ − 1, or the disk has no room or refuses. Steps before are kept.
 */
export function record(path?: string, options: RecordOptions = {}): MonoTypeOperatorFunction<Step> {
  requireOptions(WHO, options, ['every', 'from', 'to', 'gradient', 'overwrite', 'onEstimate'], '{ every: 10 }');
  const { every = 1, from = 0, to, gradient = false, overwrite = false, onEstimate } = options;
  if (path !== undefined) requirePath(WHO, path, ['.arrows']);
  requireFlag(WHO, 'gradient', gradient);
  requireFlag(WHO, 'overwrite', overwrite);
  requireInteger(WHO, 'every', every, 1);
  requireInteger(WHO, 'from', from, 0);
  if (to !== undefined) requireInteger(WHO, 'to', to, from);
  requireFlag(WHO, 'gradient', gradient);
  requireFlag(WHO, 'overwrite', overwrite);

  function placeOf({ run: { resumes } }: Step, branch: RunBranch | null) {
    const named = resolve(branch?.directory ?? '.', path ?? `${branch?.name ?? 'recording'}.arrows`);
    const goesOn = resumes !== null && (path === undefined || named === resumes.recording);
    return { target: goesOn ? resumes.recording : named, goesOn };
  }

  function begin(first: Step, branch: RunBranch | null): Recorder {
    const { target } = placeOf(first, branch);
    const { metadata: source, reads } = first.run;
    const header: RecordingHeader = {
      source,
      selection: { every, from, to: to ?? null },
      writer: { host: hostname(), pid: process.pid },
      run: { ...MACHINE, user: branch?.metadata.user ?? {} },
    };
    return beginRecording(target, header, { gradient, overwrite, reads, onEstimate });
  }

  /** The recorder where a recording is gone on with: it is taken before anything is measured. */
  function goOn(first: Step, branch: RunBranch | null): Recorder | null {
    const { target, goesOn } = placeOf(first, branch);
    return goesOn ? continueRecording(target, first, onEstimate) : null;
  }

  /** Says in the folder of a recording which run goes on with it. */
  function noteGoingOn(first: Step, branch: RunBranch): void {
    noteContinuation(WHO, placeOf(first, branch).target, branch.directory);
  }

  /** Refuses before anything is written what `begin` would refuse, and lists the file among those of the run. */
  function claim(first: Step, branch: RunBranch): void {
    const { target } = placeOf(first, branch);
    const { reads } = first.run;
    branch.claim(WHO, target);
    if (!branch.removes(target)) requireRoom(target, { overwrite, reads });
  }

  return (steps) => {
    const recorded = defer(() => {
      const known = branchOf(steps) ?? null;
      let recorder: Recorder | null = null;

      known?.check((first) => {
        if (first === null) return;
        // One that is gone on with belongs to another run, and must not be removed with this one: it is not claimed.
        recorder = goOn(first, known);
        if (recorder === null) claim(first, known);
      });
      known?.whenBegun((first) => {
        if (first === null) return;
        if (recorder) noteGoingOn(first, known);
        else recorder = begin(first, known);
      });

      /** Where what stands in front hides the run, the first step to come tells of it. */
      function beginLate(first: Step): Recorder {
        const { branch } = first.run;
        const going = goOn(first, branch);
        if (going) {
          if (branch) noteGoingOn(first, branch);
          return going;
        }
        if (branch) claim(first, branch);
        return begin(first, branch);
      }

      return steps.pipe(
        tap({
          next: (value) => {
            const step = requireStep(WHO, value);
            recorder ??= beginLate(step);
            recorder.take(step);
          },
          complete: () => recorder?.finish(),
          error: (error) => finishAfter(error, recorder),
          // Whoever unsubscribes is not there to be told.
          unsubscribe: () => {
            try {
              recorder?.finish();
            } catch (error) {
              process.emitWarning(error as Error);
            }
          },
        }),
      );
    });
    return madeFrom(recorded, steps);
  };
}

/** Both errors, where the recording could not be finished after another. */
function finishAfter(error: unknown, recorder: Recorder | null): void {
  try {
    recorder?.finish();
  } catch (second) {
    throw new AggregateError([error, second], `${(error as Error).message} ${(second as Error).message}`);
  }
}

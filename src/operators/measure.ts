import { concatMap, defer, map, Observable, type OperatorFunction } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { Objective, Point } from '../core/Objective.ts';
import { branchOf, type Declared, madeFrom, type RowOrigin, withOrigin } from '../core/origin.ts';
import { requireNames } from '../core/requireNames.ts';
import { requireStep, type Step } from '../core/Step.ts';
import { shown } from '../core/shown.ts';
import { eachInTurn } from './eachInTurn.ts';
import { stretchOf } from './stretchOf.ts';

/** What a probe does at one step: ask the point, return its rows. */
export type Measurement<R> = (point: Point, step: Step) => Promise<R | readonly R[]>;

/** Whom to ask. */
export interface MeasureOptions {
  /** The objective that is measured; default: that of the steps. */
  readonly on?: Objective;
}

/** A probe as the stream sees it. */
export interface Instrument<R extends object> extends Declared {
  /** Its name in error messages. */
  readonly who: string;
  /** The objective that is measured; null: that of the steps. */
  readonly on: Objective | null;
  /**
   * Called once a subscription, with the objective of its first step, and where the run restarts its probes. @throws
   * BrinkError where the two don't go together.
   */
  begin(objective: Objective): Measurement<R>;
}

/**
 * Joins an instrument to the stream: what every probe stands on.
 *
 * For each step it asks the point at θ_t, one step after the other, and emits the row or rows that come. From the
 * moment a step arrives until its rows are emitted the step's source is asked to wait (`step.waitUntil`). On
 * unsubscription the point rejects its next call, so that work ends between two products and no source is left
 * waiting; where the run is stopped, the rows end in the same way. A step whose source has not waited for it (an
 * operator in front delayed it without `waitUntil`) is measured all the same, and a warning says so once.
 */
export function measureWith<R extends object>(instrument: Instrument<R>): OperatorFunction<Step, R> {
  const { who, on } = instrument;
  return (steps) => {
    const branch = branchOf(steps);
    const rows = new Observable<R>((subscriber) => {
      const abort = new AbortController();
      let measurement: Measurement<R> | null = null;
      let origin: RowOrigin | null = null;
      let isHeard = false;
      let isWarned = false;

      let stretch = 0;
      const begin = (step: Step | null) => {
        if (step === null) return;
        const own = stretchOf(step, branch);
        if (measurement !== null && own === stretch) return;
        measurement = instrument.begin(on ?? step.point().objective);
        stretch = own;
      };
      branch?.check(begin);
      subscriber.add(() => abort.abort());

      /** Ends the rows with the run. */
      function heedStop({ run: { branch } }: Step): void {
        if (isHeard || !branch) return;
        isHeard = true;
        const stop = () => subscriber.complete();
        if (branch.stopped.aborted) stop();
        else {
          branch.stopped.addEventListener('abort', stop, { once: true });
          subscriber.add(() => branch.stopped.removeEventListener('abort', stop));
        }
      }

      function warnIfLate({ isSettled, index, run }: Step): void {
        if (!isSettled || isWarned || index === run.last) return;
        isWarned = true;
        process.emitWarning(
          `${who}: step ${index} came after its source had moved on, so that training runs ahead of this probe and steps pile up in memory. An operator in front of it delays steps; let it call step.waitUntil(promise) with what it waits for.`,
          'BrinkWarning',
        );
      }

      const measured = (step: Step) =>
        defer(async () => {
          begin(step);
          try {
            const account = step.run.branch?.account ?? null;
            const point = (on?.at(step.weights) ?? step.point()).until(abort.signal, account);
            const body = () => measurement!(point, step);
            return await (account ? account.measuring(body) : body());
          } catch (cause) {
            const why = cause instanceof Error ? cause.message : String(cause);
            throw new BrinkError(who, `step ${step.index} could not be measured. ${why}`, { cause });
          }
        }).pipe(
          concatMap((result) => {
            origin ??= {
              table: instrument.table,
              provenance: instrument.provenance(step),
              run: step.run,
            };
            return (Array.isArray(result) ? (result as readonly R[]) : [result as R]).map((row) => {
              requireRow(who, step, row);
              return withOrigin(row, origin!);
            });
          }),
        );

      return steps
        .pipe(
          map((value) => {
            const step = requireStep(who, value);
            heedStop(step);
            warnIfLate(step);
            return step;
          }),
          eachInTurn(measured),
        )
        .subscribe(subscriber);
    });
    return madeFrom(rows, steps, instrument);
  };
}

function requireRow(who: string, { index }: Step, row: unknown): void {
  if (typeof row === 'object' && row !== null) return;
  throw new BrinkError(
    who,
    `the measurement at step ${index} returned ${shown(row)}. It must return a row, such as { step: ${index}, … }, or a list of rows.`,
  );
}

function own(options: MeasureOptions): Pick<Instrument<object>, 'who' | 'on' | 'table' | 'provenance'> {
  requireNames('measure', options, ['on']);
  const { on } = options;
  return {
    who: 'measure',
    on: on ?? null,
    table: null,
    provenance: (first) => ({
      probe: null,
      options: null,
      objective: (on ?? first?.run.objective)?.metadata ?? null,
    }),
  };
}

/**
 * Measures something of one's own at every step: `measurement` is called with L at θ_t, one step after the other, and
 * the row or rows that it returns are emitted.
 *
 * While it is at work the source of the steps waits; when it is unsubscribed, the point's next call rejects. It does
 * not decide how often to measure (a throttle in front of it does), nor where rows go (a sink behind it does, with a
 * table of one's own). A probe with a name, a table and options is made by `probe`.
 *
 * @param measurement Called once a step.
 * @param options `on` (the objective of the steps).
 * @throws BrinkError at the call for an option that there is not; in the stream where a measurement fails: it names the
 *   step, and its cause is the failure.
 */
export function measure<R extends object>(
  measurement: Measurement<R>,
  options: MeasureOptions = {},
): OperatorFunction<Step, R> {
  return measureWith({ ...own(options), begin: () => measurement });
}

/**
 * As `measure`, for what carries something from step to step: `begin` is called once a subscription, at its first
 * step.
 */
export function measureAlong<R extends object>(
  begin: (objective: Objective) => Measurement<R>,
  options: MeasureOptions = {},
): OperatorFunction<Step, R> {
  return measureWith({ ...own(options), begin });
}

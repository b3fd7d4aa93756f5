import type { OperatorFunction } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import {
  checkOptions,
  type Options,
  type OptionsGiven,
  type OptionsUsed,
  optionsToJson,
  useOptions,
} from '../core/Option.ts';
import type { Step } from '../core/Step.ts';
import type { Row, Table } from '../core/Table.ts';
import { type Measurement, measureWith } from '../operators/measure.ts';

/** What a probe may need to know of a step. */
export type Needed = 'learningRate' | 'batchSize';

const IN_WORDS: Readonly<Record<Needed, string>> = { learningRate: 'learning rate η', batchSize: 'batch size b' };

/** All that there is to say of a probe. Help, reference, command line and tests read it. */
export interface ProbeDeclaration<T extends Table, O extends Options, R extends Row<T> = Row<T>> {
  /** Its name: that of the function. */
  readonly name: string;
  /** The question that it answers, in a few words. */
  readonly asks: string;
  readonly table: T;
  readonly options: O;
  /** What a step costs: passes, and what is held in memory meanwhile. */
  readonly cost: string;
  /**
   * What a step must say for the question to have an answer, given the options; default: nothing. One that doesn't know
   * it (a checkpoint of a run that was trained elsewhere) is refused.
   */
  needs?(options: OptionsUsed<O>): readonly Needed[];
  /** Checks what options say of each other, at the call. @throws BrinkError. */
  check?(given: Partial<OptionsUsed<O>>): void;
  /**
   * Begins to measure: called once a subscription, before anything is measured.
   *
   * @param options As they are used, defaults included.
   * @param objective What is measured.
   * @throws BrinkError where the two don't go together.
   */
  begin(options: OptionsUsed<O>, objective: Objective): Measurement<R>;
}

/** What a caller writes: the probe's options, and `on`, the objective that is measured (default: that of the steps). */
export type ProbeOptions<O extends Options> = OptionsGiven<O> & { readonly on?: Objective };

/** A probe: options in, an operator from steps to rows out, with its declaration. */
export interface Probe<T extends Table = Table, O extends Options = Options, R extends Row<T> = Row<T>> {
  (
    ...options: Record<never, never> extends OptionsGiven<O> ? [options?: ProbeOptions<O>] : [options: ProbeOptions<O>]
  ): OperatorFunction<Step, R>;
  readonly table: T;
  readonly declaration: ProbeDeclaration<T, O, R>;
}

/** The options of a probe as a caller writes them: `OptionsOf<typeof topEigenvalues>`. */
export type OptionsOf<P> = P extends Probe<infer _T, infer O, infer _R> ? ProbeOptions<O> : never;

/**
 * Makes a probe from its declaration: an operator that measures L at every step that comes and emits rows of its table.
 *
 * While it is at work the source of the steps waits. Options are checked by name and range at the call, and together
 * with the objective at the first step: within `run` before anything is measured, so that a mistake rejects the run.
 * A sink behind it takes the table from it, and says in the file's key-values which probe, options and objective
 * measured the rows.
 *
 * Cost: none of its own.
 *
 * @param declaration `name`, `asks`, `table`, `options`, `cost`, `begin`; `check` where options depend on each other.
 * @throws BrinkError at the call of the probe for a wrong option; in the stream, with the step, where a measurement
 *   fails.
 */
export function probe<T extends Table, const O extends Options, R extends Row<T>>(
  declaration: ProbeDeclaration<T, O, R>,
): Probe<T, O, R> {
  const { name: who, table, options: declared } = declaration;
  const make = (options: unknown = {}): OperatorFunction<Step, R> => {
    if (isObjective(options)) {
      throw new BrinkError(
        who,
        'the options are an objective. A probe has that of its steps; name another one by on: objective.',
      );
    }
    const given = checkOptions(who, declared, options, ['on']);
    const { on } = options as { readonly on?: Objective };
    if (on !== undefined && !isObjective(on)) {
      throw new BrinkError(who, `on is ${String(on)}. It must be an objective, such as \`await empiricalRisk(…)\`.`);
    }
    declaration.check?.(given as Partial<OptionsUsed<O>>);
    const used = (objective: Objective) => useOptions(who, declared, given, objective);
    return measureWith<R>({
      who,
      on: on ?? null,
      table,
      provenance: (first) => {
        const objective = on ?? first?.run.objective ?? null;
        return {
          probe: who,
          options: optionsToJson(declared, objective ? used(objective) : given),
          objective: objective?.metadata ?? null,
        };
      },
      begin: (objective) => {
        const measurement = declaration.begin(used(objective), objective);
        const needed = declaration.needs?.(used(objective)) ?? [];
        return (point, step) => {
          requireKnown(who, step, needed);
          return measurement(point, step);
        };
      },
    });
  };
  Object.defineProperty(make, 'name', { value: who });
  return Object.assign(make, { table, declaration }) as Probe<T, O, R>;
}

/** Throws where a step doesn't say what the probe needs. */
function requireKnown(who: string, step: Step, needed: readonly Needed[]): void {
  const missing = needed.find((name) => Number.isNaN(step[name]));
  if (missing === undefined) return;
  throw new BrinkError(
    who,
    `step ${step.index} doesn't say its ${IN_WORDS[missing]}, and without it the question has no answer. Let the source ` +
      `say so: checkpoints(files, { objective, ${missing}: … }).`,
  );
}

function isObjective(value: unknown): value is Objective {
  // Lists and texts have an `at` too.
  const { at, paramCount } = Object(value) as Partial<Objective>;
  return typeof at === 'function' && typeof paramCount === 'number';
}

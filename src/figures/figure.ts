import type { Observable } from 'rxjs';
import type { TopLevelSpec } from 'vega-lite';
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import type { Branches } from '../runs/branches.ts';
import type { Estimate } from '../statistics/Estimate.ts';
import type { MadeRuns } from './MadeRuns.ts';

/** One run of a figure, before it is made. */
export interface PlannedRun {
  /** Its folder's name, and how plot and claims ask for it. */
  readonly name: string;
  /** What sets it apart from the figure's other runs, in numbers and words: a column each in the report. */
  readonly parameters: JsonObject;
  /** Puts the source of its steps together; called only where the run is made. */
  readonly steps: (seed: number) => Observable<Step> | Promise<Observable<Step>>;
  /** What is measured. Each branch ends in `toParquet()`. */
  readonly branches: Branches;
  /** What it costs, in passes over all examples: where it is said, a run that would take too long is refused. */
  readonly work?: { readonly gradients: number; readonly products: number };
  /**
   * Records every so many steps, so that the run goes on where it was cut off; default: it begins anew.
   *
   * For runs whose `steps` are those of `gradientDescent` as they are: what an operator behind it does to them is not
   * known when they go on; and whose tables have the step in their key. A recorded step takes 4m bytes, 8m with
   * momentum. The recording, `recording.arrows` in the run's first folder, stays when the run has ended: nothing of the
   * figure reads it then, so that it can be replayed, or removed.
   */
  readonly checkpoint?: { readonly every: number };
}

/** The branch that a checkpoint adds to those of its run. */
export const CHECKPOINT = 'recording';

/** A planned run for one seed. */
export interface SeededRun {
  readonly plan: PlannedRun;
  readonly seed: number;
}

/** What a figure's runs may need from outside. */
export interface FigureInputs {
  /** The folder, or a file, of the data that is not part of brink; null: none was named. */
  readonly data: string | null;
}

/** Where a claim holds, from `low` to `high`; one that is left out is no bound. */
export interface ClaimRegion {
  readonly low?: number;
  readonly high?: number;
  /** Why these bounds. */
  readonly why: string;
}

/** One sentence that a figure is to show, and the rule that decides it, fixed before the runs. */
export interface Claim {
  /** Short, unique in its figure: `ias-around-the-edge`. */
  readonly id: string;
  /** The claim in words. */
  readonly says: string;
  /** Where the paper makes it. */
  readonly where: string;
  /** How it is measured: columns, estimator, window of steps. */
  readonly how: string;
  readonly region: ClaimRegion;
  /** The number with its interval, from the runs of one seed; a text says why there is none. */
  readonly measure: (runs: MadeRuns) => Estimate | string;
}

/** A setting, as the paper has it and as it is here. */
export interface Setting {
  readonly name: string;
  /** What the paper states; null: nothing. */
  readonly paper: string | null;
  readonly here: string;
  readonly why: string;
}

/** All that there is to say of a figure. */
export interface FigureDeclaration<P> {
  /** '4', as in `npm run figure -- 4`. */
  readonly name: string;
  /** What it shows, in one line. */
  readonly title: string;
  /** The figure of the paper, or whose idea it is. */
  readonly source: string;
  /** What is drawn: a few sentences. */
  readonly about: string;
  /** The parameters by scale: `smoke` takes seconds, `laptop` minutes, `paper` has the paper's settings. */
  readonly presets: { readonly smoke: P; readonly laptop: P; readonly paper: P } & { readonly [scale: string]: P };
  /** The runs that it takes. */
  readonly runs: (preset: P, inputs: FigureInputs) => readonly PlannedRun[];
  /** The picture, from the runs of the first seed; `seeds` has those of all. */
  readonly plot: (runs: MadeRuns, preset: P, seeds: readonly MadeRuns[]) => TopLevelSpec;
  readonly claims: (preset: P) => readonly Claim[];
  readonly settings: (preset: P) => readonly Setting[];
}

/** A figure of any preset, with its runs, picture and claims. */
// biome-ignore lint/suspicious/noExplicitAny: its own functions alone see its presets
export type Figure = FigureDeclaration<any>;

/**
 * Declares a figure: presets, the runs that it takes, the picture, and the claims with the rule that decides each.
 *
 * It is data, and nothing runs: `makeFigure` makes it from its file, `npx brink figure FILE` on the command line. What
 * a claim measures must follow from the rows of the runs alone, so that it can be measured again from the tables.
 *
 * A claim that holds says so of these runs; with one seed nothing is said of training in general.
 *
 * Cost: none.
 *
 * @param declaration `name`, `title`, `source`, `about`, `presets`, `runs`, `plot`, `claims`, `settings`.
 * @throws BrinkError where a name can't be that of a folder, a scale is missing, or two runs or claims of a preset have
 *   one name.
 * @example
 * import { figure } from 'brink';
 *
 * export default figure({
 *   name: 'mine',
 *   title: 'What it shows',
 *   source: 'ours',
 *   about: 'What is drawn.',
 *   presets: { smoke: {}, laptop: {}, paper: {} },
 *   runs: () => [],
 *   plot: () => ({ data: { values: [] }, mark: 'point', encoding: {} }),
 *   claims: () => [],
 *   settings: () => [],
 * });
 */
export function figure<const P>(declaration: FigureDeclaration<P>): FigureDeclaration<P> {
  const { name, presets } = declaration;
  requireFolderName('the figure', name);
  for (const scale of ['smoke', 'laptop', 'paper']) {
    if (!(scale in presets)) {
      throw new BrinkError(WHO, `figure ${name} has no preset '${scale}'. Every figure has smoke, laptop and paper.`);
    }
  }
  for (const scale of Object.keys(presets)) {
    requireFolderName(`a preset of figure ${name}`, scale);
    requireUnique(
      name,
      scale,
      'claims',
      declaration.claims(presets[scale]!).map(({ id }) => id),
    );
  }
  return declaration;
}

const WHO = 'figure';

/**
 * The runs of one scale.
 *
 * @throws BrinkError where two have one name, or one has a name that no folder can have, or a checkpoint that can't be.
 */
export function plannedRuns(declaration: Figure, scale: string, inputs: FigureInputs): readonly PlannedRun[] {
  const planned: readonly PlannedRun[] = declaration.runs(presetOf(declaration, scale), inputs);
  for (const { name, checkpoint, branches } of planned) {
    requireFolderName(`a run of figure ${declaration.name}`, name);
    if (checkpoint === undefined) continue;
    requireInteger(WHO, `every of the checkpoint of the run ${name}`, checkpoint.every, 1);
    if (!Object.hasOwn(branches, CHECKPOINT)) continue;
    throw new BrinkError(
      WHO,
      `the run ${name} has a checkpoint and a branch '${CHECKPOINT}', which a checkpoint adds. Rename the branch.`,
    );
  }
  requireUnique(
    declaration.name,
    scale,
    'runs',
    planned.map(({ name }) => name),
  );
  return planned;
}

/** The preset of a scale. @throws BrinkError where there is none of that name. */
export function presetOf({ name, presets }: Figure, scale: string): unknown {
  if (Object.hasOwn(presets, scale)) return presets[scale];
  throw new BrinkError(WHO, `figure ${name} has no scale '${scale}'. It has ${Object.keys(presets).join(', ')}.`);
}

function requireFolderName(what: string, name: string): void {
  if (/^[\w.-]+$/.test(name) && !/^\.+$/.test(name)) return;
  throw new BrinkError(
    WHO,
    `${what} is named ${JSON.stringify(name)}. Its name is that of a folder: letters, digits, '.', '_' and '-'.`,
  );
}

function requireUnique(figure: string, scale: string, what: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw new BrinkError(WHO, `two ${what} of figure ${figure}, ${scale}, are named '${twice}'. Rename one of them.`);
}

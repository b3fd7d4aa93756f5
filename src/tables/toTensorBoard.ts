import { existsSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { defer, finalize, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import { requireFlag, requireOptions, requireText } from '../core/given.ts';
import { branchOf, declaredOf, madeFrom, originOf } from '../core/origin.ts';
import type { RunBranch } from '../core/Step.ts';
import type { Row, Table } from '../core/Table.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { checkRow, checkTable } from './checkRow.ts';
import { EventFile } from './eventFile.ts';
import { endBefore, rowsBehind } from './rowsBehind.ts';
import { scalarsOf } from './scalarsOf.ts';

/** Where the events go. */
export interface TensorBoardOptions {
  /**
   * The folder of the events, which is a run of TensorBoard's; default `tensorboard/<branch>`, outside a run
   * `tensorboard/<table>`. Relative paths start in the run's folder, else in the working folder.
   */
  readonly folder?: string;
  /** Whether events of brink's that lie there are replaced; default false: they are refused. */
  readonly overwrite?: boolean;
}

const WHO = 'toTensorBoard';
/** TensorBoard looks for `tfevents` in the name. */
const FILE = 'events.out.tfevents.brink';

/**
 * Writes the rows that pass through it as scalars for TensorBoard, which shows them while the run lives:
 * `tensorboard --logdir output/run/tensorboard`.
 *
 * Each column of numbers (also true and false, as 1 and 0) that is not of the key is a tag; what else the key has
 * stands behind it: `ias/batch_size=32`. Text, lists and null are left out. A record is written whole as its row comes,
 * with its checksum, so that a run that is killed leaves all that were; one that is resumed writes those that follow,
 * each once, into its own folder. What it does not hold: float64 (TensorBoard's
 * scalars are float32), units and key-values; put a `toParquet()` behind it for those.
 *
 * Cost: about 30 µs a row.
 *
 * ```ts
 * import { gradientDescent, run, toParquet, toTensorBoard, toy, trainingLoss } from 'brink';
 *
 * const train = () =>
 *   run(gradientDescent(toy(), { learningRate: 0.01, steps: 10 }), {
 *     loss: (s) => s.pipe(trainingLoss(), toTensorBoard(), toParquet()),
 *   });
 * ```
 *
 * @param table The declaration, for rows of your own; default: the probe's.
 * @param options `folder`, `overwrite` (false).
 * @throws BrinkError at the call for an option that there is not or of another type; before the first step where
 *   another branch writes there; in the stream where events are there already, the table has no step, a row does not
 *   fit the table, or the disk refuses.
 */
export function toTensorBoard<R extends object>(options?: TensorBoardOptions): MonoTypeOperatorFunction<R>;
export function toTensorBoard<T extends Table>(
  table: T,
  options?: TensorBoardOptions,
): MonoTypeOperatorFunction<Row<T>>;
export function toTensorBoard(
  first: Table | TensorBoardOptions = {},
  second: TensorBoardOptions = {},
  // biome-ignore lint/suspicious/noExplicitAny: the rows' type is that of the stream, see the two signatures above
): MonoTypeOperatorFunction<any> {
  const given = Object.hasOwn(Object(first), 'columns') ? (first as Table) : null;
  const options = given ? second : (first as TensorBoardOptions);
  requireOptions(WHO, options, ['folder', 'overwrite'], '{ overwrite: true }');
  const { folder, overwrite = false } = options;
  if (folder !== undefined) requireText(WHO, 'folder', folder);
  requireFlag(WHO, 'overwrite', overwrite);
  if (given) checkTable(WHO, given);

  const targetOf = (branch: RunBranch | null, table: Table | null): string =>
    join(resolve(branch?.directory ?? '.', folder ?? join('tensorboard', `${branch?.name ?? table?.name}`)), FILE);

  function requireRoom(target: string, isGone: (file: string) => boolean): void {
    if (overwrite || !existsSync(target) || isGone(target)) return;
    throw new BrinkError(WHO, `${target} is there already. Name another folder, or pass overwrite: true.`);
  }

  function open(target: string): EventFile {
    requireRoom(target, () => false);
    return sayingWhy(WHO, `${target} cannot be written`, 'Name a place that can.', () => {
      makeFolders(dirname(target));
      rmSync(target, { force: true });
      return new EventFile(target);
    });
  }

  return (rows) => {
    const branch = branchOf(rows) ?? null;
    const known = given ?? declaredOf(rows)?.table ?? null;
    const written = defer(() => {
      let file: EventFile | null = null;
      let isNew: ((row: object) => boolean) | null = null;
      if (branch) {
        const target = targetOf(branch, known);
        branch.claim(WHO, target);
        branch.check(() => requireRoom(target, branch.removes));
        branch.whenBegun(() => {
          file = open(target);
        });
      }

      /** Where what stands in front hides the run, the first row to come tells of it. */
      function openLate(target: string, own: RunBranch | null): EventFile {
        if (own && !branch) own.claim(WHO, target);
        return open(target);
      }

      function append(row: object): void {
        const table = known ?? originOf(row)?.table ?? null;
        if (table === null) {
          throw new BrinkError(
            WHO,
            'the table of the rows is not known: no probe stands in front, or what stands between hides it. Hand it ' +
              'over, as in toTensorBoard(table).',
          );
        }
        const { step } = row as { readonly step?: unknown };
        if (!Number.isSafeInteger(step) || (step as number) < 0) {
          throw new BrinkError(
            WHO,
            `a row of the table '${table.name}' has the step ${step}. TensorBoard draws over steps: whole numbers from 0.`,
          );
        }
        const run = originOf(row)?.run ?? null;
        const own = branch ?? run?.branch ?? null;
        file ??= openLate(targetOf(own, table), own);
        isNew ??= rowsBehind(table, endBefore(run, own, targetOf(own, table)));
        if (!isNew(row)) return;
        const scalars = scalarsOf(table, checkRow(WHO, table, row as Readonly<Record<string, unknown>>));
        sayingWhy(WHO, `the events of step ${step} cannot be written`, 'Make room; those before are kept.', () => {
          if (scalars.length > 0) file!.append(step as number, scalars);
        });
      }

      return rows.pipe(
        tap({ next: append }),
        finalize(() => file?.close()),
      );
    });
    return madeFrom(written, rows);
  };
}

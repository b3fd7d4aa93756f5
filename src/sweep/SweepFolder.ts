import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { BrinkError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/Json.ts';
import { holderOf } from '../files/FileLock.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { VERSIONS } from '../files/versions.ts';
import { writeWhole } from '../files/WholeFile.ts';
import type { Cell, SweepPlan } from './planSweep.ts';

const WHO = 'sweep';
const FORMAT = 1;

/** How a cell ended: `diverged` is a result too; `failed` is tried again. */
export type CellEnd = 'done' | 'diverged' | 'failed';

/** What is known of a cell that has ended. */
export interface CellResult {
  readonly index: number;
  readonly id: string;
  readonly planHash: string;
  readonly state: CellEnd;
  /** How many times it was begun. */
  readonly attempts: number;
  /** Of the last attempt, wall time. */
  readonly seconds: number;
  /** How many steps there were. */
  readonly steps: number;
  readonly error: string | null;
  /** The numbers and words of the last row of each table that has a row a step, as `<branch>_<column>`. */
  readonly metrics: Readonly<Record<string, number | string | null>>;
  readonly brink: string;
}

const header = z.object({
  format: z.literal(FORMAT),
  brink: z.string(),
  planHash: z.string(),
  threads: z.int(),
  axes: z.looseObject({}),
});
const line = z.object({ index: z.int(), id: z.string(), params: z.looseObject({}), pipeline: z.looseObject({}) });

/**
 * The folder of a sweep: `plan.jsonl`, written once; `results/<id>.json` of each cell that has ended; `cells/<id>`, the
 * folders of the runs. These files are all of a sweep's state.
 */
export class SweepFolder {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = resolve(directory);
  }

  get #plan(): string {
    return join(this.directory, 'plan.jsonl');
  }

  /** The folder of a cell's run. */
  run({ id }: Pick<Cell, 'id'>): string {
    return join(this.directory, 'cells', id);
  }

  #result(id: string): string {
    return join(this.directory, 'results', `${id}.json`);
  }

  /** Whether some process is at work on a cell. */
  isRunning(cell: Cell): boolean {
    return holderOf(this.run(cell)) !== null;
  }

  /**
   * Writes the plan, before anything runs; the same plan again changes nothing.
   *
   * @throws BrinkError where the folder holds another plan, or can't be written.
   */
  begin({ planHash, threads, axes, cells }: SweepPlan): void {
    if (existsSync(this.#plan)) {
      if (this.read().planHash === planHash) return;
      throw new BrinkError(
        WHO,
        `${this.directory} holds the plan of another sweep, whose results would be mixed with this one's. Name another folder.`,
      );
    }
    const lines = [{ format: FORMAT, brink: VERSIONS.brink, planHash, threads, axes }, ...cells].map((entry) =>
      JSON.stringify(entry),
    );
    sayingWhy(WHO, `${this.directory} can't be written`, 'Name another folder.', () => {
      for (const name of ['cells', 'results']) makeFolders(join(this.directory, name));
      writeWhole(this.#plan, `${lines.join('\n')}\n`);
    });
  }

  /** @throws BrinkError where there is no plan, or it was damaged. */
  read(): SweepPlan {
    const text = sayingWhy(WHO, `${this.#plan} can't be read`, '`brink sweep plan` writes it.', () =>
      readFileSync(this.#plan, 'utf8'),
    );
    try {
      const [first, ...rest] = text
        .trimEnd()
        .split('\n')
        .map((entry) => JSON.parse(entry));
      const { planHash, threads, axes } = header.parse(first);
      const cells = rest.map((entry) => line.parse(entry)) as unknown as Cell[];
      if (!cells.every(({ index }, k) => index === k)) throw new Error('cells are missing');
      return { planHash, threads, axes: axes as Readonly<Record<string, readonly Json[]>>, cells };
    } catch (cause) {
      throw new BrinkError(WHO, `${this.#plan} is damaged: ${(cause as Error).message}. Plan the sweep anew.`, {
        cause,
      });
    }
  }

  /** What is known of a cell; null where it has not ended, or what was written is not whole. */
  resultOf(id: string): CellResult | null {
    try {
      return JSON.parse(readFileSync(this.#result(id), 'utf8')) as CellResult;
    } catch {
      return null;
    }
  }

  /** Whether a cell needs no more: what has failed is tried again. */
  hasEnded(id: string): boolean {
    const result = this.resultOf(id);
    return result !== null && result.state !== 'failed';
  }

  /** The commit of a cell: once the file has its name, the cell has ended. */
  commit(result: CellResult): void {
    const path = this.#result(result.id);
    sayingWhy(WHO, `${path} can't be written`, 'Make room, and run the sweep again.', () => {
      makeFolders(join(this.directory, 'results'));
      writeWhole(path, `${JSON.stringify(result satisfies object as unknown as JsonObject)}\n`);
    });
  }

  /** The tables of a cell that has ended, by their branches. */
  tablesOf(cell: Pick<Cell, 'id'>): ReadonlyMap<string, string> {
    const folder = this.run(cell);
    const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.parquet')) : [];
    return new Map(files.sort().map((file) => [file.slice(0, -'.parquet'.length), join(folder, file)]));
  }
}

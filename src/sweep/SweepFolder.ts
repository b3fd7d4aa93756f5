import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { BrinkError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/Json.ts';
import { holderOf } from '../files/FileLock.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { VERSIONS } from '../files/versions.ts';
import { writeWhole } from '../files/WholeFile.ts';
import { type Cell, planHashOf, type SweepPlan } from './planSweep.ts';
import type { SweepModule } from './sweepModule.ts';

const WHO = 'sweep';
const FORMAT = 1;

/** How a cell ended: `diverged` is a result too; `failed` is tried again. */
export type CellEnd = 'done' | 'diverged' | 'failed';
const ENDS: readonly CellEnd[] = ['done', 'diverged', 'failed'];

/** What is known of a cell that has ended. */
export interface CellResult {
  readonly index: number;
  readonly id: string;
  readonly planHash: string;
  readonly state: CellEnd;
  /** How many times it was begun, or gone on with. */
  readonly attempts: number;
  /** Of the last attempt, wall time. */
  readonly seconds: number;
  /** How many steps there were. */
  readonly steps: number;
  readonly error: string | null;
  /** The numbers and words of the last row of each table that has a row a step, as `<branch>_<column>`. */
  readonly metrics: Readonly<Record<string, number | string | null>>;
  readonly brink: string;
  /**
   * What computed it: `name`, `device` with the number of threads, `version`; null: no step came, or none of brink's.
   */
  readonly engine: JsonObject | null;
  /**
   * SHA-256 of what its run said of the data and the weights that were handed in, checksums included; null: no step.
   */
  readonly inputHash: string | null;
  readonly processor: string;
}

const header = z.object({
  format: z.literal(FORMAT),
  brink: z.string(),
  planHash: z.string(),
  threads: z.int(),
  checkpoint: z.int().nullable(),
  module: z.object({ path: z.string(), files: z.array(z.string()).default([]), definition: z.string() }).nullable(),
  axes: z.looseObject({}),
});
const line = z.object({ index: z.int(), id: z.string(), params: z.looseObject({}) }).loose();

/**
 * The folder of a sweep: `plan.jsonl`, written once; `results/<id>.json` of each cell that has ended; `cells/<id>`, the
 * folders of the runs, with `.2`, `.3` where they were gone on with; `attempts/<id>`, a byte for each time that a cell
 * was begun. These files are all of a sweep's state.
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

  /** Counts that a cell begins. */
  begins({ id }: Pick<Cell, 'id'>): void {
    makeFolders(join(this.directory, 'attempts'));
    appendFileSync(join(this.directory, 'attempts', id), '.');
  }

  /** How often a cell was begun. */
  attemptsOf({ id }: Pick<Cell, 'id'>): number {
    return statSync(join(this.directory, 'attempts', id), { throwIfNoEntry: false })?.size ?? 0;
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
  begin({ cells, ...plan }: SweepPlan): void {
    if (existsSync(this.#plan)) {
      if (this.read().planHash === plan.planHash) return;
      throw new BrinkError(
        WHO,
        `${this.directory} holds the plan of another sweep, whose results would be mixed with this one's. Name another folder.`,
      );
    }
    // From this folder on: a copy of both goes on elsewhere.
    const module = plan.module && this.#placed(plan.module, relative);
    const lines = [{ format: FORMAT, brink: VERSIONS.brink, ...plan, module }, ...cells].map((entry) =>
      JSON.stringify(entry),
    );
    sayingWhy(WHO, `${this.directory} can't be written`, 'Name another folder.', () => {
      for (const name of ['cells', 'results']) makeFolders(join(this.directory, name));
      writeWhole(this.#plan, `${lines.join('\n')}\n`);
    });
  }

  #placed(module: SweepModule, place: (folder: string, path: string) => string): SweepModule {
    const from = (path: string) => place(this.directory, path);
    return { ...module, path: from(module.path), files: module.files.map(from) };
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
      const { format: _f, brink: _b, axes, module, ...plan } = header.parse(first);
      const cells = rest.map((entry) => line.parse(entry)) as unknown as Cell[];
      if (planHashOf(plan.threads, rest) !== plan.planHash)
        throw new Error('its cells are not those that were planned');
      return {
        ...plan,
        axes: axes as Readonly<Record<string, readonly Json[]>>,
        module: module && this.#placed(module, resolve),
        cells,
      };
    } catch (cause) {
      throw new BrinkError(WHO, `${this.#plan} is damaged: ${(cause as Error).message}. Plan the sweep anew.`, {
        cause,
      });
    }
  }

  /** What is known of a cell; null where it has not ended, or what was written is not whole. */
  resultOf(id: string): CellResult | null {
    try {
      const result = JSON.parse(readFileSync(this.#result(id), 'utf8')) as CellResult;
      return ENDS.includes(result.state) ? result : null;
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
}

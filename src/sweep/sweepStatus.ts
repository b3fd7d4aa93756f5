import type { Json } from '../core/Json.ts';
import { requireNames } from '../core/requireNames.ts';
import type { Cell, SweepPlan } from './planSweep.ts';
import { queuedCells } from './queuedCells.ts';
import { type CellEnd, SweepFolder } from './SweepFolder.ts';

/** Where a cell stands: how it ended, that a process is at work on it, that Slurm has it in its queue, or neither. */
export type CellState = CellEnd | 'running' | 'queued' | 'missing';

export interface StatusOptions {
  /** Whether Slurm is asked which cells wait in its queue. Default: false. */
  readonly slurm?: boolean;
}

/** A sweep at a moment. */
export interface SweepStatus {
  readonly cells: readonly { readonly cell: Cell; readonly state: CellState; readonly error: string | null }[];
  readonly counts: Readonly<Record<CellState, number>>;
  /** The grid as text: rows by the first axis that has several values, columns by the second; what each sign means. */
  readonly picture: string;
}

const SIGNS: Readonly<Record<CellState, string>> = {
  done: '#',
  diverged: '!',
  failed: 'x',
  running: 'r',
  queued: 'q',
  missing: '.',
};
/** Where several cells share a place, the one that most needs to be seen. */
const FIRST: readonly CellState[] = ['failed', 'running', 'queued', 'missing', 'diverged', 'done'];

/**
 * How the cells of a sweep stand, from its files alone: nothing is asked of the processes. With `slurm` the queue is
 * asked besides, in which a cell may wait that has failed before; else that is `failed`, or `missing`.
 *
 * A cell whose process was killed is `missing` again at once; on another machine, ten minutes after its last heartbeat.
 *
 * @param directory The sweep's folder.
 * @param options `slurm` (false).
 * @throws BrinkError where there is no plan, or Slurm is asked and does not answer.
 */
export function sweepStatus(directory: string, options: StatusOptions = {}): SweepStatus {
  requireNames('sweep', options, ['slurm']);
  const folder = new SweepFolder(directory);
  const plan = folder.read();
  const queue = options.slurm ? queuedCells(folder.directory, plan) : new Set<number>();
  const standing = standingOf(folder, plan, queue);
  const cells = standing.map(({ cell, state, result }) => ({ cell, state, error: result?.error ?? null }));
  return { cells, counts: countsOf(standing), picture: pictureOf(plan.axes, cells) };
}

/** How each cell of a plan stands, and what is known of it, read once. */
export function standingOf(folder: SweepFolder, { cells }: SweepPlan, queue: ReadonlySet<number> = new Set()) {
  return cells.map((cell) => {
    const result = folder.resultOf(cell.id);
    const state: CellState =
      result !== null && result.state !== 'failed'
        ? result.state
        : folder.isRunning(cell)
          ? 'running'
          : queue.has(cell.index)
            ? 'queued'
            : (result?.state ?? 'missing');
    return { cell, state, result };
  });
}

/** How many cells are in each state. */
export function countsOf(cells: readonly { readonly state: CellState }[]): Readonly<Record<CellState, number>> {
  const count = (state: CellState) => cells.filter((one) => one.state === state).length;
  return Object.fromEntries(FIRST.map((state) => [state, count(state)])) as Record<CellState, number>;
}

function pictureOf(axes: Readonly<Record<string, readonly Json[]>>, cells: SweepStatus['cells']): string {
  const wide = Object.keys(axes).filter((name) => axes[name]!.length > 1);
  const [down = Object.keys(axes)[0]!, across] = wide;
  const at = (value: Json, other: Json | undefined): string => {
    const here = cells.filter(
      ({ cell: { params } }) => same(params[down], value) && (across === undefined || same(params[across], other)),
    );
    const state = FIRST.find((one) => here.some((cell) => cell.state === one));
    return state ? SIGNS[state] : ' ';
  };
  const heads = across === undefined ? [''] : axes[across]!.map(text);
  const widths = heads.map((head) => Math.max(head.length, 1));
  const labels = axes[down]!.map(text);
  const left = Math.max(down.length, ...labels.map((label) => label.length));
  const row = (label: string, entries: readonly string[]) =>
    `${label.padStart(left)}  ${entries.map((entry, k) => entry.padStart(widths[k]!)).join(' ')}`.trimEnd();
  const columns = across === undefined ? [undefined] : axes[across]!;
  return [
    ...(across === undefined ? [] : [`${' '.repeat(left)}  ${across}`]),
    row(down, heads),
    ...axes[down]!.map((value, k) =>
      row(
        labels[k]!,
        columns.map((other) => at(value, other)),
      ),
    ),
    '',
    Object.entries(SIGNS)
      .map(([state, sign]) => `${sign} ${state}`)
      .join('   '),
  ].join('\n');
}

const same = (a: Json | undefined, b: Json | undefined) => JSON.stringify(a) === JSON.stringify(b);
const text = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));

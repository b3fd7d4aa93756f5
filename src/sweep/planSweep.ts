import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json, JsonObject } from '../core/Json.ts';
import { threadCount } from '../engine/threadCount.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { parseStrictly } from '../runs/parseNamed.ts';
import { parseSpecification, readNames, type Specification } from '../runs/specification.ts';
import { plannedModule, type SweepModule } from './sweepModule.ts';

const WHO = 'sweep';

const range = z.strictObject({
  from: z.number(),
  to: z.number(),
  count: z.int().min(1),
  scale: z.enum(['linear', 'log']).default('linear'),
});
const request = z.strictObject({
  pipeline: z.looseObject({}).exactOptional().describe('What every cell runs: as for `brink run`, no directory.'),
  module: z.string().exactOptional().describe('In place of a pipeline, a program that makes the run of a cell.'),
  parameters: z.record(z.string(), z.json()).exactOptional().describe('What a module is called with, beside the axes.'),
  files: z.array(z.string()).exactOptional().describe('What a module reads, beside what it imports.'),
  axes: z.record(z.string(), z.union([z.array(z.json()).min(1), range])),
  zip: z.array(z.array(z.string()).min(2)).default([]).describe('Axes that go along with each other.'),
  checkpoint: z
    .strictObject({ every: z.int().min(1) })
    .exactOptional()
    .describe('Where a cell that was cut off goes on; default: it begins anew.'),
  threads: z.int().min(1).exactOptional().describe('Of a cell; default: BRINK_THREADS, else 1.'),
});

/** The values of an axis: a list, or so many from one number to another. */
export type SweepAxis = readonly Json[] | z.input<typeof range>;

/** A grid of pipelines. */
export interface SweepRequest {
  /** What every cell runs: the JSON of `brink run`, without a directory; this or `module`. */
  readonly pipeline?: JsonObject;
  /**
   * A file whose default export is a function from parameters to what a cell runs (`CellRun`), or to a promise of it; a
   * relative path starts in the working folder. Together with the files beside it that it imports it is part of the
   * plan.
   */
  readonly module?: string;
  /** What the module's function gets in every cell; the axes are set in it. */
  readonly parameters?: JsonObject;
  /**
   * Files that the module reads, beside what it imports: they are part of the plan, and read at each cell to see so.
   */
  readonly files?: readonly string[];
  /**
   * Every how many steps a cell is recorded, so that it goes on from there when it is cut off, with the same bits.
   * Probes begin afresh at those steps (`restartEvery` of `run`). Default: it begins anew.
   */
  readonly checkpoint?: { readonly every: number };
  /** Values by what they are of: `learningRate`, `model.hidden`, `data.train`. */
  readonly axes: Readonly<Record<string, SweepAxis>>;
  /** Axes of the same length that go along with each other rather than all with all. */
  readonly zip?: readonly (readonly string[])[];
  /** How many threads a cell computes with, on every machine: the bits depend on it. Default: BRINK_THREADS, else 1. */
  readonly threads?: number;
}

/** One pipeline of a sweep. */
export interface Cell {
  readonly index: number;
  /** From the pipeline: the same one has the same name in every plan. */
  readonly id: string;
  /** The values of the axes, by the columns' names. */
  readonly params: JsonObject;
  readonly pipeline?: Specification;
  /** In place of a pipeline: what the plan's module is called with. */
  readonly parameters?: JsonObject;
}

/** A sweep as it is planned. */
export interface SweepPlan {
  /** SHA-256 of all its cells, and of what else their bits depend on. */
  readonly planHash: string;
  /** How many threads a cell computes with. */
  readonly threads: number;
  /** The columns' names, in the order of the axes, and the values of each. */
  readonly axes: Readonly<Record<string, readonly Json[]>>;
  readonly cells: readonly Cell[];
  /** Every how many steps a cell is recorded while it runs; null: never. */
  readonly checkpoint: number | null;
  /** What makes the runs of the cells, where these are no pipelines. */
  readonly module: SweepModule | null;
}

/**
 * The cells of a grid: the product of its axes, those that are zipped side by side, the last one changing fastest.
 *
 * Each cell's pipeline is checked here as `brink run` checks it, before anything runs. Ranges are rounded to twelve
 * digits, so that 0.1 is 0.1; in steps of one factor with `scale: 'log'`.
 *
 * @param value `pipeline` or `module` with `parameters` and `files`, `axes`, `zip` ([]), `checkpoint` (none), `threads`
 *   (BRINK_THREADS, else 1); as JSON, and so of unknown type.
 * @throws CommandLineError where an axis is none of the pipeline's options, a cell would be refused, zipped axes differ
 *   in length, or two cells are the same.
 * @example
 * import { planSweep } from 'brink';
 *
 * const { cells } = planSweep({
 *   pipeline: { data: { name: 'digits', train: 64 }, steps: 10, learningRate: 0.1 },
 *   axes: { batchSize: [4, 16], learningRate: { from: 0.025, to: 0.1, count: 3, scale: 'log' } },
 * });
 * console.log(cells.length, JSON.stringify(cells[1]!.params)); // 6 {"batch_size":4,"learning_rate":0.05}
 */
export function planSweep(value: unknown): SweepPlan {
  const {
    pipeline,
    module: file,
    parameters,
    files,
    axes,
    zip,
    ...more
  } = parseStrictly(WHO, 'the sweep', value, request);
  const { threads = process.env.BRINK_THREADS ? threadCount() : 1 } = more;
  const checkpoint = more.checkpoint?.every ?? null;
  if ((pipeline === undefined) === (file === undefined)) {
    throw new CommandLineError(WHO, 'the sweep must have either a pipeline or a module: what every cell runs.');
  }
  for (const [name, given] of Object.entries({ parameters, files })) {
    if (given === undefined || file !== undefined) continue;
    throw new CommandLineError(WHO, `there are ${name}, which a module takes, and no module. Name one.`);
  }
  if (pipeline !== undefined && ('directory' in pipeline || 'directory' in axes)) {
    throw new CommandLineError(
      WHO,
      `the ${'directory' in pipeline ? 'pipeline names' : 'axes name'} a directory. Each cell has its own, in the folder of the sweep.`,
    );
  }
  const module = file === undefined ? null : plannedModule(file, files ?? []);
  const common = (pipeline === undefined ? (parameters ?? {}) : readNames(pipeline)) as Record<string, unknown>;
  const values = new Map(Object.entries(axes).map(([path, axis]) => [path, valuesOf(path, axis)]));
  if (values.size === 0) throw new CommandLineError(WHO, 'there is no axis. One run is `brink run`.');
  const columns = new Map([...values.keys()].map((path) => [path, columnOf(path)]));
  if (new Set(columns.values()).size < columns.size) {
    throw new CommandLineError(WHO, `two axes have one name: ${[...columns.values()].join(', ')}.`);
  }
  const groups = groupsOf(values, zip);
  requireNoneReplaced(groups.flatMap(([first]) => first!.map(([path]) => path)));
  const cells = product(groups).map((settings, index): Cell => {
    const cell = structuredClone(common);
    for (const [path, setting] of settings) put(cell, path, setting);
    const params = Object.fromEntries(settings.map(([path, setting]) => [columns.get(path)!, setting]));
    const own = module ? { parameters: cell as JsonObject } : { pipeline: checked(cell, params, checkpoint) };
    const about = { ...(module && { definition: module.definition }), ...(checkpoint !== null && { checkpoint }) };
    const isPlain = Object.keys(about).length === 0;
    return { index, id: shortHash(isPlain ? own.pipeline : { ...about, ...own }), params, ...own };
  });
  const known = new Map<string, Cell>();
  for (const cell of cells) {
    const other = known.get(cell.id);
    if (other) {
      throw new CommandLineError(
        WHO,
        `cells ${other.index} and ${cell.index} are the same: ${JSON.stringify(cell.params)}. Name each value once.`,
      );
    }
    known.set(cell.id, cell);
  }
  return {
    planHash: planHashOf(threads, cells),
    ...{ threads, checkpoint, module },
    axes: Object.fromEntries([...values].map(([path, list]) => [columns.get(path)!, list])),
    cells,
  };
}

/** What a plan is known by, as its cells stand in JSON. */
export const planHashOf = (threads: number, cells: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify({ threads, cells })).digest('hex');

/** @throws CommandLineError where an axis sets the whole of what another one before it has set a part of. */
function requireNoneReplaced(paths: readonly string[]): void {
  for (const [k, path] of paths.entries()) {
    const whole = paths.find((other, m) => m > k && path.startsWith(`${other}.`));
    if (whole === undefined) continue;
    throw new CommandLineError(
      WHO,
      `the axis ${whole} comes behind ${path} and would replace what that has set. Name ${whole} before it.`,
    );
  }
}

function valuesOf(path: string, axis: z.infer<typeof request>['axes'][string]): readonly Json[] {
  if (Array.isArray(axis)) return axis as Json[];
  const { from, to, count, scale } = axis as z.infer<typeof range>;
  if (scale === 'log' && !(from > 0 && to > 0)) {
    throw new CommandLineError(WHO, `the axis ${path} goes from ${from} to ${to}. Equal factors need numbers above 0.`);
  }
  return Array.from({ length: count }, (_, k) => {
    const share = count === 1 ? 0 : k / (count - 1);
    const value = scale === 'log' ? from * (to / from) ** share : from + share * (to - from);
    return Number(value.toPrecision(12));
  });
}

type Setting = readonly [path: string, value: Json];

/** Axes that go together, each with the settings that it goes through. */
function groupsOf(values: ReadonlyMap<string, readonly Json[]>, zip: readonly (readonly string[])[]): Setting[][][] {
  const zipped = new Map<string, readonly string[]>();
  for (const paths of zip) {
    for (const path of paths) {
      if (!values.has(path)) throw new CommandLineError(WHO, `zip names ${path}, which is no axis.`);
      if (zipped.has(path)) throw new CommandLineError(WHO, `zip names ${path} twice.`);
      zipped.set(path, paths);
    }
    const lengths = paths.map((path) => values.get(path)!.length);
    if (new Set(lengths).size > 1) {
      throw new CommandLineError(
        WHO,
        `zip puts ${paths.join(', ')} side by side, which have ${lengths.join(', ')} values. They must have equally many.`,
      );
    }
  }
  return [...values.keys()].flatMap((path) => {
    const paths = zipped.get(path) ?? [path];
    if (paths[0] !== path) return [];
    return [values.get(path)!.map((_, k) => paths.map((own): Setting => [own, values.get(own)![k]!]))];
  });
}

function product(groups: readonly Setting[][][]): Setting[][] {
  return groups.reduce<Setting[][]>(
    (cells, group) => cells.flatMap((cell) => group.map((more) => [...cell, ...more])),
    [[]],
  );
}

/** `model.hidden` → `model_hidden`, `learningRate` → `learning_rate`. */
const columnOf = (path: string) =>
  path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^A-Za-z0-9_]+/g, '_');

/** Sets what a path names: `model.hidden`, `probes.0.every`. */
function put(target: Record<string, unknown>, path: string, value: Json): void {
  const names = path.split('.');
  // What it names is what every object has.
  if (names.includes('__proto__')) throw new CommandLineError(WHO, `there is no option '${path}'. Look at the axis.`);
  let inner: Record<string, unknown> = target;
  for (const name of names.slice(0, -1)) {
    const next = inner[name];
    if (typeof next !== 'object' || next === null) {
      throw new CommandLineError(
        WHO,
        `there is nothing at '${path}': the pipeline has no ${name} with options of its own.`,
      );
    }
    inner = next as Record<string, unknown>;
  }
  inner[names.at(-1)!] = structuredClone(value);
}

function checked(cell: object, params: JsonObject, checkpoint: number | null): Specification {
  try {
    const pipeline = parseSpecification(cell);
    requireCollectable(pipeline, checkpoint);
    return pipeline;
  } catch (cause) {
    throw new CommandLineError(WHO, `the cell ${JSON.stringify(params)}: ${(cause as Error).message}`, { cause });
  }
}

/** What `collect` reads is Parquet, and what it joins of a cell that was cut off. */
function requireCollectable({ sinks = ['parquet'] }: Specification, checkpoint: number | null): void {
  if (!sinks.includes('parquet')) {
    throw new CommandLineError(WHO, `sinks are ${sinks.join(', ')}. collect reads Parquet; name parquet beside them.`);
  }
  if (checkpoint !== null && sinks.some((name) => name !== 'parquet')) {
    throw new CommandLineError(
      WHO,
      `sinks are ${sinks.join(', ')}, and cells go on from checkpoints: a cell that was cut off would have rows twice there, which collect joins in Parquet alone. Leave the others out, or the checkpoint.`,
    );
  }
}

const shortHash = (value: unknown) =>
  createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 12);

/** With every object's names in order, so that the same pipeline has one text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}

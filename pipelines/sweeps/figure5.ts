// Figures 5 and 34 from a sweep that was collected: `node pipelines/sweeps/figure5.ts output/figure5` writes a picture
// beside its tables, a heatmap for each data set, with the best η of each b and the rules through them.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  gradientConcentration,
  type MadeRun,
  type MadeRuns,
  panels,
  type ReadTable,
  readTable,
  type Table,
  trainingLoss,
  writeSvg,
} from 'brink';
import { type Grid, gridChart } from '../figures/parts/batchSizeGrid.ts';

/** What the sweep says of a cell, as far as it is read here. */
interface CellRow {
  readonly cell_id: string;
  readonly state: 'done' | 'diverged' | 'failed' | 'running' | 'missing';
  readonly batch_size: number;
  readonly learning_rate: number;
  readonly seed?: number;
  /** The data set as JSON, where it is an axis. */
  readonly data?: string;
  readonly steps: number;
}

/** The tables of the runs, by their cells. */
type Tables = ReadonlyMap<Table, ReadonlyMap<string, ReadTable<Table>>>;

const distinct = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);

/**
 * Writes the picture of a sweep over `batchSize` and `learningRate`, and also over `data` and `seed`; returns its path.
 */
export async function drawSweep(directory: string): Promise<string> {
  const { rows } = await readTable(join(directory, 'sweep.parquet'));
  const cells = rows as unknown as readonly CellRow[];
  const open = cells.filter(({ state }) => state !== 'done' && state !== 'diverged');
  if (open.length > 0) {
    const states = [...new Set(open.map(({ state }) => state))].join(', ');
    throw new Error(`${open.length} of ${cells.length} cells have not ended (${states}). Run them, and collect again.`);
  }
  const tables: Tables = new Map<Table, ReadonlyMap<string, ReadTable<Table>>>([
    [trainingLoss.table, await tablesIn(join(directory, 'tables', 'loss'))],
    [gradientConcentration.table, await tablesIn(join(directory, 'tables', 'concentration'))],
  ]);
  const groups = [...Map.groupBy(cells, ({ data }) => data ?? '').values()];
  const charts = groups.map((group) => heatmap(group, tables));
  const path = join(directory, 'figure5.svg');
  // Two in a row.
  const inRows = Array.from({ length: Math.ceil(charts.length / 2) }, (_, k) => charts.slice(2 * k, 2 * k + 2));
  await writeSvg(panels(inRows, { description: 'Test accuracy over batch size and learning rate.' }), path);
  return path;
}

/** The heatmap of one data set: the runs of the first seed, and the best η with bars over all. */
function heatmap(group: readonly CellRow[], tables: Tables) {
  const { source } = tables.get(trainingLoss.table)!.get(group[0]!.cell_id)!.metadata as {
    readonly source: { readonly objective: { readonly n: number; readonly data: { readonly name: string } } };
  };
  const { n, data } = source.objective;
  const grid: Pick<Grid, 'batchSizes' | 'learningRates'> & { readonly network: { readonly examples: number } } = {
    network: { examples: n },
    batchSizes: distinct(group.map((cell) => cell.batch_size)),
    learningRates: distinct(group.map((cell) => cell.learning_rate)),
  };
  const seeds = [...Map.groupBy(group, ({ seed = 0 }) => seed)].toSorted(([a], [b]) => a - b);
  const runs = seeds.map(([seed, ofSeed]) => madeRuns(seed, ofSeed, tables));
  return gridChart(grid as Grid, `${data.name}, n = ${n}`, runs[0]!, runs);
}

/** The cells of one seed, as a figure has its runs. */
function madeRuns(seed: number, cells: readonly CellRow[], tables: Tables): MadeRuns {
  const all = cells.map(({ cell_id: id, state, batch_size: b, learning_rate: eta, steps }): MadeRun => {
    const rows = (probe: { readonly table: Table }) => tables.get(probe.table)?.get(id)?.rows ?? [];
    return {
      name: `b${b}-eta${eta}`,
      parameters: { batch_size: b, learning_rate: eta },
      ...{ seed, steps, error: null, state: state === 'diverged' ? 'diverged' : 'finished' },
      rows: rows as MadeRun['rows'],
    };
  });
  const named = new Map(all.map((run) => [run.name, run]));
  if (named.size < all.length) {
    throw new Error(
      `${all.length} cells of one data set and seed have ${named.size} pairs of b and η. A picture is of one cell for each: ` +
        'sweep over batchSize and learningRate, data and seed alone.',
    );
  }
  return {
    seed,
    all,
    named: (name) => {
      const found = named.get(name);
      if (found === undefined) throw new Error(`the sweep has no cell ${name}: it must be a whole grid.`);
      return found;
    },
  };
}

async function tablesIn(folder: string): Promise<ReadonlyMap<string, ReadTable<Table>>> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.parquet'));
  const read = files.map(
    async (file) => [file.slice(0, -'.parquet'.length), await readTable(join(folder, file))] as const,
  );
  return new Map(await Promise.all(read));
}

if (process.argv[1] === import.meta.filename) console.log(await drawSweep(process.argv[2] ?? 'output/figure5'));

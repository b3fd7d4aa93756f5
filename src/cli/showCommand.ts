import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describeRun, type RunDescription, type Series, type TableDescription } from '../runs/describeRun.ts';
import { sparkline, textTable } from './text.ts';

/** More lines of one column say less, not more. */
const MOST_GROUPS = 6;

/** `brink show DIR`. */
export function showCommand(): Command {
  return new Command('show')
    .argument('<dir>', 'the folder of a run')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  brink show output/quickstart
  watch brink show output/quickstart

Exits with 1 where there is no run.`,
    )
    .action(async (directory: string, { json }: { json?: boolean }) => {
      const description = await describeRun(directory);
      console.log(json ? JSON.stringify(toJson(description), null, 2) : toText(description));
    });
}

/** Without the rows themselves: the tables have them. */
function toJson({ tables, ...rest }: RunDescription): object {
  const inShort = ({ values, ...series }: Series) => ({ ...series, ...summaryOf(values) });
  return { ...rest, tables: tables.map((table) => ({ ...table, series: table.series.map(inShort) })) };
}

function toText({ directory, state, run, tables }: RunDescription): string {
  const { source, brink } = run.metadata;
  const steps = run.steps === undefined ? '' : `, ${run.steps} steps in ${run.seconds?.toFixed(1)} s`;
  const lines = [`${directory}: ${state}${steps}`, `started ${run.started}, brink ${brink ?? 'of unknown version'}`];
  if (source) lines.push(...describeSource(source as Record<string, unknown>));
  if (run.error) lines.push(run.error);
  for (const [name, { error }] of Object.entries(run.branches ?? {})) if (error) lines.push(`branch ${name}: ${error}`);
  lines.push(...describeCosts(run));
  for (const table of tables) lines.push('', ...describe(table));
  const others = (run.files ?? []).filter((file) => /\.(csv|brink)$/.test(file) && existsSync(join(directory, file)));
  if (tables.length === 0 && others.length === 0) lines.push('', 'no table yet');
  if (others.length > 0) lines.push('', `for other programs: ${others.sort().join(', ')}`);
  if (tables.some((table) => table.state === 'unfinished')) {
    lines.push('', `Tables are unfinished: \`brink recover ${directory}\` finishes them.`);
  }
  return lines.join('\n');
}

/** What the measurements of each branch cost. */
function describeCosts({ branches = {} }: RunDescription['run']): string[] {
  const short = (x: number) => `${Number(x.toPrecision(3))}`;
  const costs = Object.entries(branches).flatMap(([name, { rows, seconds, cost }]) => {
    if (seconds === undefined || cost === undefined) return [];
    const { forwards, gradients, products } = cost;
    return [[name, `${rows}`, seconds.toFixed(1), short(forwards), short(gradients), short(products)]];
  });
  if (costs.length === 0) return [];
  return ['', textTable([['branch', 'rows', 'seconds', 'forwards', 'gradients', 'products'], ...costs])];
}

/** The options of the source on one line, those of what it trains on the next. */
function describeSource({ objective, ...options }: Record<string, unknown>): string[] {
  const plain = (values: Record<string, unknown>) =>
    Object.entries(values)
      .filter(([, value]) => value !== null && typeof value !== 'object')
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  const named = (value: unknown) => (value as { name?: string } | null)?.name;
  const { model, data, loss, ...rest } = (objective ?? {}) as Record<string, unknown>;
  const names = Object.entries({ model, data, loss })
    .map(([what, value]) => [what, typeof value === 'string' ? value : named(value)])
    .filter(([, name]) => name !== undefined)
    .map(([what, name]) => `${what} ${name}`);
  return [plain(options), [...names, plain(rest)].filter(Boolean).join(', ')].filter(Boolean);
}

function describe({ file, rows, state, problem, columns, series }: TableDescription): string[] {
  if (state === 'unreadable') return [`${file}: ${problem}`];
  if (state === 'recording') {
    return [`${file}: a recording of ${rows} steps, for \`brink replay\``, ...(problem ? [`  ${problem}`] : [])];
  }
  const head = `${file}: ${rows} rows${state === 'finished' ? '' : `, ${state}`}`;
  const shown = series.filter(({ of, values }) => groupsOf(series).indexOf(of) < MOST_GROUPS && values.some(isNumber));
  const more = groupsOf(series).length - MOST_GROUPS;
  return [
    head,
    `  columns: ${columns.join(', ')}`,
    ...(shown.length > 0 ? [textTable(shown.map(lineOf), '  ')] : []),
    ...(more > 0 ? [`  and ${more} more rows a step`] : []),
  ];
}

const groupsOf = (series: readonly Series[]) => [...new Set(series.map(({ of }) => of))];
const isNumber = (value: number | null): value is number => value !== null;

function lineOf({ column, symbol, of, values }: Series): string[] {
  const { first, last, least, most } = summaryOf(values);
  const short = (x: number | null) => (x === null ? '–' : `${Number(x.toPrecision(4))}`);
  return [
    column,
    symbol,
    of,
    sparkline(values),
    `${short(first)} → ${short(last)}`,
    `in ${short(least)} … ${short(most)}`,
  ];
}

function summaryOf(values: readonly (number | null)[]) {
  const numbers = values.filter(isNumber);
  const finite = numbers.filter(Number.isFinite);
  const reduce = (choose: (a: number, b: number) => number) => (finite.length > 0 ? finite.reduce(choose) : null);
  return {
    first: numbers[0] ?? null,
    last: numbers.at(-1) ?? null,
    least: reduce((a, b) => Math.min(a, b)),
    most: reduce((a, b) => Math.max(a, b)),
  };
}

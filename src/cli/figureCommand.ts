import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { BrinkError } from '../core/errors.ts';
import type { ClaimsRow } from '../figures/judgedClaims.ts';
import type { MadeFigure } from '../figures/makeFigure.ts';
import { shortOf } from '../figures/report/markup.ts';
import { countVerdicts, intervalText, regionText } from '../figures/report/reportPage.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { numberOf } from './arguments.ts';
import { textTable } from './text.ts';

interface FigureFlags {
  readonly all?: true;
  readonly scale: string;
  readonly out: string;
  readonly seeds: number;
  readonly data?: string;
  readonly hours: number;
  readonly again?: true;
  readonly redraw?: true;
  readonly json?: true;
}

/** Where figures are looked for by name. */
const FOLDER = 'pipelines/figures';

/** `brink figure`. */
export function figureCommand(): Command {
  return new Command('figure')
    .argument('[figure...]', `names (4 is ${FOLDER}/figure4.ts), or files that export a figure`)
    .option('--all', `every figure in ${FOLDER}`)
    .option('--scale <scale>', 'smoke (seconds), laptop (minutes), paper, or another preset of the figure', 'laptop')
    .option('--out <dir>', 'the folder of all figures', 'output/figures')
    .option('--seeds <count>', 'over how many seeds', numberOf, 1)
    .option('--data <path>', 'the folder, or a file, of the data that brink does not bring')
    .option('--hours <hours>', 'what may be taken at most, where a figure says what it costs', numberOf, 2)
    .option('--again', 'make it anew, where it is there already')
    .option('--redraw', 'picture and claims anew, from the tables that are there')
    .option('--json', 'print the claims as JSON')
    .addHelpText(
      'after',
      `
Examples:
  brink figure 4
  brink figure --all
  brink figure 2 --seeds 5
  brink figure pipelines/mine.ts --scale smoke

Each leaves its tables, claims.parquet, figure.svg and report.html in <out>/<scale>/<name>. One that was cut off goes
on; one that is there is not made again unless its definition has changed.

Exit codes: 0 made, 1 failed, 2 the command line is wrong. A claim that does not hold is no failure.`,
    )
    .action(async (named: readonly string[], { all, json, out, ...options }: FigureFlags) => {
      const files = all ? everyFigure() : named.map(fileOf);
      if (files.length === 0)
        throw new CommandLineError('figure', `no figure is named. There are ${names().join(', ')}; --all makes all.`);
      const { makeFigure } = await import('../figures/makeFigure.ts');
      const claims: ClaimsRow[] = [];
      for (const file of files) {
        const made = await makeFigure(file, { ...options, directory: out });
        claims.push(...made.claims);
        if (!json) console.log(toText(made));
      }
      if (json) console.log(JSON.stringify(claims, null, 2));
    });
}

const FIGURE = /^(?:figure)?(\w+)\.ts$/;

/** The files of all figures: those of numbers first, in their order. */
function everyFigure(): string[] {
  if (!existsSync(FOLDER))
    throw new BrinkError('figure', `there is no folder ${FOLDER} here. Name the files of figures.`);
  const files = readdirSync(FOLDER).filter((file) => FIGURE.test(file));
  return files.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).map((file) => join(FOLDER, file));
}

const names = () =>
  existsSync(FOLDER) ? everyFigure().map((file) => FIGURE.exec(file.slice(FOLDER.length + 1))![1]!) : [];

/** A file, or that of a name. */
function fileOf(name: string): string {
  if (name.endsWith('.ts') || name.endsWith('.js')) return name;
  const found = [`figure${name}.ts`, `${name}.ts`].map((file) => join(FOLDER, file)).find((file) => existsSync(file));
  if (found) return found;
  throw new CommandLineError(
    'figure',
    `there is no figure '${name}'. ${names().length > 0 ? `There are ${names().join(', ')}.` : `There is no folder ${FOLDER} here; name a file.`}`,
  );
}

/** The verdicts of a figure, and where it lies. */
function toText({ name, scale, directory, claims, wasThere }: MadeFigure): string {
  const short = (x: number | null) => (x === null ? '' : `${shortOf(x, 4)}`);
  const lines = claims.map((claim) => [
    claim.verdict,
    claim.claim,
    short(claim.value),
    claim.value === null ? '' : intervalText(claim),
    `holds ${regionText(claim)}`,
  ]);
  const reasons = claims
    .filter(({ verdict }) => verdict !== 'holds')
    .map(({ claim, reason }) => `  ${claim}: ${reason}`);
  return [
    `figure ${name} (${scale})${wasThere ? ', made before' : ''}: ${countVerdicts(claims)}`,
    ...(lines.length > 0 ? [textTable(lines, '  ')] : []),
    ...reasons,
    `  ${join(directory, 'report.html')}`,
  ].join('\n');
}

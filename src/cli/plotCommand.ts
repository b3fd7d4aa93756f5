import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { makeFolders } from '../files/makeFolders.ts';
import { plotTable } from '../plots/plotTable.ts';
import { writeSvg } from '../plots/writeSvg.ts';
import { asWritten } from '../runs/asWritten.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { readTable } from '../tables/readTable.ts';
import { anotherOf, namesOf } from './arguments.ts';
import { rowsWhere } from './rowsWhere.ts';

interface Options {
  readonly output?: string;
  readonly x?: string;
  readonly y?: readonly string[];
  readonly where?: readonly string[];
  readonly log?: readonly string[];
}

const WHO = 'plot';

/** `brink plot TABLE`. */
export function plotCommand(): Command {
  return new Command('plot')
    .argument('<table>', 'a table of brink, .parquet or .arrows')
    .option('-o, --output <file>', 'an .svg, or a .json for the Vega-Lite specification; default: beside the table')
    .option('--x <column>', 'default: the column of the key that rows are measured over, mostly the step')
    .option('--y <column,…>', 'default: every column that is measured', namesOf)
    .option('--where <condition>', 'only rows such as batch_size=32 or step>=100; may be given again', anotherOf)
    .option('--log <axes>', 'logarithmic axes: x, y, x,y or none; default: y where its values span decades', namesOf)
    .addHelpText(
      'after',
      `
Examples:
  brink plot output/first/eigenvalues.parquet
  brink plot output/first/sharpness.parquet --y ias,bound --where batch_size=32 --where 'step>=100' -o ias.svg
  brink plot output/first/change.parquet --x interaction --y normalized_change

Exits with 1 where the table can't be read or has no rows left, with 2 where it has no such column.`,
    )
    .action(async (path: string, { output = svgBeside(path), x, y, where = [], log }: Options) => {
      if (!/\.(svg|json)$/.test(output)) {
        throw new CommandLineError(WHO, `the output is '${output}'. It must end in '.svg' or '.json'.`);
      }
      const { table, rows } = await readTable(path);
      const chosen = asWritten(() => rowsWhere(table, rows, where));
      const axes = log && (log.join() === 'none' ? [] : log);
      const options = { ...(x !== undefined && { x }), ...(y && { y }), ...(axes && { log: axes as ('x' | 'y')[] }) };
      if (chosen.length === 0 && rows.length > 0) {
        throw new CommandLineError(WHO, `none of the ${rows.length} rows of ${path} meets ${where.join(' and ')}.`);
      }
      // An empty table is no fault of the line.
      const draw = () => plotTable(table, chosen, options);
      const spec = rows.length === 0 ? draw() : asWritten(draw);
      makeFolders(dirname(output));
      if (output.endsWith('.svg')) await writeSvg(spec, output);
      else writeFileSync(output, `${JSON.stringify(spec, null, 2)}\n`);
      console.log(`${output}: ${chosen.length} rows of ${table.name}`);
    });
}

const svgBeside = (path: string) => path.replace(/\.\w+$/, '.svg');

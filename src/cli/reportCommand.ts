import { Command } from 'commander';
import { anotherOf } from './arguments.ts';

/** `brink report`. */
export function reportCommand(): Command {
  return new Command('report')
    .argument('[folder...]', 'folders of figures or runs')
    .option('-o, --out <file>', 'the page', 'report.html')
    .addHelpText(
      'after',
      `
Examples:
  brink report output/figures/laptop/4 output/quickstart -o report.html
  brink report verify report.html

One HTML file that needs no network and no script. The same folders give the same bytes.`,
    )
    .action(async (folders: readonly string[], { out }: { out: string }, command: Command) => {
      if (folders.length === 0) command.error('error: name at least one folder of a figure or a run', { exitCode: 2 });
      const { writeReport } = await import('../figures/report/writeReport.ts');
      await writeReport(
        folders.map((directory) => ({ directory })),
        out,
      );
      console.log(out);
    })
    .addCommand(verifyCommand());
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('compare a report with the tables that it tells of')
    .argument('<report>', 'the page')
    .option('--tables <dir>', 'the folder of its figure or run, where it has moved; again for each part', anotherOf)
    .option('--definition <file>', "the figure's file, where it has moved")
    .addHelpText(
      'after',
      `
Example:
  brink report verify output/figures/laptop/4/report.html

Exits with 1 where a table, a number, a verdict or the page itself is not what the tables give.`,
    )
    .action(async (path: string, options: { tables?: readonly string[]; definition?: string }) => {
      const { verifyReport } = await import('../figures/report/verifyReport.ts');
      const { problems, notices, tables, claims } = await verifyReport(path, options);
      for (const line of [...problems, ...notices]) console.log(line);
      if (problems.length > 0) {
        process.exitCode = 1;
        console.log(`${path}: ${problems.length} things are not what the tables say`);
      } else {
        console.log(`${path}: ${tables} tables and ${claims} claims agree`);
      }
    });
}

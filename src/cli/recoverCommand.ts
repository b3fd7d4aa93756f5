import { Command } from 'commander';
import { recover } from '../tables/recover.ts';

/** `brink recover DIR`. */
export function recoverCommand(): Command {
  return new Command('recover')
    .argument('<dir>', 'the folder of a run, or one above it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Example:
  brink recover output/quickstart

Safe to run twice. Exits with 1 where a table could not be finished.`,
    )
    .action(async (directory: string, { json }: { json?: boolean }) => {
      const tables = await recover(directory);
      if (json) console.log(JSON.stringify(tables, null, 2));
      else if (tables.length === 0) console.log(`nothing to recover in ${directory}`);
      else {
        for (const { path, rows, bytesLost, problem } of tables) {
          console.log(
            problem === null ? `${path}: ${rows} rows, ${bytesLost} bytes of a torn batch lost` : `${path}: ${problem}`,
          );
        }
      }
      if (tables.some(({ problem }) => problem !== null)) process.exitCode = 1;
    });
}

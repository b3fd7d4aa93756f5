import { Command } from 'commander';
import { recover } from '../runs/recover.ts';
import type { RecoveredTable } from '../tables/recoverTable.ts';

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

Safe to run twice, also at once: what another is recovering is left to it. Exits with 1 where a table could not be finished.`,
    )
    .action(async (directory: string, { json }: { json?: boolean }) => {
      const tables = await recover(directory, {
        onProgress: ({ path, done, rows }) => console.error(`${path}: ${done} of ${rows} rows`),
      });
      if (json) console.log(JSON.stringify(tables, null, 2));
      else if (tables.length === 0) console.log(`nothing to recover in ${directory}`);
      else {
        for (const table of tables) console.log(`${table.path}: ${toText(table)}`);
      }
      if (tables.some(({ problem }) => problem !== null)) process.exitCode = 1;
    });
}

function toText({ rows, bytesLost, problem, leftTo }: RecoveredTable): string {
  if (leftTo !== null) return `process ${leftTo} is recovering it, and it is left to that`;
  return problem ?? `${rows} rows, ${bytesLost} bytes of a torn batch lost`;
}

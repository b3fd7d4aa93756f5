import { Command } from 'commander';
import { anotherOf, numberOf } from './arguments.ts';
import { printSummary } from './text.ts';

/** What the command line says. */
export interface ReplayFlags {
  readonly probe?: readonly string[];
  readonly every: number;
  readonly from?: number;
  readonly to?: number;
  readonly data?: string;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  brink replay output/first/recording.arrows --probe topEigenvalues:count=5 --every 5 --out output/later
  brink replay recording.arrows --probe spectralDensity --from 200 --to 200
  brink replay recording.arrows --probe interactionAwareSharpness:batchSizes=1,32 --data data   (recorded on CIFAR, whose files lie in data)

Exit codes: as those of \`brink run\`.`;

/** `brink replay`. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('measure on a run that has already been, from its recording')
    .argument('<recording>', 'what `brink run --record` or `record()` wrote')
    .option('--probe <probe>', 'what to measure; may be given again (default: topEigenvalues)', anotherOf)
    .option('--every <steps>', 'how often probes measure that do not say so themselves', numberOf, 1)
    .option('--from <step>', 'the first step', numberOf)
    .option('--to <step>', 'the last step', numberOf)
    .option('--data <folder>', "where CIFAR's files lie")
    .option('--out <dir>', 'the folder of the tables', 'output/replay')
    .option('--force', 'replace the run that the folder holds')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: ReplayFlags) => {
      // Loads TensorFlow.js, which no other command line has to wait for.
      const { replayPipeline } = await import('./replayPipeline.ts');
      const summary = await replayPipeline(path, flags);
      if (flags.json) printSummary(summary);
    });
}

import { Command } from 'commander';
import { run } from '../operators/run.ts';
import { catalogue } from '../probes/catalogue.ts';
import { objectiveOf } from '../recording/objectiveOf.ts';
import { replay } from '../recording/replay.ts';
import { asWritten } from './asWritten.ts';
import { numberOf } from './numberOf.ts';
import { type Named, parseNamed } from './parseNamed.ts';
import { printSummary } from './printSummary.ts';
import { checkProbes, probeBranches } from './probeBranches.ts';
import { requireNoRun } from './requireNoRun.ts';

const WHO = 'replay';

interface Flags {
  readonly probe?: Named[];
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
  const probe = (text: string, before: Named[] = []) => [...before, parseNamed(WHO, 'probe', text, catalogue)];
  return new Command('replay')
    .description('measure on a run that has already been, from its recording')
    .argument('<recording>', 'what `brink run --record` or `record()` wrote')
    .option('--probe <probe>', 'what to measure; may be given again (default: topEigenvalues)', probe)
    .option('--every <steps>', 'how often probes measure that do not say so themselves', numberOf, 1)
    .option('--from <step>', 'the first step', numberOf)
    .option('--to <step>', 'the last step', numberOf)
    .option('--data <folder>', "where CIFAR's files lie")
    .option('--out <dir>', 'the folder of the tables', 'output/replay')
    .option('--force', 'replace the run that the folder holds')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, { every, from, to, data, out, force = false, json, ...flags }: Flags) => {
      const { probe: probes = [{ name: 'topEigenvalues' }] } = flags;
      checkProbes(WHO, probes, every);
      const directory = requireNoRun(WHO, out, force);
      const objective = await objectiveOf(path, data === undefined ? {} : { data });
      const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
      const steps = asWritten(() => replay(path, { ...range, objective }));
      if (steps.tornBytes > 0) {
        console.error(`${path} was cut off: the ${steps.tornBytes} bytes of its last step are left out.`);
      }
      const branches = asWritten(() => probeBranches(objective, probes, every));
      const summary = await run(steps, branches, { directory, overwrite: force, metadata: { recording: path } });
      if (json) printSummary(summary);
    });
}

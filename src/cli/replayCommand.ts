import { Command } from 'commander';
import { probes as allProbes } from '../catalogue/probes.ts';
import { openRecording } from '../recording/openRecording.ts';
import { asWritten } from '../runs/asWritten.ts';
import { parseNamed } from '../runs/parseNamed.ts';
import { checkProbes, probeBranches } from '../runs/probeBranches.ts';
import { requireNoRun } from '../runs/requireNoRun.ts';
import { type RunSummary, run } from '../runs/run.ts';
import { anotherOf, numberOf } from './arguments.ts';
import { printSummary } from './text.ts';

const WHO = 'replay';

interface Flags {
  readonly probe?: readonly string[];
  readonly every: number;
  readonly from?: number;
  readonly to?: number;
  readonly data?: string;
  readonly out: string;
  readonly force?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  brink replay output/first/recording.arrows --probe topEigenvalues:count=5 --every 5 --out output/later
  brink replay recording.arrows --probe spectralDensity --from 200 --to 200
  brink replay recording.arrows --probe interactionAwareSharpness:batchSizes=1,32 --data data   (recorded on CIFAR,
    whose files lie in data)

Exit codes: as those of \`brink run\`.`;

/** `brink replay`. */
export function replayCommand(): Command {
  return new Command('replay')
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
    .action(async (path: string, flags: Flags) => {
      const summary = await measureAgain(path, flags);
      if (flags.json) printSummary(summary);
    });
}

/** Measures on a recording: each probe in a branch of its own, with a Parquet table. */
async function measureAgain(path: string, flags: Flags): Promise<RunSummary> {
  const { probe = ['topEigenvalues'], every, from, to, data, out, force = false } = flags;
  const probes = probe.map((text) => parseNamed(WHO, 'probe', text, allProbes));
  checkProbes(WHO, probes, every);
  const directory = requireNoRun(WHO, out, force);
  // Load TensorFlow.js, which no other command line has to wait for.
  const { objectiveOf } = await import('../recording/objectiveOf.ts');
  const { replay } = await import('../recording/replay.ts');
  const objective = await objectiveOf(path, data === undefined ? {} : { data });
  const { tornBytes, close } = openRecording(WHO, path);
  close();
  if (tornBytes > 0) {
    console.error(`${path} was cut off: the ${tornBytes} bytes of its last step are left out.`);
  }
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const steps = asWritten(() => replay(path, { ...range, objective }));
  const branches = asWritten(() => probeBranches(probes, every));
  return asWritten(
    () => run(steps, branches, { directory, overwrite: force, signals: 'stop', metadata: { recording: path } }),
    Object.keys(allProbes),
  );
}

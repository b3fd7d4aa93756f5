import { Command } from 'commander';
import type { Observable } from 'rxjs';
import { probes as allProbes } from '../catalogue/probes.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { openRecording } from '../recording/openRecording.ts';
import { asWritten } from '../runs/asWritten.ts';
import type { Branches } from '../runs/branches.ts';
import { parseNamed } from '../runs/parseNamed.ts';
import { checkProbes, probeBranches } from '../runs/probeBranches.ts';
import { requireNoRun } from '../runs/requireNoRun.ts';
import { run } from '../runs/run.ts';
import { checkSinks, SINKS } from '../runs/tableSinks.ts';
import { anotherOf, numberOf } from './arguments.ts';
import { printSummary } from './text.ts';

/** What every command says that measures on the steps of a recording, or on those that follow from it. */
interface Flags {
  readonly probe?: readonly string[];
  readonly every: number;
  readonly sink?: readonly string[];
  readonly data?: string;
  readonly out: string;
  readonly force?: true;
  readonly json?: true;
  /** Of a fork: the other commands draw as was recorded. */
  readonly replacement?: true;
}

interface ReplayFlags extends Flags {
  readonly from?: number;
  readonly to?: number;
}

interface ResumeFlags extends Flags {
  readonly steps?: number;
  readonly step?: number;
  readonly record: boolean;
}

interface ForkFlags extends Flags {
  readonly steps: number;
  readonly step?: number;
  readonly learningRate?: number;
  readonly batchSize?: number;
  readonly shuffle?: 'independent' | 'epoch';
  readonly weightDecay?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly record?: true;
}

const CODES = '\n\nExit codes: as those of `brink run`.';

/** `brink replay`. */
export function replayCommand(): Command {
  return measuring('replay', 'output/replay')
    .option('--from <step>', 'the first step', numberOf)
    .option('--to <step>', 'the last step', numberOf)
    .addHelpText(
      'after',
      `
Examples:
  brink replay output/first/recording.arrows --probe topEigenvalues:count=5 --every 5 --out output/later
  brink replay recording.arrows --probe spectralDensity --from 200 --to 200
  brink replay recording.arrows --probe interactionAwareSharpness:batchSizes=1,32 --data data   (recorded on CIFAR,
    whose files lie in data)${CODES}`,
    )
    .action(async (path: string, flags: ReplayFlags) => {
      const { from, to } = flags;
      await measureFrom('replay', path, flags, async (objective) => {
        const { replay } = await import('../recording/replay.ts');
        const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
        return asWritten(() => replay(path, { ...range, objective }));
      });
    });
}

/** `brink resume`. */
export function resumeCommand(): Command {
  return measuring('resume', 'output/resumed')
    .option('--steps <T>', 'the step to end at, as in `brink run`: not how many more (default: as recorded)', numberOf)
    .option('--step <step>', 'the recorded step to go on from (default: where no row is left out)', numberOf)
    .option('--no-record', 'do not go on with the recording')
    .addHelpText(
      'after',
      `
Examples:
  brink resume output/first/recording.arrows --out output/second
  brink resume output/first/recording.arrows --steps 400 --probe topEigenvalues:count=3:every=5 --out output/second

The steps are those that the run would have had, to the bit, and the recording goes on with them. \`brink recover\`
finishes the tables of a run that was killed; the resumed run writes its own, which hold the rows behind the end of
those: together they hold each row once. With --step all rows from there on are written.${CODES}`,
    )
    .action(async (path: string, flags: ResumeFlags) => {
      const { steps, step } = flags;
      const source = async (objective: Objective) => {
        const { resume } = await import('../recording/resume.ts');
        const length = { ...(steps !== undefined && { steps }), ...(step !== undefined && { step }) };
        return asWritten(() => resume(path, { ...length, objective }));
      };
      await measureFrom('resume', path, flags, source, flags.record);
    });
}

/** `brink fork`. */
export function forkCommand(): Command {
  return measuring('fork', 'output/fork')
    .requiredOption('--steps <count>', 'how many updates from there', numberOf)
    .option('--step <step>', 'the recorded step to leave from (default: the last)', numberOf)
    .option('--learning-rate <η>', 'default: as recorded, like all that follow', numberOf)
    .option('--batch-size <b>', 'examples in a batch', numberOf)
    .option('--replacement', 'batches are drawn with replacement')
    .option('--shuffle <how>', 'independent or epoch')
    .option('--weight-decay <λ>', 'decoupled weight decay', numberOf)
    .option('--beta1 <β₁>', 'of momentum', numberOf)
    .option('--beta2 <β₂>', 'of momentum', numberOf)
    .option('--record', 'record the steps of the fork')
    .addHelpText(
      'after',
      `
Example (a catapult, with ten times the learning rate):
  brink fork output/first/recording.arrows --step 138 --steps 50 --learning-rate 2 --out output/catapult${CODES}`,
    )
    .action(async (path: string, flags: ForkFlags) => {
      const { probe: _, every: _every, sink: _sink, data: _data, out: _out, ...more } = flags;
      const { force: _force, json: _json, record, ...options } = more;
      const source = async (objective: Objective) => {
        const { fork } = await import('../recording/fork.ts');
        return asWritten(() => fork(path, { ...options, objective }));
      };
      await measureFrom('fork', path, flags, source, record ?? false);
    });
}

/** The arguments that these commands have in common. */
function measuring(name: string, out: string): Command {
  return new Command(name)
    .argument('<recording>', 'what `brink run --record` or `record()` wrote')
    .option('--probe <probe>', 'what to measure; may be given again (default: topEigenvalues)', anotherOf)
    .option('--every <steps>', 'how often probes measure that do not say so themselves', numberOf, 1)
    .option('--sink <format>', `where tables go: ${SINKS.join(', ')}; may be given again (default: parquet)`, anotherOf)
    .option('--data <path>', "where the data lie: CIFAR's folder, or one's own file")
    .option('--out <dir>', 'the folder of the tables', out)
    .option('--force', 'replace the run that the folder holds')
    .option('--json', 'print the summary as JSON');
}

/** Measures on the steps of a source that a recording makes: each probe in a branch of its own, with a table. */
async function measureFrom(
  who: string,
  path: string,
  { probe = ['topEigenvalues'], every, sink = ['parquet'], data, out, force, json, ...more }: Flags,
  source: (objective: Objective) => Promise<Observable<Step>>,
  isRecorded = false,
): Promise<void> {
  const named = probe.map((text) => parseNamed(who, 'probe', text, allProbes));
  checkProbes(who, named, every);
  const sinks = checkSinks(who, sink);
  const overwrite = force ?? false;
  const directory = requireNoRun(who, out, overwrite);
  // Load TensorFlow.js, which no other command line has to wait for.
  const { objectiveOf } = await import('../recording/objectiveOf.ts');
  const objective = await objectiveOf(path, data === undefined ? {} : { data });
  const { tornBytes, header, close } = openRecording(who, path);
  close();
  // What is resumed says so itself.
  if (tornBytes > 0 && who !== 'resume') {
    console.error(`${path} was cut off: the ${tornBytes} bytes of its last step are left out.`);
  }
  const replacement = more.replacement ?? (header.source?.replacement as boolean | undefined);
  const steps = await source(objective);
  const { record } = await import('../recording/record.ts');
  const recording: Branches = isRecorded ? { recording: (s) => s.pipe(record()) } : {};
  const branches = { ...asWritten(() => probeBranches(named, every, sinks, replacement)), ...recording };
  const summary = await asWritten(
    () => run(steps, branches, { directory, overwrite, signals: 'stop', metadata: { recording: path } }),
    [...Object.keys(allProbes), who, 'gradientDescent'],
  );
  if (json) printSummary(summary);
}

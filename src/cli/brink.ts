#!/usr/bin/env node
import '../runs/withoutMaglev.ts';
import nodeModule from 'node:module';
import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { nodeIsTooOld } from '../core/neededNode.ts';
import { cacheFolder } from '../engine/install/makeFolder.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { outliveClosedPipes } from '../runs/outliveClosedPipes.ts';

if (nodeIsTooOld) {
  console.error(nodeIsTooOld);
  process.exit(1);
}

outliveClosedPipes();
// A third of the time that a command takes to start is compiling. In the user's own folder, where nobody else writes.
nodeModule.enableCompileCache(cacheFolder('compiled'));

/** Every command: what it is for, and where it is. */
const COMMANDS: Readonly<Record<string, readonly [string, () => Promise<Command>]>> = {
  checkpoints: [
    'measure on a run that was trained elsewhere, from the weights that it left',
    async () => (await import('./checkpointsCommand.ts')).checkpointsCommand(),
  ],
  data: ['get data sets, and check those that are there', async () => (await import('./dataCommand.ts')).dataCommand()],
  engine: [
    'list the engines: usable or why not, device, version, speed',
    async () => (await import('./engineCommand.ts')).engineCommand(),
  ],
  figure: [
    'make a figure of the paper: its runs, claims with verdicts, picture and report',
    async () => (await import('./figureCommand.ts')).figureCommand(),
  ],
  lssr: [
    'the learning rate for another batch size, by the linear and saturation scaling rule',
    async () => (await import('./lssrCommand.ts')).lssrCommand(),
  ],
  plot: ['draw a table as an SVG', async () => (await import('./plotCommand.ts')).plotCommand()],
  probes: [
    'list the probes, or tell of one: its table, its options, its cost',
    async () => (await import('./probesCommand.ts')).probesCommand(),
  ],
  recover: [
    'finish the tables that a crash left unfinished in a folder',
    async () => (await import('./recoverCommand.ts')).recoverCommand(),
  ],
  replay: [
    'measure on a run that has already been, from its recording',
    async () => (await import('./recordingCommands.ts')).replayCommand(),
  ],
  report: [
    'write one HTML page of figures and runs, or compare one with its tables',
    async () => (await import('./reportCommand.ts')).reportCommand(),
  ],
  resume: [
    'go on with a recorded run, bit for bit',
    async () => (await import('./recordingCommands.ts')).resumeCommand(),
  ],
  fork: [
    'leave a recorded run at one of its steps, with other settings',
    async () => (await import('./recordingCommands.ts')).forkCommand(),
  ],
  run: [
    'train a model, with probes on it, and write their tables',
    async () => (await import('./runCommand.ts')).runCommand(),
  ],
  show: [
    'show what a run is, how it stands, and its tables, while it runs and afterwards',
    async () => (await import('./showCommand.ts')).showCommand(),
  ],
  sweep: [
    'run a grid of pipelines, and collect it into one table',
    async () => (await import('./sweepCommand.ts')).sweepCommand(),
  ],
  verify: [
    "compare what this machine's engine computes with reference values in double precision",
    async () => (await import('./verifyCommand.ts')).verifyCommand(),
  ],
  watch: [
    'show runs live in a browser: curves, verdicts, snapshots; or write that page to a file',
    async () => (await import('./watchCommand.ts')).watchCommand(),
  ],
  weights: [
    'write the weights of a recorded step to a file, for PyTorch',
    async () => (await import('./weightsCommand.ts')).weightsCommand(),
  ],
};

const program = new Command('brink')
  .description('See how a neural network trains at the edge of stability.')
  .version(packageJson.version)
  .addHelpText(
    'after',
    '\nExamples:\n  brink run --learning-rate 0.2 --steps 200 --out output/first\n  brink show output/first\n  brink probes topEigenvalues\n\nExit codes: 0 done, 1 failed, 2 the command line is wrong.',
  );

const written = new Set(process.argv.slice(2));
for (const [name, [description, load]] of Object.entries(COMMANDS)) {
  // One that is not named is there for help to list, and nothing is loaded for it.
  const command = written.has(name) ? await load() : new Command(name);
  program.addCommand(command.description(description));
}

for (const command of [program, ...program.commands.flatMap((c) => [c, ...c.commands])]) {
  // Commander ends with 1 on a wrong command line.
  command
    .showHelpAfterError('Add --help for what there is.')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
}

try {
  await program.parseAsync();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = error instanceof CommandLineError ? 2 : 1;
}

#!/usr/bin/env node
import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { nodeIsTooOld } from '../core/neededNode.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { dataCommand } from './dataCommand.ts';
import { engineCommand } from './engineCommand.ts';
import { lssrCommand } from './lssrCommand.ts';
import { probesCommand } from './probesCommand.ts';
import { recoverCommand } from './recoverCommand.ts';
import { replayCommand } from './replayCommand.ts';
import { runCommand } from './runCommand.ts';
import { showCommand } from './showCommand.ts';
import { verifyCommand } from './verifyCommand.ts';

if (nodeIsTooOld) {
  console.error(nodeIsTooOld);
  process.exit(1);
}

const program = new Command('brink')
  .description('See how a neural network trains at the edge of stability.')
  .version(packageJson.version)
  .addCommand(dataCommand())
  .addCommand(engineCommand())
  .addCommand(lssrCommand())
  .addCommand(probesCommand())
  .addCommand(recoverCommand())
  .addCommand(replayCommand())
  .addCommand(runCommand())
  .addCommand(showCommand())
  .addCommand(verifyCommand())
  .addHelpText(
    'after',
    '\nExamples:\n  brink run --learning-rate 0.2 --steps 200 --out output/first\n  brink show output/first\n  brink probes topEigenvalues\n\nExit codes: 0 done, 1 failed, 2 the command line is wrong.',
  );

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

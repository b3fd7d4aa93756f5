import { Command } from 'commander';
import { describeEngines, type EngineDescription } from '../engine/describeEngines.ts';
import { installNative } from '../engine/install/installNative.ts';

/** `brink engine` and `brink engine install`. */
export function engineCommand(): Command {
  const command = new Command('engine')
    .description('list the engines: usable or why not, device, version, speed')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  brink engine\n  brink engine install\n  BRINK_ENGINE=wasm node pipelines/quickstart.ts',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const engines = await describeEngines();
      console.log(json ? JSON.stringify(engines, null, 2) : engines.map(line).join('\n'));
      if (!engines.some((engine) => engine.usable)) process.exitCode = 1;
    });
  command
    .command('install')
    .description("make the native engine in the user's cache folder")
    .option('--cuda', 'with CUDA, for a GPU of NVIDIA (about 3 GB; not yet tried on one)')
    .addHelpText('after', '\nNeeds Python 3 with pip, g++, and the package registries.')
    .action(async ({ cuda = false }: { cuda?: boolean }) => {
      const { folder, made } = await installNative({ cuda, log: (text) => console.log(text) });
      console.log(`${made ? 'installed' : 'there already'}: ${folder}`);
    });
  return command;
}

function line(engine: EngineDescription): string {
  const name = engine.name.padEnd(11);
  if (!engine.usable) return `${name} not usable: ${engine.reason}`;
  const { matMul, conv2d } = engine.gigaflops;
  const speed = `${matMul.toFixed(0)} GFLOP/s matMul, ${conv2d.toFixed(0)} GFLOP/s conv2d`;
  return `${name} usable: ${engine.device}; ${engine.version}; ${speed}`;
}

import { Command } from 'commander';
import type { EngineDescription } from './describeEngines.ts';

/** `brink engine` and `brink engine install`. */
export function engineCommand(): Command {
  const command = new Command('engine')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  brink engine\n  brink engine install\n  BRINK_ENGINE=wasm node pipelines/quickstart.ts',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const { describeEngines } = await import('./describeEngines.ts');
      const engines = await describeEngines();
      console.log(json ? JSON.stringify(engines, null, 2) : engines.map(line).join('\n'));
      if (!engines.some((engine) => engine.usable)) process.exitCode = 1;
    });
  command
    .command('install')
    .description("make the native engine in the user's cache folder")
    .option('--cuda', 'with CUDA, for a GPU of NVIDIA on x86-64 Linux (about 3 GB; not yet tried on one)')
    .addHelpText('after', '\nNeeds Python 3 with pip, g++ (on a Mac clang++), and the package registries.')
    .action(async ({ cuda = false }: { cuda?: boolean }) => {
      const { installNative } = await import('../engine/install/installNative.ts');
      const { folder, made } = await installNative({ cuda, log: (text) => console.log(text) });
      console.log(`${made ? 'installed' : 'there already'}: ${folder}`);
    });
  return command;
}

function line(engine: EngineDescription): string {
  const name = engine.name.padEnd(11);
  if (!engine.usable) return `${name} not usable: ${engine.reason}`;
  const passes = engine.graphs ? 'passes as graphs' : 'passes operation by operation';
  const { matMul, conv2d } = engine.gigaflops;
  const { examples, milliseconds } = engine.product;
  const speed =
    `${milliseconds.toFixed(0)} ms a product H v of cnn6 on ${examples} examples; ` +
    `${matMul.toFixed(0)} GFLOP/s matMul, ${conv2d.toFixed(0)} GFLOP/s conv2d`;
  const chosen = engine.chosen ? `\n${' '.repeat(12)}a run takes this one: ${engine.chosen}` : '';
  return `${name} usable: ${engine.device}; ${engine.version}; ${passes}; ${speed}${chosen}`;
}

import { Command } from 'commander';
import { asWritten } from '../runs/asWritten.ts';
import { numberOf } from './arguments.ts';

interface Flags {
  readonly step: number;
  readonly output: string;
  readonly layout: string;
  readonly force?: true;
}

/** `brink weights export`. */
export function weightsCommand(): Command {
  const command = new Command('weights');
  command
    .command('export')
    .description('write the weights of one step of a recording as a safetensors file')
    .argument('<recording>', 'what `brink run --record` or `record()` wrote')
    .requiredOption('--step <step>', 'which recorded step', numberOf)
    .requiredOption('-o, --output <file>', 'the file')
    .option('--layout <whose>', "whose names and orders of axes: 'pytorch' or 'brink'", 'pytorch')
    .option('--force', 'replace a file that is there')
    .addHelpText(
      'after',
      `
Example:
  brink weights export output/first/recording.arrows --step 400 -o theta.safetensors

and in Python: net.load_state_dict(safetensors.torch.load_file('theta.safetensors')), where net is the nn.Sequential of
the same layers (fixtures/pytorch/twins.py has those of all models).`,
    )
    .action(async (path: string, { step, output, layout, force }: Flags) => {
      const { modelOf } = await import('../recording/rebuildObjective.ts');
      const { loadWeights } = await import('../recording/loadWeights.ts');
      const { saveWeights } = await import('../recording/saveWeights.ts');
      const { openRecording } = await import('../recording/openRecording.ts');
      const recording = openRecording('weights', path);
      recording.close();
      const model = await modelOf(path, recording.header.source?.objective);
      const weights = loadWeights(path, model, { step });
      const metadata = { step: `${step}` };
      asWritten(() =>
        saveWeights(output, model, weights, { layout: layout as 'brink', overwrite: force ?? false, metadata }),
      );
      console.log(`step ${step} of ${path}, ${weights.length} weights of ${model.name}: ${output}`);
    });
  return command;
}

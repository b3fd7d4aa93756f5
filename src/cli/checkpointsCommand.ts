import { basename, dirname, join } from 'node:path';
import { Command } from 'commander';
import { datasets } from '../catalogue/datasets.ts';
import { losses } from '../catalogue/losses.ts';
import { models } from '../catalogue/models.ts';
import { probes as allProbes } from '../catalogue/probes.ts';
import type { CheckpointsOptions } from '../recording/checkpoints.ts';
import { asWritten } from '../runs/asWritten.ts';
import { parseNamed } from '../runs/parseNamed.ts';
import { checkProbes, probeBranches } from '../runs/probeBranches.ts';
import { requireName } from '../runs/requireName.ts';
import { requireNoRun } from '../runs/requireNoRun.ts';
import { run } from '../runs/run.ts';
import { checkSinks, SINKS } from '../runs/tableSinks.ts';
import { anotherOf, numberOf } from './arguments.ts';
import { printSummary } from './text.ts';

type Settings = Omit<CheckpointsOptions, 'objective' | 'names'>;

interface Flags extends Settings {
  readonly data: string;
  readonly model?: string;
  readonly loss?: string;
  readonly chunk?: number;
  readonly names?: string;
  readonly probe: readonly string[];
  readonly every: number;
  readonly sink?: readonly string[];
  readonly out: string;
  readonly force?: true;
  readonly json?: true;
}

const WHO = 'checkpoints';

const EXAMPLES = `
Examples:
  brink checkpoints 'run/step-*.safetensors' --data file:train.npz --model mlp:hidden=12 --learning-rate 0.5
  brink checkpoints 'runs/*/step-*.safetensors' --data cifar10:data:train=1024 --model cnn6 --table log.csv \\
    --batch-size 128 --beta1 0.9 --beta2 0 --probe interactionAwareSharpness:batchSizes=128:every=100
    (a run of each folder, in output/checkpoints/<folder>)

The pattern stands in quotes, so that the shell leaves it alone. Names are PyTorch's in an nn.Sequential of the same
layers, brink's, or those of --names. What isn't given of η, b and momentum is unknown: columns that follow from it are
NaN, and probes that need it say so.

Exit codes: as those of \`brink run\`.`;

/** `brink checkpoints`. */
export function checkpointsCommand(): Command {
  return new Command('checkpoints')
    .argument('<files>', 'the weights: a pattern of .safetensors or .npz, with the step as the last number in the name')
    .requiredOption('--data <data>', 'what they were trained on, as in `brink run`')
    .option('--model <model>', 'of which model they are (default: mlp, for images cnn)')
    .option('--loss <loss>', 'its loss (default: crossEntropy, without classes meanSquaredError)')
    .option('--chunk <examples>', 'examples on the device at once', numberOf)
    .option('--names <names>', "what the files call the model's parameters, in their order, with commas")
    .option('--table <file>', 'a table of step, and file, learning_rate, batch_size, beta1, beta2, epoch')
    .option('--from <step>', 'the first step', numberOf)
    .option('--to <step>', 'the last step', numberOf)
    .option('--learning-rate <η>', 'of the run', numberOf)
    .option('--batch-size <b>', 'examples in a batch', numberOf)
    .option('--replacement', 'batches were drawn with replacement')
    .option('--beta1 <β₁>', "of momentum: PyTorch's momentum, 0 for plain SGD", numberOf)
    .option('--beta2 <β₂>', 'of momentum: 0, or β₁ with Nesterov', numberOf)
    .option('--probe <probe>', 'what to measure; may be given again (default: topEigenvalues)', anotherOf)
    .option('--every <steps>', 'how often probes measure that do not say so themselves', numberOf, 1)
    .option('--sink <format>', `where tables go: ${SINKS.join(', ')}; may be given again (default: parquet)`, anotherOf)
    .option('--out <dir>', 'the folder of the tables', 'output/checkpoints')
    .option('--force', 'replace the run that the folder holds')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', EXAMPLES)
    .action(measure);
}

async function measure(files: string, flags: Flags): Promise<void> {
  const { data, model, loss, chunk, names, probe = ['topEigenvalues'], every, sink = ['parquet'], ...more } = flags;
  const { out, force, json, ...settings } = more;
  const probes = probe.map((text) => parseNamed(WHO, 'probe', text, allProbes));
  checkProbes(WHO, probes, every);
  const sinks = checkSinks(WHO, sink);
  if (loss !== undefined) requireName(WHO, 'loss', loss, Object.keys(losses));
  const named = {
    data: parseNamed(WHO, 'data set', data, datasets),
    ...(model !== undefined && { model: parseNamed(WHO, 'model', model, models) }),
    ...(loss !== undefined && { loss }),
    ...(chunk !== undefined && { chunk }),
  };
  const { checkpointFiles, checkpoints } = await import('../recording/checkpoints.ts');
  const folders = [
    ...Map.groupBy(
      asWritten(() => checkpointFiles(files)),
      (file) => dirname(file),
    ),
  ];
  const overwrite = force ?? false;
  const runs = folders.map(([folder, paths]) => {
    const directory =
      folders.length === 1
        ? out
        : join(
            out,
            nameOf(
              folder,
              folders.map(([other]) => other),
            ),
          );
    return { paths, directory: requireNoRun(WHO, directory, overwrite) };
  });
  // Loads TensorFlow.js, which no other command line has to wait for.
  const { objectiveFrom } = await import('../runs/objectiveFrom.ts');
  const objective = await objectiveFrom(WHO, named);
  const options = { ...settings, objective, ...(names !== undefined && { names: names.split(',') }) };
  const sources = runs.map(({ paths }) => asWritten(() => checkpoints(paths, options)));
  for (const [k, { directory }] of runs.entries()) {
    const branches = asWritten(() => probeBranches(probes, every, sinks, settings.replacement));
    const summary = await asWritten(
      () => run(sources[k]!, branches, { directory, overwrite, signals: 'stop', metadata: { checkpoints: files } }),
      Object.keys(allProbes),
    );
    if (json) printSummary(summary);
    if (summary.state === 'stopped') return;
  }
}

/** A folder's own name, or as much of its path as tells it from the others. */
function nameOf(folder: string, all: readonly string[]): string {
  const names = all.map((other) => basename(other));
  return new Set(names).size === all.length
    ? basename(folder)
    : folder.replaceAll(/[\\/]+/g, '-').replace(/^[-.]+/, '');
}

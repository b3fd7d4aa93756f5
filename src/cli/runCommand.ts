import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { datasets } from '../catalogue/datasets.ts';
import { losses } from '../catalogue/losses.ts';
import { models } from '../catalogue/models.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { SINKS } from '../runs/tableSinks.ts';
import { anotherOf, numberOf } from './arguments.ts';
import { printSummary } from './text.ts';

const WHO = 'run';

interface Flags {
  readonly data?: string;
  readonly model?: string;
  readonly loss?: string;
  readonly chunk?: number;
  readonly learningRate?: number;
  readonly steps?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly replacement?: true;
  readonly shuffle?: string;
  readonly weightDecay?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly seed?: number;
  readonly initialWeights?: string;
  readonly initialStep?: number;
  readonly probe?: readonly string[];
  readonly every?: number;
  readonly sink?: readonly string[];
  readonly record?: true;
  readonly out?: string;
  readonly force?: true;
  readonly watch?: true;
  readonly json?: true;
  readonly schema?: true;
}

const namesOf = (registry: object) => Object.keys(registry).join(', ');

const EXAMPLES = `
Something named takes its options after colons, lists with commas: mlp:hidden=64,64:activation=relu. Where the files
of a data set lie may stand first: file:train.npz, cifar10:data.
data: ${namesOf(datasets)}; models: ${namesOf(models)};
losses: ${namesOf(losses)};
probes: see \`brink probes\`. A file holds the same in JSON (\`brink run --schema\` says all that it may hold); where
both speak, the flag counts:
  { "model": { "name": "mlp", "hidden": [64, 64] }, "learningRate": 0.2, "steps": 200,
    "probes": [{ "name": "topEigenvalues", "every": 5 }] }
"learningRate" may be a schedule there: { "schedule": "cosine", "rate": 0.1, "warmup": 20 }.

Examples:
  brink run --learning-rate 0.2 --steps 200 --out output/first
  brink run --learning-rate 0.2 --steps 200 --loss meanSquaredError --every 5 --probe topEigenvalues:count=3 \\
    --probe trainingLoss
  brink run --data cifar10:folder=data:train=1024 --model cnn6 --learning-rate 0.02 --steps 400 --batch-size 128 \\
    --probe interactionAwareSharpness:batchSizes=32,128:every=10
  brink run --data table:train.parquet:label=class:normalize=each --learning-rate 0.1 --steps 200
  brink run --learning-rate 0.2 --epochs 100 --watch
  brink run --learning-rate 0.2 --steps 200 --sink parquet --sink tensorboard
  brink run pipeline.json --seed 3 --record --out output/third

Exit codes: 0 finished, 1 failed or diverged, 2 the command line or the file is wrong, 130 stopped by Ctrl-C (143 by
SIGTERM): the tables are finished then, and the summary is printed; a second signal stops at once, and
\`brink recover\` finishes them.`;

/** `brink run`. */
export function runCommand(): Command {
  return new Command('run')
    .argument('[file]', 'the pipeline, in JSON')
    .option('--data <data>', 'what to train on (default: digits)')
    .option('--model <model>', 'what to train (default: mlp, for images cnn)')
    .option('--loss <loss>', 'its loss (default: crossEntropy, without classes meanSquaredError)')
    .option('--chunk <examples>', 'examples on the device at once', numberOf)
    .option('--learning-rate <η>', 'of gradient descent', numberOf)
    .option('--steps <T>', 'how many updates', numberOf)
    .option('--epochs <epochs>', 'passes over the data, instead of steps', numberOf)
    .option('--batch-size <b>', 'examples in a batch (default: all)', numberOf)
    .option('--replacement', 'batches are drawn with replacement')
    .option('--shuffle <how>', 'independent or epoch (default: independent)')
    .option('--weight-decay <λ>', 'decoupled weight decay (default: 0)', numberOf)
    .option('--beta1 <β₁>', 'of momentum', numberOf)
    .option('--beta2 <β₂>', 'of momentum', numberOf)
    .option('--seed <seed>', 'of the weights and the batches (default: 0)', numberOf)
    .option('--initial-weights <file>', 'θ_0: .safetensors or .npz (PyTorch’s names do too), or a recording')
    .option('--initial-step <step>', 'which step of that recording', numberOf)
    .option('--probe <probe>', 'what to measure; may be given again', anotherOf)
    .option('--every <steps>', 'how often probes measure that do not say so themselves (default: 1)', numberOf)
    .option('--sink <format>', `where tables go: ${SINKS.join(', ')}; may be given again (default: parquet)`, anotherOf)
    .option('--record', 'record the steps too, for `brink replay`: 4 bytes a parameter and step')
    .option('--out <dir>', 'the folder of the run (default: output/run)')
    .option('--force', 'replace the run that the folder holds')
    .option('--watch', 'serve the live page meanwhile, as `brink watch` does')
    .option('--json', 'print the summary as JSON')
    .option('--schema', 'print the JSON schema of the file, and run nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, flags: Flags) => {
      const { parseSpecification, pipelineSchema, readNames } = await import('../runs/specification.ts');
      if (flags.schema) {
        console.log(JSON.stringify(pipelineSchema(), null, 2));
        return;
      }
      const named = merge(file === undefined ? {} : readFile(file), flags);
      const spec = parseSpecification(readNames(named));
      // Loads TensorFlow.js, which no other command line has to wait for.
      const { runPipeline } = await import('../runs/runPipeline.ts');
      const summary = await runPipeline(spec, { force: flags.force ?? false, watch: flags.watch ?? false });
      if (flags.json) printSummary(summary);
    });
}

function readFile(file: string): object {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw new CommandLineError(WHO, `${file} can't be read as a pipeline: ${(cause as Error).message}`, { cause });
  }
  throw new CommandLineError(WHO, `${file} holds no pipeline. It must be a JSON object; see \`brink run --help\`.`);
}

/** What the file says, where no flag says otherwise. */
function merge(file: object, { probe, sink, out, ...more }: Flags): Record<string, unknown> {
  const { force: _force, watch: _watch, json: _json, schema: _schema, ...flags } = more;
  return {
    ...file,
    ...flags,
    ...(probe && { probes: probe }),
    ...(sink && { sinks: sink }),
    ...(out !== undefined && { directory: out }),
  };
}

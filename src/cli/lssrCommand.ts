import { Command, Option } from 'commander';
import { asWritten } from '../runs/asWritten.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { readTable } from '../tables/readTable.ts';
import type { BestLearningRate } from '../theory/bestLearningRates.ts';
import { lssr } from '../theory/lssr.ts';
import { type RhoOfRun, rhoOfRun, type TracesOfBatch } from '../theory/rhoOfRun.ts';
import { numberOf, numbersOf } from './arguments.ts';
import { tunedSweep } from './tunedSweep.ts';

interface Options {
  readonly n?: number;
  readonly rho?: number;
  readonly rhoError?: number;
  readonly from?: string;
  readonly batchSize: number;
  readonly learningRate?: number;
  readonly score?: string;
  readonly for: readonly number[];
  readonly replacement?: boolean;
  readonly json?: boolean;
}

/** `brink lssr`. */
export function lssrCommand(): Command {
  return new Command('lssr')
    .option('--n <n>', 'examples; of a sweep they are known', numberOf)
    .option('--rho <rho>', 'concentration ρ of the gradient of one example: that of a run, not of its end', numberOf)
    .option('--rho-error <error>', 'its standard error (0)', numberOf)
    .addOption(
      new Option(
        '--from <table>',
        "ρ of the run whose table this is: gradientConcentration's, interactionAwareSharpness's or scalingRule's; or " +
          'the sweep.parquet of a sweep over batch size and learning rate',
      ).conflicts(['rho', 'rhoError']),
    )
    .requiredOption('--batch-size <b>', 'of the run whose learning rate is known', numberOf)
    .option('--learning-rate <η>', 'of that run; of a sweep, by default the best one of that batch size', numberOf)
    .option(
      '--score <column>',
      'of a sweep: says how good a run was, the higher the better (the column that ends in test_accuracy)',
    )
    .requiredOption('--for <b,b,…>', 'batch sizes to ask about', numbersOf)
    .option('--replacement', 'batches are drawn with replacement')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  brink lssr --n 8192 --rho 0.0078 --batch-size 128 --learning-rate 0.1 --for 32,512,2048
  brink lssr --n 1024 --from output/run/concentration.parquet --batch-size 32 --learning-rate 0.1 --for 64,256
  brink lssr --from output/sweep/sweep.parquet --batch-size 64 --for 256,1024`,
    )
    .action(async (options: Options) => {
      const { batchSize, replacement = false } = options;
      const { n, learningRate, rho, rhoStandardError, said, best } = await known(options);
      const scaling = asWritten(() =>
        lssr({ n, rho, rhoStandardError, batchSize, learningRate, batchSizes: options.for, replacement }),
      );
      if (options.json) {
        console.log(
          JSON.stringify({ n, learningRate, rho, rhoStandardError, ...scaling, ...(best && { best }) }, null, 2),
        );
        return;
      }
      for (const line of said) console.log(line);
      const cell = (x: number | undefined) => (x?.toPrecision(4) ?? '').padEnd(12);
      console.log(`linear below b ≈ ${scaling.knee.toPrecision(3)}, saturated above`);
      const heads = ['ρ_b', 'LSSR', 'from', 'to', 'LSR', 'SRSR', ...(best ? ['best found'] : [])];
      console.log(`${'b'.padEnd(8)}${heads.map((head) => head.padEnd(12)).join('')}`.trimEnd());
      for (const rate of scaling.rates) {
        const found = best?.find((one) => one.batchSize === rate.batchSize)?.learningRate;
        const cells = [rate.rho, rate.lssr, ...rate.interval, rate.lsr, rate.srsr, ...(best ? [found] : [])].map(cell);
        console.log(`${String(rate.batchSize).padEnd(8)}${cells.join('')}`.trimEnd());
      }
    });
}

/** What the rule starts from. */
interface Known {
  readonly n: number;
  readonly learningRate: number;
  readonly rho: number;
  readonly rhoStandardError: number;
  /** Where it comes from, in lines. */
  readonly said: readonly string[];
  /** Of a sweep: the best learning rate of each batch size. */
  readonly best?: readonly BestLearningRate[];
}

async function known({ n, rho, rhoError = 0, from, batchSize, learningRate, score }: Options): Promise<Known> {
  const { table, rows } = from === undefined ? { table: null, rows: [] } : await readTable(from);
  if (from !== undefined && table?.name === 'sweep') {
    if (n !== undefined) throw new CommandLineError('lssr', `--n is ${n}. A sweep says n itself; leave it out.`);
    const sweep = await tunedSweep(from, rows, score);
    const best = sweep.best.find((one) => one.batchSize === batchSize);
    if (learningRate === undefined && !best) {
      const sizes = sweep.best.map((one) => one.batchSize).join(', ');
      throw new CommandLineError(
        'lssr',
        `no run of ${from} had b = ${batchSize}, but ${sizes}. Give --learning-rate, or one of these.`,
      );
    }
    const rate = learningRate ?? best!.learningRate;
    const scored =
      learningRate === undefined
        ? [
            `η = ${rate.toPrecision(3)} is the best for b = ${batchSize}, by ${sweep.score} (${best!.score.toPrecision(4)})`,
          ]
        : [];
    const { line, ...concentration } = described(sweep.rho, `the runs of ${from} nearest to the best of each b`);
    return {
      n: sweep.n,
      learningRate: rate,
      ...concentration,
      said: [`n = ${sweep.n}`, ...scored, line],
      best: sweep.best,
    };
  }
  if (score !== undefined)
    throw new CommandLineError('lssr', '--score is of a sweep. Give --from its sweep.parquet, or leave it out.');
  if (n === undefined) throw new CommandLineError('lssr', 'there is no n. Give --n, the number of examples.');
  if (learningRate === undefined) {
    throw new CommandLineError('lssr', `there is no η. Give --learning-rate, the one that goes with b = ${batchSize}.`);
  }
  if (from === undefined) {
    if (rho === undefined) throw new CommandLineError('lssr', 'there is no ρ. Give --rho, or --from a table of a run.');
    return { n, learningRate, rho, rhoStandardError: rhoError, said: [] };
  }
  // What the rows lack is said by who reads them.
  const run = asWritten(() => rhoOfRun(rows as unknown as TracesOfBatch[], n));
  const { line, ...concentration } = described(run, from);
  return { n, learningRate, ...concentration, said: [line] };
}

/** ρ with its error, and a line that says so. */
function described(run: RhoOfRun, of: string) {
  const rhoStandardError = run.blockStandardError ?? run.standardError;
  const whose = run.blockStandardError === null ? 'of the draws alone' : 'over blocks of the run';
  const [value, error] = [run.rho, rhoStandardError].map((x) => x.toPrecision(3));
  return {
    rho: run.rho,
    rhoStandardError,
    line: `ρ = ${value} ± ${error} (${whose}), over ${run.steps} steps of ${of}`,
  };
}

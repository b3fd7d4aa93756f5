import { Command, Option } from 'commander';
import { asWritten } from '../runs/asWritten.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';
import { readTable } from '../tables/readTable.ts';
import { lssr } from '../theory/lssr.ts';
import { rhoOfRun, type TracesOfBatch } from '../theory/rhoOfRun.ts';
import { numberOf, numbersOf } from './arguments.ts';

interface Options {
  readonly n: number;
  readonly rho?: number;
  readonly rhoError?: number;
  readonly from?: string;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly for: readonly number[];
  readonly replacement?: boolean;
  readonly json?: boolean;
}

/** `brink lssr`. */
export function lssrCommand(): Command {
  return new Command('lssr')
    .requiredOption('--n <n>', 'examples', numberOf)
    .option('--rho <rho>', 'concentration ρ of the gradient of one example: that of a run, not of its end', numberOf)
    .option('--rho-error <error>', 'its standard error (0)', numberOf)
    .addOption(
      new Option(
        '--from <table>',
        "ρ of the run whose table this is: gradientConcentration's, interactionAwareSharpness's or scalingRule's",
      ).conflicts(['rho', 'rhoError']),
    )
    .requiredOption('--batch-size <b>', 'of the run whose learning rate is known', numberOf)
    .requiredOption('--learning-rate <η>', 'of that run', numberOf)
    .requiredOption('--for <b,b,…>', 'batch sizes to ask about', numbersOf)
    .option('--replacement', 'batches are drawn with replacement')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  brink lssr --n 8192 --rho 0.0078 --batch-size 128 --learning-rate 0.1 --for 32,512,2048
  brink lssr --n 1024 --from output/run/concentration.parquet --batch-size 32 --learning-rate 0.1 --for 64,256`,
    )
    .action(async (options: Options) => {
      const { n, batchSize, learningRate, replacement = false } = options;
      const { rho, rhoStandardError, said } = await concentration(options);
      const scaling = asWritten(() =>
        lssr({ n, rho, rhoStandardError, batchSize, learningRate, batchSizes: options.for, replacement }),
      );
      if (options.json) {
        console.log(JSON.stringify({ rho, rhoStandardError, ...scaling }, null, 2));
        return;
      }
      if (said) console.log(said);
      const cell = (x: number) => x.toPrecision(4).padEnd(12);
      console.log(`linear below b ≈ ${scaling.knee.toPrecision(3)}, saturated above`);
      const heads = ['ρ_b', 'LSSR', 'from', 'to', 'LSR', 'SRSR'].map((head) => head.padEnd(12)).join('');
      console.log(`${'b'.padEnd(8)}${heads}`.trimEnd());
      for (const rate of scaling.rates) {
        const cells = [rate.rho, rate.lssr, ...rate.interval, rate.lsr, rate.srsr].map(cell).join('');
        console.log(`${String(rate.batchSize).padEnd(8)}${cells}`.trimEnd());
      }
    });
}

/** ρ as it was given, or that of a table, and where it comes from. */
async function concentration({ n, rho, rhoError = 0, from }: Options) {
  if (from === undefined) {
    if (rho === undefined) throw new CommandLineError('lssr', 'there is no ρ. Give --rho, or --from a table of a run.');
    return { rho, rhoStandardError: rhoError, said: null };
  }
  const { rows } = await readTable(from);
  // What the rows lack is said by who reads them.
  const run = asWritten(() => rhoOfRun(rows as unknown as TracesOfBatch[], n));
  const rhoStandardError = run.blockStandardError ?? run.standardError;
  const whose = run.blockStandardError === null ? 'of the draws alone' : 'over blocks of the run';
  const [value, error] = [run.rho, rhoStandardError].map((x) => x.toPrecision(3));
  return {
    rho: run.rho,
    rhoStandardError,
    said: `ρ = ${value} ± ${error} (${whose}), over ${run.steps} steps of ${from}`,
  };
}

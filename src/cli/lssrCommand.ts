import { Command } from 'commander';
import { asWritten } from '../runs/asWritten.ts';
import { lssr } from '../theory/lssr.ts';
import { numberOf, numbersOf } from './arguments.ts';

interface Options {
  readonly n: number;
  readonly rho: number;
  readonly rhoError: number;
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
    .requiredOption(
      '--rho <rho>',
      'concentration ρ of the gradient of one example, as gradientConcentration measures it',
      numberOf,
    )
    .option('--rho-error <error>', 'its standard error', numberOf, 0)
    .requiredOption('--batch-size <b>', 'of the run whose learning rate is known', numberOf)
    .requiredOption('--learning-rate <η>', 'of that run', numberOf)
    .requiredOption('--for <b,b,…>', 'batch sizes to ask about', numbersOf)
    .option('--replacement', 'batches are drawn with replacement')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  brink lssr --n 8192 --rho 0.0078 --batch-size 128 --learning-rate 0.1 --for 32,512,2048',
    )
    .action((options: Options) => {
      const { rho, rhoError: rhoStandardError, n, batchSize, learningRate, replacement = false } = options;
      const scaling = asWritten(() =>
        lssr({ n, rho, rhoStandardError, batchSize, learningRate, batchSizes: options.for, replacement }),
      );
      if (options.json) {
        console.log(JSON.stringify(scaling, null, 2));
        return;
      }
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

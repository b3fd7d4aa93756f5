import { Command } from 'commander';
import { textTable } from './text.ts';
import type { EngineCheck } from './verifyEngine.ts';

const EXPLAINED = `The reference is in double precision, at trained weights. A value may be off, relative to it, by ten times what
another float32 implementation was, and by 4.8e-7 at least; an estimate from draws by five of its standard errors.`;

/** `brink verify`. */
export function verifyCommand(): Command {
  return new Command('verify')
    .option('--reference <dir>', 'reference values of the same problem; default: those that come with brink')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  brink verify
  BRINK_ENGINE=wasm brink verify

Exits with 1 where a value is further off than it may be.`,
    )
    .action(async ({ reference, json }: { reference?: string; json?: boolean }) => {
      // Loads TensorFlow.js, which no other command line has to wait for.
      const { verifyEngine } = await import('./verifyEngine.ts');
      const { engine, problem, checks, passed } = await verifyEngine(reference);
      if (json) {
        console.log(JSON.stringify({ engine, problem, passed, checks }, null, 2));
      } else {
        const head = ['', 'computed', 'reference', 'error', 'allowed', '', ''];
        const failures = checks.filter((check) => !check.passed).map(({ quantity }) => quantity);
        console.log(`${engine.name}: ${engine.device}, ${engine.version}\n${problem}\n`);
        console.log(textTable([head, ...checks.map(cells)]));
        console.log(`\n${EXPLAINED}\n`);
        const failed = `failed: ${failures.length} of ${checks.length}, ${failures.join(', ')}`;
        console.log(passed ? `passed: all ${checks.length}` : failed);
      }
      if (!passed) process.exitCode = 1;
    });
}

function cells({ quantity, value, reference, error, allowed, unit, passed }: EngineCheck): string[] {
  const short = (x: number) => (unit === 'relative' ? x.toExponential(1) : x.toFixed(1));
  return [
    quantity,
    value.toPrecision(8),
    reference.toPrecision(8),
    short(error),
    short(allowed),
    unit,
    passed ? '' : 'FAILED',
  ];
}

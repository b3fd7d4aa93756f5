/**
 * A run to be shown, stopped or killed: `endlessRun.ts DIRECTORY [stuck|deaf|own]`. It prints a line at every fifth
 * step.
 *
 * - `stuck`: the measurement of step 7 does not end.
 * - `deaf`: the rows of the first branch do not end with the steps.
 * - `own`: the program listens to SIGINT itself.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { concatWith, EMPTY, ignoreElements, interval, tap } from 'rxjs';
import { toy } from '../../src/objectives/quadratic.ts';
import { measure } from '../../src/operators/measure.ts';
import { alignment } from '../../src/probes/alignment.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const [directory, how] = process.argv.slice(2) as [string, string?];
const slow = measure(async (point, step) => {
  await wait(how === 'stuck' && step.index === 7 ? 2 ** 30 : 10);
  await point.loss();
  return { step: step.index };
});
const never = interval(1000).pipe(ignoreElements());

if (how === 'own') process.once('SIGINT', () => console.log('heard'));

const { state } = await run(
  gradientDescent(toy(), { learningRate: 0.001, steps: 1e6 }),
  {
    loss: (s) => s.pipe(trainingLoss(), concatWith(how === 'deaf' ? never : EMPTY), toParquet()),
    alignment: (s) => s.pipe(alignment(), toArrow()),
    slow: (s) =>
      s.pipe(
        tap(({ index }) => index % 5 === 2 && console.log(`step ${index}`)),
        slow,
      ),
  },
  { directory, progress: false },
);
console.log(state);

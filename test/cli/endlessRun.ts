/**
 *
 * - `stuck`: its last branch never ends the measurement of step 7.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { tap } from 'rxjs';
import { toy } from '../../src/objectives/quadratic.ts';
import { measure } from '../../src/operators/measure.ts';
import { run } from '../../src/operators/run.ts';
import { alignment } from '../../src/probes/alignment.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const [directory, how] = process.argv.slice(2) as [string, string?];
const objective = toy();
const slow = measure(objective, async (point, step) => {
  await wait(how === 'stuck' && step.index === 7 ? 2 ** 30 : 10);
  await point.loss();
  return { step: step.index };
});

const { state } = await run(
  gradientDescent(objective, { learningRate: 0.001, steps: 1e6 }),
  {
    loss: (s) => s.pipe(trainingLoss(objective), toParquet(trainingLoss.table)),
    alignment: (s) => s.pipe(alignment(objective), toArrow(alignment.table)),
    slow: (s) =>
      s.pipe(
        tap(({ index }) => index % 5 === 2 && console.log(`step ${index}`)),
        slow,
      ),
  },
  { directory, progress: false },
);
console.log(state);

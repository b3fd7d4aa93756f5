import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, expectTypeOf, it } from 'vitest';
import {
  columns,
  type EigenvaluesRow,
  float64,
  gradientConcentration,
  gradientDescent,
  interactionAwareSharpness,
  type LossChangeRow,
  lossPlane,
  type OptionsOf,
  options,
  probe,
  type Row,
  run,
  type SharpnessRow,
  type TopEigenvaluesOptions,
  theoremOne,
  throttleSteps,
  toArrow,
  toParquet,
  topEigenvalues,
  toy,
  trainingLoss,
} from '../../src/index.ts';

// Each line that must not compile is one that the compiler would report were it to compile: `tsc -p .` holds them.

it('an option that there is not, one of the wrong type and one that is missing do not compile, and are refused', () => {
  // @ts-expect-error there is no option `cuont`
  expect(() => topEigenvalues({ cuont: 3 })).toThrow("there is no option 'cuont'. Did you mean count?");
  // @ts-expect-error it is a number
  expect(() => topEigenvalues({ count: '3' })).toThrow("count is '3'");
  // @ts-expect-error it is a list
  expect(() => gradientConcentration({ batchSizes: 4 })).toThrow('batchSizes is 4');
  // @ts-expect-error it is one of two words
  expect(() => interactionAwareSharpness({ estimator: 'signs' })).toThrow("estimator is 'signs'");
  // @ts-expect-error null is no default
  expect(() => topEigenvalues({ grow: null })).toThrow('grow is null');
  // @ts-expect-error batchSizes is needed
  expect(() => theoremOne({ draws: 4 })).toThrow('batchSizes is missing');
  // @ts-expect-error so are options at all
  expect(() => theoremOne()).toThrow('batchSizes is missing');
  // @ts-expect-error directions is a function
  expect(() => lossPlane({ coordinates: [0, 1], directions: [] })).toThrow('directions is []');
  // @ts-expect-error the objective is that of the steps, or `on`
  expect(() => topEigenvalues(toy(), { count: 3 })).toThrow('the options are an objective');
  // @ts-expect-error and is one
  expect(() => trainingLoss({ on: 'toy' })).toThrow('on is toy');
});

it('options have names of their own, of which the needed must be given', () => {
  expectTypeOf<OptionsOf<typeof topEigenvalues>>().toEqualTypeOf<TopEigenvaluesOptions>();
  expectTypeOf<TopEigenvaluesOptions['count']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<OptionsOf<typeof theoremOne>['batchSizes']>().toEqualTypeOf<readonly number[]>();
  expectTypeOf<OptionsOf<typeof interactionAwareSharpness>['estimator']>().toEqualTypeOf<
    'examples' | 'batches' | undefined
  >();
});

it('rows of a run are of the type of their branch', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'brink-types-'));
  const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 4, initialWeights: [3, 0.1] });
  const result = await run(
    steps,
    {
      eigenvalues: (s) => s.pipe(throttleSteps(2), topEigenvalues({ count: 2 }), toParquet()),
      sharpness: (s) => s.pipe(interactionAwareSharpness(), toArrow()),
    },
    { directory, overwrite: true, progress: false, signals: 'ignore' },
  );
  const eigenvalues = await result.rows('eigenvalues');
  expectTypeOf(eigenvalues).toEqualTypeOf<readonly EigenvaluesRow[]>();
  expect(eigenvalues.map((row) => row.eigenvalues.map((value) => Math.round(value)))).toEqual(Array(3).fill([35, 2]));
  const sharpness = await result.rows('sharpness');
  expectTypeOf(sharpness).toEqualTypeOf<readonly SharpnessRow[]>();
  expect(sharpness).toHaveLength(5);
  // @ts-expect-error the table has no such column
  expect(sharpness[0]!.lambda_1).toBeUndefined();
  // @ts-expect-error there is no such branch
  await expect(result.rows('loss')).rejects.toThrow("there is no branch 'loss'");
  rmSync(directory, { recursive: true });
  expectTypeOf<LossChangeRow['plain_edge']>().toEqualTypeOf<number>();
  expectTypeOf<EigenvaluesRow['branches']>().toEqualTypeOf<readonly number[]>();
});

it('a probe of your own has its options and rows typed by its declaration', async () => {
  const slope = probe({
    name: 'slope',
    asks: 'how steep is the loss?',
    table: {
      name: 'slopes',
      description: 'The slope at a step.',
      key: ['step'],
      columns: { step: columns.step(), slope: float64({ symbol: '‖∇L‖', description: 'Length of the gradient.' }) },
    },
    cost: 'one gradient.',
    options: {
      power: options.integer({ least: 1, needed: true, description: 'The power.' }),
      scale: options.number({ above: 0, none: 'not scaled', description: 'A factor.' }),
      share: options.number({
        above: 0,
        default: { text: '1/m', of: ({ paramCount }) => 1 / paramCount },
        description: 'A share.',
      }),
    },
    begin: ({ power, scale, share }) => {
      expectTypeOf(power).toEqualTypeOf<number>();
      expectTypeOf(scale).toEqualTypeOf<number | null>();
      expectTypeOf(share).toEqualTypeOf<number>();
      return async (point, step) => ({
        step: step.index,
        slope: (scale ?? 1) * Math.hypot(...(await point.gradient())) ** power * share,
      });
    },
  });
  const steps = gradientDescent(toy(), { learningRate: 1 / 4, steps: 0, initialWeights: [3, 0] });
  const rows = await lastValueFrom(steps.pipe(slope({ power: 2 }), toArray()));
  expectTypeOf(rows).toEqualTypeOf<{ step: number; slope: number }[]>();
  expectTypeOf<Row<typeof slope.table>>().toEqualTypeOf<{ readonly step: number; readonly slope: number }>();
  expect(rows).toEqual([{ step: 0, slope: 18 }]);
  // @ts-expect-error power is needed
  expect(() => slope()).toThrow('slope: power is missing. The power.');
  // @ts-expect-error it is a number
  expect(() => slope({ power: true })).toThrow('power is true');
  const said = { ...slope.declaration, options: {} };
  // @ts-expect-error a column is missing from the row
  probe({ ...said, begin: () => async (_, step) => ({ step: step.index }) });
});

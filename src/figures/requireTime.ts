import { availableParallelism } from 'node:os';
import { firstValueFrom } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import type { SeededRun } from './figure.ts';

/** Examples that are timed. */
const SAMPLE = 32;

/** A run that is to be made. */
export interface CostlyRun extends SeededRun {
  /** The step that it goes on from; null: it begins. */
  readonly from: number | null;
}

/**
 * Throws where what is left of the runs that say what they cost would take longer than `hours` on this machine: one
 * gradient and one product on a few examples are timed, and scaled.
 */
export async function requireTime(
  what: string,
  cells: readonly CostlyRun[],
  hours: number,
  tell: (line: string) => void,
): Promise<void> {
  const costly = cells.filter(({ plan }) => plan.work !== undefined);
  if (costly.length === 0) return;
  let seconds = 0;
  const times = new Map<Objective | null, Awaited<ReturnType<typeof timePerExample>>>();
  for (const { plan, seed, from } of costly) {
    const { gradients, products } = plan.work!;
    const step = await firstValueFrom(await plan.steps(seed));
    const { objective, total } = step.run;
    const left = from !== null && total ? 1 - from / total : 1;
    const time = times.get(objective) ?? (await timePerExample(step));
    times.set(objective, time);
    seconds += left * time.examples * (gradients * time.gradient + products * time.product);
  }
  const gigabytes = process.resourceUsage().maxRSS / 2 ** 20;
  const estimate = `about ${short(seconds / 3600)} hours and ${short(gigabytes)} GiB of memory on these ${availableParallelism()} cores`;
  if (seconds > hours * 3600) {
    throw new BrinkError(
      'makeFigure',
      `${what} would take ${estimate}, more than the ${hours} hours allowed. Pass hours: ${Math.ceil(seconds / 3600)} (--hours) to make it all the same; when it is cut off, it goes on with the next call.`,
    );
  }
  tell(`it will take ${estimate}`);
}

async function timePerExample(step: Step) {
  const point = step.point();
  const { exampleCount: examples } = point.objective;
  const batch = Int32Array.from({ length: Math.min(SAMPLE, examples) }, (_, i) => i);
  const { gradient: v } = await point.batchGradient(batch);
  await point.batchHessianVector(batch, v);
  // The first call also makes things ready.
  const begin = performance.now();
  await point.objective.at(Float32Array.from(step.weights)).batchGradient(batch);
  const middle = performance.now();
  await point.batchHessianVector(batch, Float32Array.from(v));
  const end = performance.now();
  return {
    examples,
    gradient: (middle - begin) / 1000 / batch.length,
    product: (end - middle) / 1000 / batch.length,
  };
}

const short = (x: number) => `${Number(x.toPrecision(2))}`;

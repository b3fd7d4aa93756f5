import { lastValueFrom, type Observable, toArray } from 'rxjs';
import type { Step, StepData } from '../../src/core/Step.ts';

/** A step's data, without what holds its source back. */
export function plain({ waitUntil: _, ...data }: Step): StepData {
  return data;
}

/** The data of every step, once the source has ended. */
export async function collect(steps: Observable<Step>): Promise<StepData[]> {
  return (await lastValueFrom(steps.pipe(toArray()))).map(plain);
}

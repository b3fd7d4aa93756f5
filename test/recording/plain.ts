import { lastValueFrom, type Observable, toArray } from 'rxjs';
import type { Step } from '../../src/core/Step.ts';
import type { StepData } from '../../src/core/StepData.ts';
import { type OpenRecording, openRecording } from '../../src/recording/openRecording.ts';

/** A step's data, without the run that it comes from. */
export const plain = (step: Step): StepData => ({ ...step });

/** The data of every step, once the source has ended. */
export async function collect(steps: Observable<Step>): Promise<StepData[]> {
  return (await lastValueFrom(steps.pipe(toArray()))).map(plain);
}

/** What a recording holds, as far as it is whole. */
export function held(path: string): Pick<OpenRecording, 'header' | 'indices' | 'tornBytes'> {
  const { header, indices, tornBytes, close } = openRecording('test', path);
  close();
  return { header, indices, tornBytes };
}

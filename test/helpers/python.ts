import { inject, type TestContext } from 'vitest';

/** The Python that reads tables; skips the test, and says why, where there is none. */
export function pythonOrSkip({ skip }: Pick<TestContext, 'skip'>): string {
  const environment = inject('pythonEnvironment');
  if ('missing' in environment) skip(environment.missing);
  return (environment as { python: string }).python;
}

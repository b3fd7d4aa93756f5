import type { TestProject } from 'vitest/node';
import { installedBuild } from '../../src/engine/install/nativeBuild.ts';
import { type PythonEnvironment, pythonEnvironment } from './pythonEnvironment.ts';

declare module 'vitest' {
  interface ProvidedContext {
    pythonEnvironment: PythonEnvironment;
  }
}

/** Called by Vitest before the tests: says what they have to do without, and `.ci/run` reads it. */
export default async function setUp(project: TestProject): Promise<void> {
  if (!installedBuild('cpu') && !installedBuild('cuda')) {
    console.log('Tests run on WebAssembly only: no native engine is installed. `npx brink engine install` makes it.');
  }
  const environment = await pythonEnvironment();
  if ('missing' in environment) console.log(`Tests that read tables in Python are skipped: ${environment.missing}.`);
  project.provide('pythonEnvironment', environment);
}

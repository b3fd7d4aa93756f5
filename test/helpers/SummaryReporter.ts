import type { Reporter, TestModule } from 'vitest/node';

/** Names the tests that were skipped for a reason, with it, and ends with a line for other programs. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    for (const test of tests) {
      const result = test.result();
      if (result.state !== 'skipped' || !result.note) continue;
      console.log(`skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${result.note}`);
    }
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  }
}

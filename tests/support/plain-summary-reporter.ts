/**
 * Ends a test run with one plain line: `12 passed, 1 failed`, and `, 2 skipped` where tests were skipped. Names those that passed
 * at the second try only: each is a defect, of the story or of what it tells of.
 */
import type { Reporter, TestModule } from 'vitest/node';

export default class PlainSummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const unstable: string[] = [];
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        count[test.result().state]++;
        if (test.diagnostic()?.flaky === true) unstable.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
      // A file that cannot be loaded, or whose hooks fail, has errors of its own and perhaps no test.
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    }
    for (const name of unstable) console.log(`UNSTABLE, passed at the second try: ${name}`);
    const skipped = count.skipped + count.pending;
    const counts = [`${count.passed} passed`, `${count.failed} failed`];
    if (unstable.length > 0) counts.push(`${unstable.length} unstable`);
    if (skipped > 0) counts.push(`${skipped} skipped`);
    console.log(counts.join(', '));
  }
}

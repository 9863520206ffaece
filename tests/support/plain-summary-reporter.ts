/**
 * Ends a test run with one plain line: `12 passed, 1 failed`, and `, 2 skipped` where tests were skipped. Writes the files with
 * failures as a list to where HUBBUB_TEST_FAILURES says, for `npm test`, which looks at them once more.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class PlainSummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      // A file that cannot be loaded, or whose hooks fail, has errors of its own and perhaps no test.
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    }
    const skipped = count.skipped + count.pending;
    console.log(`${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);

    const { HUBBUB_TEST_FAILURES: path } = process.env;
    // An error outside of all tests is no file's: then none is to be taken for the only trouble.
    const failed = unhandledErrors.length > 0 ? [] : modules.filter(module => !module.ok());
    if (path !== undefined) writeFileSync(path, JSON.stringify(failed.map(module => module.relativeModuleId)));
  }
}

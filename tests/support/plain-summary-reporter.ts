/**
 * Ends a test run with one plain line: `12 passed, 1 failed`, and `, 2 skipped` where tests were skipped. Writes each file that
 * failed, with its failures, to the path in HUBBUB_TEST_FAILURES; `npm test` runs those files again.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class PlainSummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      // A file that fails to load, or in its hooks, has its own errors and perhaps no test.
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    }
    const skipped = count.skipped + count.pending;
    console.log(`${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);

    const { HUBBUB_TEST_FAILURES: path } = process.env;
    // An error outside of all tests belongs to no file, so a rerun of files could not clear it.
    const failed = unhandledErrors.length > 0 ? [] : modules.filter(module => !module.ok());
    if (path !== undefined) {
      writeFileSync(
        path,
        JSON.stringify(failed.map(module => ({ file: module.relativeModuleId, failures: failuresOf(module) }))),
      );
    }
  }
}

/** The failures of one file, one line each: the test's name and the first line of its error. */
function failuresOf(module: TestModule): string[] {
  const tests = [...module.children.allTests('failed')].map(
    test => `${test.fullName}: ${firstLine(test.result().errors?.[0]?.message)}`,
  );
  return [...module.errors().map(({ message }) => firstLine(message)), ...tests];
}

function firstLine(message = 'no message'): string {
  return message.split('\n', 1)[0] ?? '';
}

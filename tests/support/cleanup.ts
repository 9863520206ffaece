/** Stops whatever a test started, when it ends, passed or failed. */
import { afterAll, onTestFinished, TestRunner } from 'vitest';

type Stop = () => unknown;

const stopsOfThisFile: Stop[] = [];

// The kit is imported while a test file is collected, so this is a hook of the whole file. It runs after the file's own.
afterAll(() => runAll(stopsOfThisFile));

/** How long something lives: until the running test ends, or the file. */
export type Scope = 'test' | 'file';

/** Of what is started now. */
export function currentScope(): Scope {
  return TestRunner.getCurrentTest() === undefined ? 'file' : 'test';
}

/**
 * Registers `stop`: at the end of the running test, or of the file when it is called in `beforeAll`. The last one
 * registered is stopped first. `stop` must bear being called after the test has stopped the thing itself.
 * @param scope `file` in a test, for a part of what `beforeAll` started that the test replaces
 */
export function cleanup(stop: Stop, scope: Scope = currentScope()): void {
  if (scope === 'file') stopsOfThisFile.push(stop);
  else onTestFinished(async () => void (await stop()));
}

/** Runs every stop, the last first, and only then tells of those that failed. */
async function runAll(stops: Stop[]): Promise<void> {
  const failures: unknown[] = [];
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
    try {
      await stop();
    } catch (failure) {
      failures.push(failure); // The others must be stopped all the same.
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Cleaning up after the file failed.');
}

/** Stops everything that a test started when the test ends, passed or failed. */
import { afterAll, onTestFinished, TestRunner } from 'vitest';

type Stop = () => unknown;

const stopsOfThisFile: Stop[] = [];

// The kit is imported while a test file is collected, so this is a hook of the whole file. It runs after the file's own.
afterAll(() => runAll(stopsOfThisFile));

/** The lifetime of a resource: until the running test ends, or the file. */
export type Scope = 'test' | 'file';

/** The scope of resources that start now. */
export function currentScope(): Scope {
  return TestRunner.getCurrentTest() === undefined ? 'file' : 'test';
}

/**
 * Registers `stop` for the end of the running test, or of the file if called in `beforeAll`. The last one registered
 * runs first. `stop` must tolerate that the test already stopped the resource.
 * @param scope `file` in a test, when the test replaces a part of what `beforeAll` started
 */
export function cleanup(stop: Stop, scope: Scope = currentScope()): void {
  if (scope === 'file') stopsOfThisFile.push(stop);
  else onTestFinished(async () => void (await stop()));
}

/** Runs every stop, the last first, and then reports those that failed. */
async function runAll(stops: Stop[]): Promise<void> {
  const failures: unknown[] = [];
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
    try {
      await stop();
    } catch (failure) {
      failures.push(failure); // The others must still stop.
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Cleaning up after the file failed.');
}

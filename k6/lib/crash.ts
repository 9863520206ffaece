/** Counts errors of a scenario's own code: k6 only logs them, and lets the run pass. */
import { crashes } from './metrics.js';

/** Runs the work; counts and logs an error in it, and continues. */
export function crashed(work: () => void): void {
  try {
    work();
  } catch (error) {
    report(error);
  }
}

/** The same for a whole virtual user. */
export async function crashedAsync(work: () => Promise<void>): Promise<void> {
  crashes.add(0); // The summary omits unused counters.
  try {
    await work();
  } catch (error) {
    report(error);
  }
}

function report(error: unknown): void {
  crashes.add(1);
  console.error(error instanceof Error ? `${error.message}\n${error.stack}` : String(error));
}

/** Faults of a scenario's own code are counted: k6 only logs them, and goes on to call the run passed. */
import { crashes } from './metrics.js';

/** Carries out the work; a fault in it is counted and told, and ends nothing else. */
export function crashed(work: () => void): void {
  try {
    work();
  } catch (error) {
    tell(error);
  }
}

/** The same for the whole of a virtual user. */
export async function crashedAsync(work: () => Promise<void>): Promise<void> {
  crashes.add(0); // A counter that is never touched is missing from the summary.
  try {
    await work();
  } catch (error) {
    tell(error);
  }
}

function tell(error: unknown): void {
  crashes.add(1);
  console.error(error instanceof Error ? `${error.message}\n${error.stack}` : String(error));
}

/** Polls a condition, and reports the last value if the condition is not met. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface EventuallyOptions {
  /** Default `PATIENCE_MS`. */
  readonly withinMs?: number;
  /** The condition, for the error: "presence counts two users". */
  readonly describe?: string;
}

/** The values of a condition that is met. */
type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>;

const INTERVAL_MS = 20;
/**
 * The longest wait of the kit. It is far longer than a quiet machine needs: a verdict must not depend on the load of the
 * machine. Only a failing test waits that long.
 */
export const PATIENCE_MS = 30_000;

/**
 * Resolves with the first truthy value of `condition`. An error counts as "not yet"; the last one becomes the cause.
 *
 * @example
 * const online = await eventually(async () => (await ask()).online === 2, { describe: 'two are online' });
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { withinMs = PATIENCE_MS, describe = 'the condition' }: EventuallyOptions = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + withinMs;
  let seen: string;
  let cause: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value as Truthy<T>;
      seen = inspect(value);
      cause = undefined;
    } catch (error) {
      seen = error instanceof Error ? error.message : inspect(error);
      cause = error;
    }
    await sleep(INTERVAL_MS);
  } while (performance.now() < deadline);
  throw new Error(`Not met within ${withinMs} ms: ${describe}; last seen: ${seen}`, { cause });
}

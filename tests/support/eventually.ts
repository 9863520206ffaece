/** Waits for a condition by asking again and again, and says what was last seen when it does not come true. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface EventuallyOptions {
  /** Default `PATIENCE_MS`. */
  readonly withinMs?: number;
  /** What is awaited, for the error: "presence counts two users". */
  readonly describe?: string;
}

/** What the condition can be when it has come true. */
type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>;

const INTERVAL_MS = 20;
/**
 * How long the kit waits for what must come: far longer than a quiet machine needs, since a verdict must not depend on how busy the
 * machine is. Only a failing test waits that long.
 */
export const PATIENCE_MS = 30_000;

/**
 * Resolves with the first truthy value of `condition`. What it throws counts as "not yet" and is told at the end.
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
  throw new Error(`Within ${withinMs} ms it did not come true that ${describe}; last seen: ${seen}`, { cause });
}

/** Time and randomness of a test file: only a test moves them. */
import { afterEach, beforeEach, vi } from 'vitest';

export interface FakeClock {
  /** The value of `Math.random`. Default 0.5: delays of the backoff are 500 ms, 1 s, 2 s, … */
  readonly random?: number;
  /** Whether `Date` is frozen, too. Default false. */
  readonly date?: boolean;
}

/** Runs before and after each test of the file that calls it. Call it above the hooks that use time. */
export function useFakeClock({ random = 0.5, date = false }: FakeClock = {}): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', ...(date ? (['Date'] as const) : [])] });
    vi.spyOn(Math, 'random').mockReturnValue(random);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
}

/** Time and chance of a test file: neither moves unless a test moves it. */
import { afterEach, beforeEach, vi } from 'vitest';

export interface FakeClock {
  /** What `Math.random` gives. Default 0.5: delays of the backoff are 500 ms, 1 s, 2 s, … */
  readonly random?: number;
  /** Whether `Date` stands still, too. Default false. */
  readonly date?: boolean;
}

/** Before and after each test of the file that calls it; above the hooks that make what uses time. */
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

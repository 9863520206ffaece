/** Channels that an edge needs as long as it lives: asked for until Redis confirms them. */
import type { Interest } from '@hubbub/broker';

const RETRY_AFTER_MS = 250;

/** Returns immediately. `confirmed` reports whether all channels are subscribed; `close` ends the retries. */
export function holdStandingSubscriptions(interest: Interest, channels: readonly string[]): StandingSubscriptions {
  const missing = new Set(channels);
  const timers = new Set<NodeJS.Timeout>();
  let closed = false;
  const acquire = (channel: string): void => {
    interest.acquire(channel).then(
      () => missing.delete(channel),
      () => {
        // Redis is not there yet: /readyz is red meanwhile.
        if (closed) return;
        const timer = setTimeout(() => {
          timers.delete(timer);
          acquire(channel);
        }, RETRY_AFTER_MS);
        timers.add(timer);
      },
    );
  };
  for (const channel of channels) acquire(channel);
  return {
    get confirmed() {
      return missing.size === 0;
    },
    close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

export interface StandingSubscriptions {
  readonly confirmed: boolean;
  close(): void;
}

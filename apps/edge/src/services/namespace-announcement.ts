/** Announces to services which namespaces have a history: they need no second configuration that could differ. */
import type { NamespaceDirectory, NamespacePublishing } from '@hubbub/broker';
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { DEFAULT_NAMESPACE } from '@hubbub/protocol';
import type { Logger } from '@hubbub/runtime';

const RENEW_INTERVAL_MS = 600_000;
const RETRY_AFTER_MS = 100;
/** At a start there is no connection yet, which is not worth a log line. */
const WARN_AFTER_MS = 5000;

export interface NamespaceAnnouncement {
  /** Now and not only in its turn: for when Redis may have lost it. */
  renew(): void;
  close(): void;
}

/** Returns immediately and retries in the background until Redis takes it, then renews it every 10 minutes. */
export function announceNamespaces(
  directory: NamespaceDirectory,
  namespaces: Namespaces,
  log: Logger,
): NamespaceAnnouncement {
  const announced = publishingOf(namespaces);
  let timer: NodeJS.Timeout | undefined;
  /** Undefined while Redis accepts announcements. */
  let failing: { readonly sinceMs: number; warned: boolean } | undefined;
  let closed = false;
  const announce = async (): Promise<void> => {
    clearTimeout(timer);
    let nextInMs = RENEW_INTERVAL_MS;
    try {
      await directory.announce(announced);
      failing = undefined;
    } catch (error) {
      // The edge works without this: services keep using the namespaces that they know.
      nextInMs = RETRY_AFTER_MS;
      failing ??= { sinceMs: performance.now(), warned: false };
      if (!failing.warned && !closed && performance.now() - failing.sinceMs >= WARN_AFTER_MS) {
        failing.warned = true;
        log.warn(
          { event: 'namespaces_not_announced', err: error },
          'could not announce the namespaces to services; retrying',
        );
      }
    }
    if (closed) return;
    // Two simultaneous announcements leave one timer.
    clearTimeout(timer);
    timer = setTimeout(() => void announce(), nextInMs);
    timer.unref();
  };
  void announce();
  return {
    renew: () => void announce(),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function publishingOf(namespaces: Namespaces): ReadonlyMap<string, NamespacePublishing> {
  const names = new Set([DEFAULT_NAMESPACE, ...Object.keys(namespaces)]);
  return new Map(
    Array.from(names, name => {
      const { historySize, historyTtlMs, durable } = namespaceSettings(namespaces, name);
      return [name, { historySize, historyTtlMs, ...(durable && { durable }) }];
    }),
  );
}

/** What an edge measures of conflation. */
import type { MetricsRegistry } from '@hubbub/runtime';
import { Counter, Gauge } from 'prom-client';

export interface ConflationMetrics {
  /** A message that waited gave way to a newer one of its key. */
  replaced(): void;
  /** A session is behind: from now on only the newest per key waits for it. */
  steppedOff(): void;
}

export function createConflationMetrics(registry: MetricsRegistry, sessionsBehind: () => number): ConflationMetrics {
  const registers = [registry];
  const replaced = new Counter({
    name: 'hubbub_edge_conflated_messages_total',
    help: 'Messages that did not reach a slow reader, because a newer one of their key did: one for each recipient.',
    registers,
  });
  const steps = new Counter({
    name: 'hubbub_edge_conflations_total',
    help: 'Times that a session was so far behind that only the newest message per key waited for it.',
    registers,
  });
  new Gauge({
    name: 'hubbub_edge_conflating_sessions',
    help: 'Sessions for which now only the newest message per key waits.',
    registers,
    collect() {
      this.set(sessionsBehind());
    },
  });
  return { replaced: () => replaced.inc(), steppedOff: () => steps.inc() };
}

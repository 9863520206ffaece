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
    help: 'Messages that a newer message with the same key replaced for a slow reader, counted per recipient.',
    registers,
  });
  const steps = new Counter({
    name: 'hubbub_edge_conflations_total',
    help: 'Number of times that a session started to conflate (only the newest message per key waits).',
    registers,
  });
  new Gauge({
    name: 'hubbub_edge_conflating_sessions',
    help: 'Sessions that conflate at present (only the newest message per key waits).',
    registers,
    collect() {
      this.set(sessionsBehind());
    },
  });
  return { replaced: () => replaced.inc(), steppedOff: () => steps.inc() };
}

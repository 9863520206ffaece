/** Metrics of conflation. */
import { type MetricsRegistry, metricsKit } from '@hubbub/runtime';

export type ConflationMetrics = ReturnType<typeof createConflationMetrics>;

export function createConflationMetrics(registry: MetricsRegistry, sessionsBehind: () => number) {
  const { counter, gauge } = metricsKit(registry);
  gauge(
    'hubbub_edge_conflating_sessions',
    'Sessions that conflate at present (only the newest message per key waits).',
    sessionsBehind,
  );
  return {
    /** A newer message of the same key replaced one that waited. */
    replaced: counter(
      'hubbub_edge_conflated_messages_total',
      'Messages that a newer message with the same key replaced for a slow reader, counted per recipient.',
    ),
    /** A session is behind: from now on only the newest message per key waits for it. */
    steppedOff: counter(
      'hubbub_edge_conflations_total',
      'Number of times that a session started to conflate (only the newest message per key waits).',
    ),
  };
}

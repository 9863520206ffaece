/** The metrics registry of a process, with what Node and the event loop tell of themselves. */
import { collectDefaultMetrics, Registry } from 'prom-client';

export type MetricsRegistry = Registry;

export function createMetricsRegistry(): MetricsRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

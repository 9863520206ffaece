/** The metrics registry of a process, with what Node and the event loop tell of themselves; and the sum over several. */
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client';

export type MetricsRegistry = Registry;

/** What a registry holds, as plain values that can travel between processes. */
export type MetricValues = readonly object[];

export function createMetricsRegistry(): MetricsRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

export async function readMetrics(registry: MetricsRegistry): Promise<MetricValues> {
  return await registry.getMetricsAsJSON();
}

/** Several processes as one page of metrics: counters, histograms and gauges are added up, unless they say otherwise. */
export async function addUpMetrics(processes: readonly MetricValues[]): Promise<string> {
  return await AggregatorRegistry.aggregate([...processes]).metrics();
}

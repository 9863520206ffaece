/** The metrics registry of a process, with what Node and the event loop tell of themselves; and the sum over several. */
import { AggregatorRegistry, Counter, collectDefaultMetrics, Registry } from 'prom-client';

export type MetricsRegistry = Registry;

/** Gauges that are called totals, against the rules of Prometheus; the same by kind are `nodejs_active_handles` and so on. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** What a registry holds, as plain values that can travel between processes. */
export type MetricValues = readonly object[];

export function createMetricsRegistry(): MetricsRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  return registry;
}

const REDIS_FAILURES = 'hubbub_redis_connection_failures_total';

/** Counts what the connections of a process to Redis report; two parts of one process have one counter. */
export function countRedisFailures(registry: MetricsRegistry): () => void {
  const known = registry.getSingleMetric(REDIS_FAILURES);
  const failures =
    known instanceof Counter
      ? known
      : new Counter({
          name: REDIS_FAILURES,
          help: "Failures of this process's Redis connections: refused, broken, or no answer in time.",
          registers: [registry],
        });
  return () => failures.inc();
}

export async function readMetrics(registry: MetricsRegistry): Promise<MetricValues> {
  return await registry.getMetricsAsJSON();
}

/** Several processes as one page of metrics: counters, histograms and gauges are added up, unless they say otherwise. */
export async function addUpMetrics(processes: readonly MetricValues[]): Promise<string> {
  return await AggregatorRegistry.aggregate([...processes]).metrics();
}

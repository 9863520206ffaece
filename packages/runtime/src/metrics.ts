/** The metrics registry of a process, with the metrics of Node and the event loop; and the sum over several. */
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import {
  type Aggregator,
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client';

export type MetricsRegistry = Registry;

/** Gauges that are called totals, against the rules of Prometheus; the same by kind are `nodejs_active_handles` and so on. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * To measure the event loop, the library wakes the process a hundred times a second. That takes 1 % of a core, half of what an idle
 * edge takes. It cannot be turned off.
 */
const NEVER_MS = 2 ** 31 - 1;
const LOOP_METRICS = ['', '_min', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99'].map(
  part => `nodejs_eventloop_lag${part}_seconds`,
);
const LOOP_SAMPLE_MS = 100;
/** A longer delay, as of a laptop that sleeps, counts as this one. */
const LOOP_DELAY_MAX_MS = 100_000;
const LOOP_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The content of a registry, as plain values that processes can exchange. */
export type MetricValues = readonly object[];

/** @param memoryLimitBytes that the process may use. Default: the memory of the machine. */
export function createMetricsRegistry(memoryLimitBytes = totalmem()): MetricsRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of [...MISNAMED, ...LOOP_METRICS]) registry.removeSingleMetric(name);
  const { gauge, duration } = metricsKit(registry);
  watchEventLoop(
    duration(
      'hubbub_event_loop_delay_seconds',
      'How late the event loop ran a timer; ten samples a second.',
      LOOP_BUCKETS,
    ),
  );
  gauge(
    'hubbub_memory_limit_bytes',
    'Memory that the process may use: the limit of its container, or all of the machine.',
    () => memoryLimitBytes,
    'max',
  );
  gauge(
    'hubbub_heap_limit_bytes',
    'Size of the JavaScript heap at which Node ends the process (--max-old-space-size).',
    () => getHeapStatistics().heap_size_limit,
  );
  return registry;
}

/**
 * A delay also counts once for each sample that it prevented. Otherwise the longest delays would be the rarest: coordinated
 * omission, which HdrHistogram corrects in this way.
 */
function watchEventLoop(record: (delayMs: number) => void): void {
  let dueAtMs = performance.now() + LOOP_SAMPLE_MS;
  const sample = (): void => {
    const nowMs = performance.now();
    const delayMs = Math.min(Math.max(0, nowMs - dueAtMs), LOOP_DELAY_MAX_MS);
    record(delayMs);
    for (let prevented = delayMs - LOOP_SAMPLE_MS; prevented > 0; prevented -= LOOP_SAMPLE_MS) record(prevented);
    dueAtMs = nowMs + LOOP_SAMPLE_MS;
  };
  setInterval(sample, LOOP_SAMPLE_MS).unref();
}

type Labels<Name extends string> = Readonly<Record<Name, string>>;

/** A value of a gauge with labels. */
export type LabeledValue<Name extends string> = readonly [labels: Labels<Name>, value: number];

/** Creates metrics in one registry. Each method returns the function that records an event, if the metric has one. */
export interface MetricsKit {
  counter(name: string, help: string): (count?: number) => void;
  /** @param initial sets of labels that are counted from 0, so that a graph shows the first event */
  counterBy<Name extends string>(
    name: string,
    help: string,
    initial: readonly Labels<Name>[],
  ): (labels: Labels<Name>, count?: number) => void;
  /** Counts in a number of the caller's, for hot paths; a scrape reads it. */
  total(name: string, help: string, read: () => number): void;
  /** @param aggregator over several processes; default: the sum */
  gauge(name: string, help: string, read: () => number, aggregator?: Aggregator): void;
  /** @param read returns all current values; earlier ones are forgotten */
  gaugeBy<Name extends string>(
    name: string,
    help: string,
    labelNames: readonly Name[],
    read: () => readonly LabeledValue<Name>[] | Promise<readonly LabeledValue<Name>[]>,
    aggregator?: Aggregator,
  ): void;
  /** A histogram in seconds that records milliseconds. */
  duration(name: string, help: string, bucketsInSeconds: readonly number[]): (durationMs: number) => void;
}

export function metricsKit(registry: MetricsRegistry): MetricsKit {
  const registers = [registry];
  return {
    counter(name, help) {
      const counter = new Counter({ name, help, registers });
      return (count = 1) => counter.inc(count);
    },
    counterBy(name, help, initial) {
      // Counted here and read by a scrape: the library takes 2 µs for each increment with labels.
      const labelNames = Object.keys(initial[0] ?? {});
      const counts = new Map<string, { readonly labels: Labels<string>; count: number }>();
      const add = (labels: Labels<string>, count = 1): void => {
        let key = '';
        for (const label of labelNames) key += `${labels[label]}\n`;
        const known = counts.get(key);
        if (known === undefined) counts.set(key, { labels, count });
        else known.count += count;
      };
      for (const labels of initial) add(labels, 0);
      const collect = function (this: Counter): void {
        for (const counted of counts.values()) {
          this.inc(counted.labels, counted.count);
          counted.count = 0;
        }
      };
      new Counter({ name, help, registers, labelNames, collect });
      return add;
    },
    total(name, help, read) {
      let reported = 0;
      const collect = function (this: Counter): void {
        const value = read();
        this.inc(value - reported);
        reported = value;
      };
      new Counter({ name, help, registers, collect });
    },
    gauge(name, help, read, aggregator = 'sum') {
      const collect = function (this: Gauge): void {
        this.set(read());
      };
      new Gauge({ name, help, registers, aggregator, collect });
    },
    gaugeBy(name, help, labelNames, read, aggregator = 'sum') {
      const collect = async function (this: Gauge): Promise<void> {
        const values = await read();
        this.reset();
        for (const [labels, value] of values) this.set(labels, value);
      };
      new Gauge({ name, help, registers, labelNames: [...labelNames], aggregator, collect });
    },
    duration(name, help, bucketsInSeconds) {
      const histogram = new Histogram({ name, help, registers, buckets: [...bucketsInSeconds] });
      return durationMs => histogram.observe(durationMs / 1000);
    },
  };
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

/** Several processes as one page of metrics: counters, histograms and gauges are added up, unless declared otherwise. */
export async function addUpMetrics(processes: readonly MetricValues[]): Promise<string> {
  return await AggregatorRegistry.aggregate([...processes]).metrics();
}

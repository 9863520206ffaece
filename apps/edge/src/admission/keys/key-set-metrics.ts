/** What an edge measures of the key set that it reads by URL. */
import { type Logger, type MetricsRegistry, occasionally } from '@hubbub/runtime';
import { Counter, Gauge } from 'prom-client';
import type { KeySetUnavailable } from './fetch-key-set.js';

export interface KeySetGauges {
  /** Keys that tokens are verified with now. */
  keys(): number;
  /** Seconds since the set was read; NaN before the first time. */
  ageSeconds(): number;
}

export interface KeySetMetrics {
  observe(gauges: KeySetGauges): void;
  fetched(keys: number, skipped: number): void;
  fetchFailed(error: KeySetUnavailable): void;
}

const RESULTS = ['ok', 'timeout', 'unreachable', 'status', 'too_large', 'malformed'] as const;
const FAILURE_LOG_INTERVAL_MS = 10_000;

export function createKeySetMetrics(registry: MetricsRegistry, log: Logger): KeySetMetrics {
  const registers = [registry];
  const fetches = new Counter({
    name: 'hubbub_edge_jwks_fetches_total',
    help: 'Reads of the key set (HUBBUB_JWT_JWKS_URL) by result: ok, timeout, unreachable, status, too_large, malformed.',
    labelNames: ['result'] as const,
    registers,
  });
  for (const result of RESULTS) fetches.inc({ result }, 0);
  let last: KeySetUnavailable | undefined;
  const failureLog = occasionally(FAILURE_LOG_INTERVAL_MS, suppressed => {
    const { failure: result, detail } = last ?? {};
    log.warn({ event: 'jwks_fetch_failed', result, detail, suppressed }, 'the key set could not be read');
  });
  return {
    observe({ keys, ageSeconds }) {
      new Gauge({
        name: 'hubbub_edge_jwks_keys',
        help: 'Keys of the key set that verify tokens; 0 before the first read, or after HUBBUB_JWT_JWKS_MAX_AGE_MS without one.',
        aggregator: 'min',
        registers,
        collect() {
          this.set(keys());
        },
      });
      new Gauge({
        name: 'hubbub_edge_jwks_age_seconds',
        help: 'Time since the last read of the key set; NaN before the first read.',
        aggregator: 'max',
        registers,
        collect() {
          this.set(ageSeconds());
        },
      });
    },
    fetched(keys, skipped) {
      fetches.inc({ result: 'ok' });
      log.debug({ event: 'jwks_fetched', keys, skipped }, 'the key set was read');
    },
    fetchFailed(error) {
      fetches.inc({ result: error.failure });
      last = error;
      failureLog();
    },
  };
}

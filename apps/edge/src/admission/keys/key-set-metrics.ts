/** Metrics of the key set that an edge reads by URL. */
import { type Logger, type MetricsRegistry, metricsKit, occasionally } from '@hubbub/runtime';
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
  const { counterBy, gauge } = metricsKit(registry);
  const fetches = counterBy(
    'hubbub_edge_jwks_fetches_total',
    'Reads of the key set (HUBBUB_JWT_JWKS_URL) by result: ok, timeout, unreachable, status, too_large, malformed.',
    RESULTS.map(result => ({ result })),
  );
  const failureLog = occasionally(FAILURE_LOG_INTERVAL_MS, (suppressed, { failure, detail }: KeySetUnavailable) =>
    log.warn({ event: 'jwks_fetch_failed', result: failure, detail, suppressed }, 'the key set could not be read'),
  );
  return {
    observe({ keys, ageSeconds }) {
      gauge(
        'hubbub_edge_jwks_keys',
        'Keys of the key set that verify tokens; 0 before the first read, or after HUBBUB_JWT_JWKS_MAX_AGE_MS without one.',
        keys,
        'min',
      );
      gauge(
        'hubbub_edge_jwks_age_seconds',
        'Time since the last read of the key set; NaN before the first read.',
        ageSeconds,
        'max',
      );
    },
    fetched(keys, skipped) {
      fetches({ result: 'ok' });
      log.debug?.({ event: 'jwks_fetched', keys, skipped }, 'the key set was read');
    },
    fetchFailed(error) {
      fetches({ result: error.failure });
      failureLog(error);
    },
  };
}

/** What an edge counts of its limits: how often each was exceeded, and how much is tracked for them. */
import { type Logger, type MetricsRegistry, occasionally } from '@hubbub/runtime';
import { Counter, Gauge } from 'prom-client';
import type { Resource } from './cost.js';
import { LIMITS, type LimitName } from './limit-exceeded.js';

/** Numbers that are read when scraped. */
export interface LimitGauges {
  /** Addresses (IPv6: /64s) with a connection. */
  addresses(): number;
  /** Connections that are no session yet. */
  halfOpen(): number;
  /** Token buckets of users and addresses, held or remembered. */
  buckets(): number;
}

export interface LimitMetrics {
  exceeded(limit: LimitName): void;
  /** A connection ended before its first request was whole: it hung up, was too slow, or its headers were too large. */
  endedUnheard(): void;
  /** X-Forwarded-For of a trusted proxy could not be read: the proxy's own address was taken. */
  malformedForwardedFor(): void;
  /** A client's action used this much. */
  charged(resource: Resource, amount: number): void;
  observe(gauges: LimitGauges): void;
}

const UNHEARD_LOG_INTERVAL_MS = 60_000;

export function createLimitMetrics(registry: MetricsRegistry, log: Pick<Logger, 'info'>): LimitMetrics {
  const registers = [registry];
  const exceeded = new Counter({
    name: 'hubbub_edge_limits_total',
    help: `Events that exceeded a limit, by limit. ${Object.entries(LIMITS)
      .map(([name, counts]) => `${name}: ${counts}`)
      .join('; ')}.`,
    labelNames: ['limit'] as const,
    registers,
  });
  // Known from the start, so that a rate of the first one can be seen.
  for (const limit of Object.keys(LIMITS)) exceeded.inc({ limit }, 0);
  const unheard = new Counter({
    name: 'hubbub_edge_connections_unheard_total',
    help: 'Connections that ended before a complete first request: the client disconnected, was too slow, or sent headers that are too large. The engine does not report which.',
    registers,
  });
  const malformed = new Counter({
    name: 'hubbub_edge_forwarded_for_malformed_total',
    help: "Requests from trusted proxies with a malformed X-Forwarded-For; they count for the proxy's address.",
    registers,
  });
  const used: Record<Resource, number> = { calls: 0, bytes_out: 0, stored_bytes: 0 };
  // Counted as numbers: every message of a client is.
  const total = (name: string, help: string, resource: Resource): void => {
    let reported = 0;
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.inc(used[resource] - reported);
        reported = used[resource];
      },
    });
  };
  total('hubbub_edge_caused_calls_total', 'Redis calls charged to cost budgets for client frames.', 'calls');
  total('hubbub_edge_answered_bytes_total', 'Bytes of answers and replays charged to cost budgets.', 'bytes_out');
  total('hubbub_edge_stored_bytes_total', 'Bytes stored in histories and charged to cost budgets.', 'stored_bytes');
  const logUnheard = occasionally(UNHEARD_LOG_INTERVAL_MS, suppressed =>
    log.info(
      { event: 'connection_unheard', suppressed },
      'connection ended before its first request was whole: headers above HUBBUB_MAX_HEADER_BYTES (431), too slow, or hung up',
    ),
  );
  return {
    charged(resource, amount) {
      used[resource] += amount;
    },
    exceeded: limit => exceeded.inc({ limit }),
    endedUnheard() {
      unheard.inc();
      logUnheard();
    },
    malformedForwardedFor: () => malformed.inc(),
    observe(gauges) {
      const gauge = (name: string, help: string, read: () => number): void => {
        new Gauge({
          name,
          help,
          registers,
          collect() {
            this.set(read());
          },
        });
      };
      gauge('hubbub_edge_addresses', 'Addresses (IPv6: /64s) with a connection to this edge.', gauges.addresses);
      gauge('hubbub_edge_half_open_connections', 'Connections without a complete request so far.', gauges.halfOpen);
      gauge(
        'hubbub_edge_limit_buckets',
        'Token buckets of active users and addresses, plus buckets of ended sessions that are not full yet.',
        gauges.buckets,
      );
    },
  };
}

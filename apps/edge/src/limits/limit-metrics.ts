/** Metrics of the limits: how often each was exceeded, and how much is tracked for them. */
import { type Logger, type MetricsRegistry, metricsKit, occasionally } from '@hubbub/runtime';
import type { Usage } from './budget.js';
import { LIMITS, type LimitName } from './limit-exceeded.js';
import { OVERLOAD_SIGNALS, type OverloadSignal } from './overload.js';
import type { PublishWindow } from './publish-window.js';

const UNHEARD_LOG_INTERVAL_MS = 60_000;

export type LimitMetrics = ReturnType<typeof createLimitMetrics>;

export function createLimitMetrics(registry: MetricsRegistry, log: Logger) {
  const { counter, counterBy } = metricsKit(registry);
  const exceeded = counterBy(
    'hubbub_edge_limits_total',
    'Events that exceeded a limit; section 6 of PROTOCOL.md describes each limit.',
    LIMITS.map(limit => ({ limit })),
  );
  const shed = counterBy(
    'hubbub_edge_shed_handshakes_total',
    'Handshakes and plain requests that an overloaded edge refused with 429, by the signal furthest above its threshold.',
    OVERLOAD_SIGNALS.map(reason => ({ reason })),
  );
  const unheard = counter(
    'hubbub_edge_connections_unheard_total',
    'Connections that ended before a complete first request: disconnected, too slow, or with too large headers.',
  );
  const logUnheard = occasionally(UNHEARD_LOG_INTERVAL_MS, suppressed =>
    log.info(
      { event: 'connection_unheard', suppressed },
      'connection ended before its first request was complete: headers above HUBBUB_MAX_HEADER_BYTES (431), too slow, or hung up',
    ),
  );
  return {
    exceeded: (limit: LimitName) => exceeded({ limit }),
    /** The edge is overloaded and refused a request. */
    shed(reason: OverloadSignal): void {
      exceeded({ limit: 'overload' });
      shed({ reason });
    },
    /** A connection ended before its first request was whole. */
    endedUnheard(): void {
      unheard();
      logUnheard();
    },
    /** X-Forwarded-For of a trusted proxy could not be read: the proxy's own address was taken. */
    malformedForwardedFor: counter(
      'hubbub_edge_forwarded_for_malformed_total',
      "Requests from trusted proxies with a malformed X-Forwarded-For; they count for the proxy's address.",
    ),
  };
}

/** Numbers that a scrape reads from their owners. */
export interface LimitGauges {
  /** Addresses (IPv6: /64s) with a connection. */
  addresses(): number;
  /** Connections that are not a session yet. */
  halfOpen(): number;
  /** Token buckets of users and addresses, held or remembered. */
  buckets(): number;
  /** Part of the handshakes that is refused because of overload, 0 to 1. */
  shedShare(): number;
  /** Each signal of overload as a share of its threshold. */
  pressures(): Readonly<Record<OverloadSignal, number>>;
  /** Sessions that the edge may have; 0: no limit. */
  sessionLimit(): number;
  /** Publishes that wait for Redis. */
  readonly publishes: Pick<PublishWindow, 'inFlight' | 'size'>;
  /** Charges of client frames. */
  readonly used: Usage;
}

export function createLimitGauges(registry: MetricsRegistry, gauges: LimitGauges): void {
  const { gauge, gaugeBy, total } = metricsKit(registry);
  const { used } = gauges;
  total('hubbub_edge_caused_calls_total', 'Redis calls charged to cost budgets for client frames.', () => used.calls);
  total(
    'hubbub_edge_answered_bytes_total',
    'Bytes of answers and replays charged to cost budgets.',
    () => used.bytes_out,
  );
  total(
    'hubbub_edge_stored_bytes_total',
    'Bytes stored in histories and charged to cost budgets.',
    () => used.stored_bytes,
  );
  gauge(
    'hubbub_edge_shed_share',
    'Share of handshakes that the edge refuses because of overload, 0 to 1. With --workers: of the worst worker.',
    gauges.shedShare,
    'max',
  );
  gaugeBy(
    'hubbub_edge_overload_pressure',
    'Each overload signal as a share of its threshold: above 1, the edge refuses handshakes. With --workers: the highest.',
    ['signal'],
    () => OVERLOAD_SIGNALS.map(signal => [{ signal }, gauges.pressures()[signal]]),
    'max',
  );
  gauge(
    'hubbub_edge_publishes_in_flight',
    'Messages, typing signals and client events that wait for the answer of Redis.',
    () => gauges.publishes.inFlight,
  );
  gauge(
    'hubbub_edge_publish_window',
    'Publishes that may wait for Redis: as many as it answers in HUBBUB_OVERLOAD_PUBLISH_MS. More get UNAVAILABLE.',
    () => gauges.publishes.size,
  );
  gauge(
    'hubbub_edge_session_limit',
    'Sessions that the edge may have: HUBBUB_MAX_SESSIONS, or as many as fit into half of its memory. 0: no limit.',
    gauges.sessionLimit,
  );
  gauge('hubbub_edge_addresses', 'Addresses (IPv6: /64s) with a connection to this edge.', gauges.addresses);
  gauge('hubbub_edge_half_open_connections', 'Connections without a complete request so far.', gauges.halfOpen);
  gauge(
    'hubbub_edge_limit_buckets',
    'Token buckets of active users and addresses, plus buckets of ended sessions that are not full yet.',
    gauges.buckets,
  );
}

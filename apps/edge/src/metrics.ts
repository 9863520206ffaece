/** Metrics of an edge: one function per event, which counts and, for some events, logs it. */
import { CLIENT_FRAME_TYPES, CLOSE_CODES, type ClientFrameType, type Control, type ErrorCode } from '@hubbub/protocol';
import { type Logger, type MetricsRegistry, metricsKit, occasionally, type SpanLogFields } from '@hubbub/runtime';

export type EdgeMetrics = ReturnType<typeof createEdgeMetrics>;

/** Client events share one label, because clients choose their types freely. */
export type FrameLabel = ClientFrameType | 'client_event' | 'unreadable';

/** Result for a session that a service added to a room; `known`: already a member; `gone`: it ended or left meanwhile. */
export type AdditionResult = 'added' | 'known' | 'gone' | 'ROOM_LIMIT' | 'UNAVAILABLE';

const KNOWN_CLOSE_CODES: ReadonlySet<number> = new Set(Object.values(CLOSE_CODES));
/** Reasons of refused handshakes; each counter starts at 0, so that a graph shows the first refusal. */
const REFUSALS = [
  'UNAUTHORIZED',
  'FORBIDDEN',
  'ORIGIN_NOT_ALLOWED',
  'INVALID_ROOM',
  'UNSUPPORTED_SUBPROTOCOL',
  'INVALID_PAYLOAD',
  'ROOM_LIMIT',
  'NOT_FOUND',
  'UPGRADE_REQUIRED',
  'RATE_LIMITED',
  'UNAVAILABLE',
] as const satisfies readonly ErrorCode[];
const CONTROLS = [
  'close_room',
  'remove_user',
  'disconnect_user',
  'add_sessions',
  'remove_sessions',
  'refuse_sessions',
  'move_sessions',
] as const satisfies readonly Control['do'][];
const ADDITIONS = ['added', 'known', 'gone', 'ROOM_LIMIT', 'UNAVAILABLE'] as const satisfies readonly AdditionResult[];
/** Why a session moves to another edge while this one stays: hubbub drain, or maxSessionAgeMs. */
const MOVE_REASONS = ['request', 'age'] as const;
type MoveReason = (typeof MOVE_REASONS)[number];
const EVENT_RESULTS = ['appended', 'repeated', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'] as const;
type EventResult = (typeof EVENT_RESULTS)[number];
const MALFORMED_LOG_INTERVAL_MS = 10_000;
const DRAIN_LOG_INTERVAL_MS = 1000;
const LATENCY_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createEdgeMetrics(registry: MetricsRegistry, log: Logger, engineBuild: string) {
  const { counter, counterBy, total, gaugeBy, duration } = metricsKit(registry);
  const handshakes = counterBy(
    'hubbub_edge_handshakes_total',
    'Upgrade requests by result: accepted, or the error code of the refusal.',
    ['accepted', ...REFUSALS].map(result => ({ result })),
  );
  const closes = counterBy(
    'hubbub_edge_closes_total',
    'Sessions that ended, by close code.',
    [...KNOWN_CLOSE_CODES, 'other'].map(code => ({ code: String(code) })),
  );
  const frames = counterBy(
    'hubbub_edge_frames_total',
    'Frames from clients by type and result (ok or an error code). All client events count as client_event.',
    [
      ...[...CLIENT_FRAME_TYPES, 'client_event'].map(type => ({ type, result: 'ok' })),
      { type: 'unreadable', result: 'INVALID_FORMAT' },
    ],
  );
  const malformed = counter(
    'hubbub_edge_malformed_envelopes_total',
    'Malformed messages on Redis channels, which the edge dropped.',
  );
  const unsupported = counter(
    'hubbub_edge_unsupported_envelopes_total',
    'Messages in a wire version that this release does not read, which the edge dropped.',
  );
  const controls = counterBy(
    'hubbub_edge_controls_total',
    'Controls that this edge received: refuse_sessions from presence, the others from services.',
    CONTROLS.map(action => ({ do: action })),
  );
  const additions = counterBy(
    'hubbub_edge_added_sessions_total',
    'Sessions that services added to a room: added, known (a member already), gone (ended meanwhile), or an error code.',
    ADDITIONS.map(result => ({ result })),
  );
  const moved = counterBy(
    'hubbub_edge_moved_sessions_total',
    'Sessions that this edge asked to reconnect while it stays: on request (hubbub drain), or at maxSessionAgeMs.',
    MOVE_REASONS.map(reason => ({ reason })),
  );
  const events = counterBy(
    'hubbub_edge_client_events_total',
    'Client events by result: appended, repeated (same message_id), or an error code.',
    EVENT_RESULTS.map(result => ({ result })),
  );
  const interruptions = counter(
    'hubbub_edge_interruptions_total',
    'Interruptions of the Redis subscription, which may have lost messages.',
  );
  const deafness = counter(
    'hubbub_edge_deaf_subscriptions_total',
    'Self-probes that did not return in time; after each, the edge rebuilds the subscription.',
  );
  const lag = duration(
    'hubbub_edge_delivery_lag_seconds',
    'Time from publishing a message to handing it to the sockets of this edge.',
    LATENCY_BUCKETS_SECONDS,
  );
  const engine = [[{ build: engineBuild }, 1]] as const;
  gaugeBy('hubbub_edge_engine_info', 'The loaded WebSocket engine.', ['build'], () => engine, 'first');

  let deliveries = 0;
  let envelopes = 0;
  let bytes = 0;
  let receivedBytes = 0;
  total('hubbub_edge_envelopes_total', 'Messages from the broker with an audience on this edge.', () => envelopes);
  total('hubbub_edge_deliveries_total', 'Messages handed to sockets, one per recipient.', () => deliveries);
  total(
    'hubbub_edge_delivered_bytes_total',
    'Bytes of message bodies handed to sockets, counted per recipient.',
    () => bytes,
  );
  total(
    'hubbub_edge_received_bytes_total',
    'Bytes of frames from clients, including malformed ones.',
    () => receivedBytes,
  );

  const malformedLog = occasionally(MALFORMED_LOG_INTERVAL_MS, (suppressed, channel: string, trace?: SpanLogFields) =>
    log.warn(
      { event: 'malformed_envelope', channel, suppressed, trace_id: trace?.trace_id, span_id: trace?.span_id },
      'dropped a malformed message from Redis',
    ),
  );
  const unsupportedLog = occasionally(MALFORMED_LOG_INTERVAL_MS, (suppressed, channel: string) =>
    log.warn(
      { event: 'unsupported_version', channel, suppressed },
      'dropped a message in a wire version that this release does not read',
    ),
  );
  const drainLog = occasionally(DRAIN_LOG_INTERVAL_MS, (_, remaining: number) => {
    if (remaining > 0) log.info({ event: 'draining', remaining }, `draining; ${remaining} sessions remain`);
  });

  return {
    handshakeAccepted: () => handshakes({ result: 'accepted' }),
    handshakeRefused: (code: ErrorCode) => handshakes({ result: code }),
    /** Clients choose codes freely: those that PROTOCOL.md does not name count as one. */
    closed: (code: number) => closes({ code: KNOWN_CLOSE_CODES.has(code) ? String(code) : 'other' }),
    frame: (type: FrameLabel, result: 'ok' | ErrorCode) => frames({ type, result }),
    received(frameBytes: number): void {
      receivedBytes += frameBytes;
    },
    malformedEnvelope(channel: string, trace?: SpanLogFields): void {
      malformed();
      malformedLog(channel, trace);
    },
    unsupportedEnvelope(channel: string): void {
      unsupported();
      unsupportedLog(channel);
    },
    delivered(recipients: number, bodyBytes: number, publishedAtMs: number): void {
      envelopes++;
      deliveries += recipients;
      bytes += recipients * bodyBytes;
      lag(Math.max(0, Date.now() - publishedAtMs));
    },
    controlled(action: Control['do'], sessions: number): void {
      controls({ do: action });
      log.debug?.({ event: 'controlled', do: action, sessions }, 'executed a control of a service or of presence');
    },
    sessionAdded: (result: AdditionResult) => additions({ result }),
    eventAppended: (result: EventResult) => events({ result }),
    questionUnanswered: counter(
      'hubbub_edge_unanswered_questions_total',
      'online_users frames refused with UNAVAILABLE because they did not reach presence, or presence did not answer in time.',
    ),
    slowReader: counter(
      'hubbub_edge_slow_readers_total',
      'Sessions that the edge disconnected because they had more than maxBufferedBytes buffered.',
    ),
    sessionsMoved: (reason: MoveReason, sessions: number) => moved({ reason }, sessions),
    /** Called several times a second. */
    draining: drainLog,
    drained({ notified, closed, durationMs }: { notified: number; closed: number; durationMs: number }): void {
      log.info(
        { event: 'drained', notified, closed, durationMs: Math.round(durationMs) },
        `drained ${notified} sessions`,
      );
    },
    interrupted(server: string, channels: number, durationMs: number): void {
      interruptions();
      log.warn(
        { event: 'interrupted', server, channels, durationMs },
        'the subscription broke and was restored; messages may have been lost',
      );
    },
    deaf(server: string): void {
      deafness();
      log.error({ event: 'deaf', server }, 'the self-probe did not return; rebuilding the subscription');
    },
    probeReturned: duration(
      'hubbub_edge_probe_round_trip_seconds',
      'Time from publishing the self-probe to receiving it.',
      LATENCY_BUCKETS_SECONDS,
    ),
  };
}

/** Numbers that a scrape reads from their owners. */
export interface EdgeGauges {
  /** Whether `/readyz` is green. */
  ready(): boolean;
  sessions(): number;
  /** Of these, readers of server-sent events. */
  streams(): number;
  /** Bytes that wait for all sessions, at the last check. */
  bufferedBytes(): number;
  /** Rooms with a member here. */
  rooms(): number;
  subscriptions(): number;
  /** Reports that the log has not taken. */
  waitingReports(): number;
  /** The version in which this edge writes. */
  wireVersion(): number;
  /** Sessions that a draining edge still has to disconnect. */
  drainRemaining(): number;
  /** 0 without TLS. */
  certificateExpiresAtMs(): number;
  /** Renewals of this edge's lease by its thread. */
  lateRenewals(): number;
  /** Joins that resyncs reported to presence again. */
  repeatedJoins(): number;
  /** Redis server → whether its self-probe returned in time. */
  servers(): ReadonlyMap<string, boolean>;
}

export function createEdgeGauges(registry: MetricsRegistry, gauges: EdgeGauges): void {
  const { gauge, gaugeBy, total } = metricsKit(registry);
  total(
    'hubbub_edge_late_lease_renewals_total',
    'Renewals of the lease of this edge by its lease thread, because the event loop was late.',
    gauges.lateRenewals,
  );
  total(
    'hubbub_edge_repeated_joins_total',
    'Joins that this edge reported to presence again: the cost of its resyncs.',
    gauges.repeatedJoins,
  );
  gaugeBy(
    'hubbub_edge_redis_heard',
    '1 if the self-probe through this Redis server returned in time, else 0.',
    ['server'],
    () => Array.from(gauges.servers(), ([server, isHeard]) => [{ server }, isHeard ? 1 : 0]),
    'min',
  );
  gauge(
    'hubbub_edge_ready',
    '1 if /readyz is green, else 0. With --workers: 1 if every worker is ready.',
    () => (gauges.ready() ? 1 : 0),
    'min',
  );
  gauge(
    'hubbub_edge_certificate_expiry_timestamp_seconds',
    'When the certificate of the client port expires; 0 without TLS.',
    () => gauges.certificateExpiresAtMs() / 1000,
    'min',
  );
  gauge('hubbub_edge_sessions', 'Sessions on this edge.', gauges.sessions);
  gauge('hubbub_edge_event_streams', 'Sessions on this edge that read server-sent events.', gauges.streams);
  gauge(
    'hubbub_edge_buffered_bytes',
    'Bytes that wait for all sessions, at the last check; HUBBUB_MAX_TOTAL_BUFFERED_BYTES bounds them.',
    gauges.bufferedBytes,
  );
  gauge('hubbub_edge_rooms', 'Rooms with a member on this edge.', gauges.rooms);
  gauge(
    'hubbub_edge_subscriptions',
    'Channels that this edge subscribes to, including lingering ones.',
    gauges.subscriptions,
  );
  gauge(
    'hubbub_edge_waiting_reports',
    'Reports to presence that the log has not taken, compacted while a log is full.',
    gauges.waitingReports,
  );
  gauge(
    'hubbub_edge_wire_version',
    'Wire version in which this edge writes messages and reports.',
    gauges.wireVersion,
    'min',
  );
  gauge(
    'hubbub_edge_drain_remaining',
    'Sessions that this edge still has to disconnect while it drains.',
    gauges.drainRemaining,
  );
}

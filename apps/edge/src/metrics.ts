/** Metrics of an edge: one function per event, which counts and, for some events, logs it. */
import { CLIENT_FRAME_TYPES, CLOSE_CODES, type ClientFrameType, type Control, type ErrorCode } from '@hubbub/protocol';
import { type Logger, type MetricsRegistry, occasionally } from '@hubbub/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { DrainResult } from './drain/drain.js';

/** Gauges that a scrape reads from their owners. */
export interface EdgeGauges {
  /** Whether `/readyz` is green. */
  ready(): boolean;
  sessions(): number;
  /** Rooms with a member here. */
  rooms(): number;
  subscriptions(): number;
  /** Sessions that a draining edge still has to disconnect. */
  drainRemaining(): number;
}

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
] as const satisfies readonly Control['do'][];
const ADDITIONS = ['added', 'known', 'gone', 'ROOM_LIMIT', 'UNAVAILABLE'] as const satisfies readonly AdditionResult[];
const EVENT_RESULTS = ['appended', 'repeated', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'] as const;
const MALFORMED_LOG_INTERVAL_MS = 10_000;
const DRAIN_LOG_INTERVAL_MS = 1000;
const LATENCY_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createEdgeMetrics(registers: MetricsRegistry, log: Logger, engineBuild: string) {
  const registry = [registers];
  const handshakes = new Counter({
    name: 'hubbub_edge_handshakes_total',
    help: 'Upgrade requests by result: accepted, or the error code of the refusal.',
    labelNames: ['result'] as const,
    registers: registry,
  });
  const closes = new Counter({
    name: 'hubbub_edge_closes_total',
    help: 'Sessions that ended, by close code.',
    labelNames: ['code'] as const,
    registers: registry,
  });
  const frames = new Counter({
    name: 'hubbub_edge_frames_total',
    help: 'Frames from clients by type and result (ok or an error code). Client events count as client_event, unreadable frames as unreadable.',
    labelNames: ['type', 'result'] as const,
    registers: registry,
  });
  const malformed = new Counter({
    name: 'hubbub_edge_malformed_envelopes_total',
    help: 'Malformed messages on Redis channels, which the edge dropped.',
    registers: registry,
  });
  const slowReaders = new Counter({
    name: 'hubbub_edge_slow_readers_total',
    help: 'Sessions that the edge disconnected because they had more than maxBufferedBytes buffered.',
    registers: registry,
  });
  const controls = new Counter({
    name: 'hubbub_edge_controls_total',
    help: 'Controls that this edge received: close_room, remove_user, disconnect_user, add_sessions and remove_sessions from services, refuse_sessions from presence.',
    labelNames: ['do'] as const,
    registers: registry,
  });
  const additions = new Counter({
    name: 'hubbub_edge_added_sessions_total',
    help: 'Sessions that services added to a room, by result: added, known (already a member), gone (the session ended or left meanwhile), or an error code.',
    labelNames: ['result'] as const,
    registers: registry,
  });
  const events = new Counter({
    name: 'hubbub_edge_client_events_total',
    help: 'Client events by result: appended, repeated (same message_id), UNAVAILABLE (Redis is unavailable, or too many events wait), or OUTCOME_UNKNOWN (Redis did not answer in time).',
    labelNames: ['result'] as const,
    registers: registry,
  });
  const unanswered = new Counter({
    name: 'hubbub_edge_unanswered_questions_total',
    help: 'online_users frames refused with UNAVAILABLE because they did not reach presence, or presence did not answer in time.',
    registers: registry,
  });
  const interruptions = new Counter({
    name: 'hubbub_edge_interruptions_total',
    help: 'Interruptions of the Redis subscription, which may have lost messages.',
    registers: registry,
  });
  const deafness = new Counter({
    name: 'hubbub_edge_deaf_subscriptions_total',
    help: 'Self-probes that did not return in time; after each, the edge rebuilds the subscription.',
    registers: registry,
  });
  const roundTrip = new Histogram({
    name: 'hubbub_edge_probe_round_trip_seconds',
    help: 'Time from publishing the self-probe to receiving it.',
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: registry,
  });
  const lag = new Histogram({
    name: 'hubbub_edge_delivery_lag_seconds',
    help: 'Time from publishing a message to handing it to the sockets of this edge.',
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: registry,
  });
  new Gauge({
    name: 'hubbub_edge_engine_info',
    help: 'The loaded WebSocket engine.',
    labelNames: ['build'] as const,
    aggregator: 'first',
    registers: registry,
  }).set({ build: engineBuild }, 1);

  for (const result of ['accepted', ...REFUSALS]) handshakes.inc({ result }, 0);
  for (const code of [...KNOWN_CLOSE_CODES, 'other']) closes.inc({ code: String(code) }, 0);
  for (const type of [...CLIENT_FRAME_TYPES, 'client_event']) frames.inc({ type, result: 'ok' }, 0);
  frames.inc({ type: 'unreadable', result: 'INVALID_FORMAT' }, 0);
  for (const action of CONTROLS) controls.inc({ do: action }, 0);
  for (const result of ADDITIONS) additions.inc({ result }, 0);
  for (const result of EVENT_RESULTS) events.inc({ result }, 0);

  // Plain numbers on the hot path; a scrape moves them into the counters.
  let deliveries = 0;
  let envelopes = 0;
  let bytes = 0;
  let receivedBytes = 0;
  const fromNumber = (name: string, help: string, read: () => number): void => {
    let reported = 0;
    new Counter({
      name,
      help,
      registers: registry,
      collect() {
        this.inc(read() - reported);
        reported = read();
      },
    });
  };
  fromNumber('hubbub_edge_envelopes_total', 'Messages from the broker with an audience on this edge.', () => envelopes);
  fromNumber('hubbub_edge_deliveries_total', 'Messages handed to sockets, one per recipient.', () => deliveries);
  fromNumber(
    'hubbub_edge_delivered_bytes_total',
    'Bytes of message bodies handed to sockets, counted per recipient.',
    () => bytes,
  );
  fromNumber(
    'hubbub_edge_received_bytes_total',
    'Bytes of frames from clients, including malformed ones.',
    () => receivedBytes,
  );

  const malformedLog = occasionally(MALFORMED_LOG_INTERVAL_MS, suppressed =>
    log.warn(
      { event: 'malformed_envelope', channel: lastMalformedChannel, suppressed },
      'dropped a malformed message from Redis',
    ),
  );
  let lastMalformedChannel = '';
  let drainRemaining = 0;
  const drainLog = occasionally(DRAIN_LOG_INTERVAL_MS, () => {
    if (drainRemaining > 0)
      log.info({ event: 'draining', remaining: drainRemaining }, `${drainRemaining} sessions to send away`);
  });

  return {
    observe(gauges: EdgeGauges): void {
      const gauge = (name: string, help: string, read: () => number): void => {
        new Gauge({
          name,
          help,
          registers: registry,
          collect() {
            this.set(read());
          },
        });
      };
      new Gauge({
        name: 'hubbub_edge_ready',
        help: '1 if /readyz is green, else 0. With --workers: 1 if every worker is ready.',
        aggregator: 'min',
        registers: registry,
        collect() {
          this.set(gauges.ready() ? 1 : 0);
        },
      });
      gauge('hubbub_edge_sessions', 'Sessions on this edge.', gauges.sessions);
      gauge('hubbub_edge_rooms', 'Rooms with a member on this edge.', gauges.rooms);
      gauge(
        'hubbub_edge_subscriptions',
        'Channels that this edge subscribes to, including lingering ones.',
        gauges.subscriptions,
      );
      gauge(
        'hubbub_edge_drain_remaining',
        'Sessions that this edge still has to disconnect while it drains.',
        gauges.drainRemaining,
      );
    },
    handshakeAccepted(): void {
      handshakes.inc({ result: 'accepted' });
    },
    handshakeRefused(code: ErrorCode): void {
      handshakes.inc({ result: code });
    },
    /** Clients choose codes freely: those that PROTOCOL.md does not name count as one. */
    closed(code: number): void {
      closes.inc({ code: KNOWN_CLOSE_CODES.has(code) ? String(code) : 'other' });
    },
    frame(type: FrameLabel, result: 'ok' | ErrorCode): void {
      frames.inc({ type, result });
    },
    received(frameBytes: number): void {
      receivedBytes += frameBytes;
    },
    malformedEnvelope(channel: string): void {
      malformed.inc();
      lastMalformedChannel = channel;
      malformedLog();
    },
    delivered(recipients: number, bodyBytes: number, publishedAtMs: number): void {
      envelopes++;
      deliveries += recipients;
      bytes += recipients * bodyBytes;
      lag.observe(Math.max(0, Date.now() - publishedAtMs) / 1000);
    },
    controlled(action: Control['do'], sessions: number): void {
      controls.inc({ do: action });
      log.debug({ event: 'controlled', do: action, sessions }, 'a service closed a room or sent users away');
    },
    sessionAdded(result: AdditionResult): void {
      additions.inc({ result });
    },
    eventAppended(result: (typeof EVENT_RESULTS)[number]): void {
      events.inc({ result });
    },
    questionUnanswered(): void {
      unanswered.inc();
    },
    slowReader(): void {
      slowReaders.inc();
    },
    /** Called several times a second. */
    draining: (remaining: number): void => {
      drainRemaining = remaining;
      drainLog();
    },
    drained({ told, closed }: DrainResult, durationMs: number): void {
      const rounded = Math.round(durationMs);
      log.info({ event: 'drained', told, closed, durationMs: rounded }, `${told} sessions were sent away`);
    },
    interrupted(channels: number, durationMs: number): void {
      interruptions.inc();
      log.warn(
        { event: 'interrupted', channels, durationMs },
        'the subscription broke and is back; messages may have been lost',
      );
    },
    deaf(): void {
      deafness.inc();
      log.error({ event: 'deaf' }, 'the self-probe does not come back; rebuilding the subscription');
    },
    probeReturned(durationMs: number): void {
      roundTrip.observe(durationMs / 1000);
    },
  };
}

/** Puts an edge together: bus → fan-out → sockets, and sockets → frames → bus. */
import { type Backplane, Interest, type OnlineCounter } from '@hubbub/broker';
import { type Config, namespaceSettings } from '@hubbub/config';
import { Channels, CLOSE_CODES, namespaceOf } from '@hubbub/protocol';
import { type Logger, listening, type MetricsRegistry, type Readiness } from '@hubbub/runtime';
import { type AdmissionPolicy, assertHost } from './admission/admission.js';
import { createAdmissionPolicy } from './admission/admission-policy.js';
import { openTokenKeys } from './admission/keys/token-keys.js';
import { Conflation } from './conflation/conflation.js';
import { createConflationMetrics } from './conflation/conflation-metrics.js';
import { Departure } from './drain/departure.js';
import { createDispatcher } from './frames/dispatch.js';
import { HistoryReader } from './history/history-reader.js';
import { createRecoveryMetrics, createReplayGauge } from './history/recovery-metrics.js';
import { ReplayMemory } from './history/replay-memory.js';
import { ReplayTurns } from './history/replay-turns.js';
import { RoomFeeds } from './history/room-feeds.js';
import { ConnectionGate } from './limits/connection-gate.js';
import { CostLimits } from './limits/cost-limits.js';
import { connectionBounds } from './limits/descriptors.js';
import { FrameLimits } from './limits/frame-limits.js';
import { createLimitGauges, createLimitMetrics } from './limits/limit-metrics.js';
import { createRefusals } from './limits/refusals.js';
import { proposedPace, sessionLimits } from './limits/session-limits.js';
import { createClientAddresses } from './listener/client-address.js';
import { createConnectionEvents } from './listener/connection-events.js';
import { loadEngine } from './listener/engine.js';
import { corsHeaders, type PageHandler } from './listener/http-answers.js';
import type { TlsFiles } from './listener/tls-files.js';
import { listenForWebSockets, type WebSocketListener, type WebSocketOptions } from './listener/websocket.js';
import { createEdgeGauges, createEdgeMetrics } from './metrics.js';
import { PresenceReporter } from './presence/presence-reporter.js';
import { RosterQuestions } from './presence/roster-questions.js';
import { createFanout, mendRooms } from './rooms/fanout.js';
import { Memberships } from './rooms/memberships.js';
import { Probe } from './rooms/probe.js';
import { RoomPublisher } from './rooms/room-publisher.js';
import { holdStandingSubscriptions } from './rooms/standing-subscriptions.js';
import { createEventBacklogMetrics } from './services/event-backlog-metrics.js';
import { EventPublisher } from './services/event-publisher.js';
import { announceNamespaces } from './services/namespace-announcement.js';
import { createNodeChannel } from './services/node-channel.js';
import { createRoomControl } from './services/room-control.js';
import { createSessionControl } from './services/session-control.js';
import { Expiry } from './sessions/expiry.js';
import type { Session } from './sessions/session.js';
import { Sessions } from './sessions/sessions.js';
import { UnreadWatch } from './sessions/unread.js';

export interface EdgeOptions {
  readonly config: Config;
  /** The edge closes none of it. */
  readonly bus: Backplane;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** Further pages on the public port, by path. */
  readonly pages?: Readonly<Record<string, PageHandler>>;
}

export interface RunningEdge {
  /** The public port. */
  readonly port: number;
  readiness(): Readiness;
  /**
   * New connections get the certificate in the TLS files, existing ones keep theirs. Wrong files are logged, and the old
   * certificate stays. Without TLS `undefined`.
   */
  readonly renewCertificate: (() => void) | undefined;
  /**
   * Shuts down in order: not ready, no new sessions, drain over the window, release of the node's lease.
   * @param announced false when no balancer has to see it first. Default true.
   */
  close(announced?: boolean): Promise<void>;
}

/** The transport's bound stands above the frame limit, so that a frame a little too large is answered and not cut off. */
const PAYLOAD_BOUND_FACTOR = 4;
const PAYLOAD_BOUND_MIN_BYTES = 65_536;

/**
 * Starts an edge. Resolves when its port is bound; `readiness` reports when it receives from the broker.
 *
 * @example
 * const edge = await startEdge({ config: loadConfig(), bus, log, metrics: createMetricsRegistry() });
 * console.log(edge.port);
 */
export async function startEdge({
  config,
  bus,
  log,
  metrics: registry,
  pages = {},
}: EdgeOptions): Promise<RunningEdge> {
  const engine = loadEngine(config.maxHeaderBytes);
  const metrics = createEdgeMetrics(registry, log, engine.build);
  const channels = new Channels(config.redisPrefix);
  const nodeChannel = channels.node(config.nodeId);
  const limits = sessionLimits(config);
  const limitMetrics = createLimitMetrics(registry, log);
  const frameLimits = new FrameLimits(config);
  const costLimits = new CostLimits(config, limitMetrics.charged);

  const sessions = new Sessions();
  const interest = new Interest(bus.broker, config.subscriptionLingerMs);
  const questions = new RosterQuestions({ onUnanswered: metrics.questionUnanswered });
  const presence = new PresenceReporter({
    log: bus.reports,
    leases: bus.leases,
    nodeId: config.nodeId,
    partitions: config.presencePartitions,
    snapshot: () => sessions,
    refuseQuestion: question => questions.refuse(question),
    logger: log,
  });
  const recovery = createRecoveryMetrics(registry);
  const { broker, history } = bus;
  const { namespaces, maxReplayMessages, maxBufferedBytes } = config;
  const replayMemory = new ReplayMemory(config.maxReplayBytes, recovery.windowDropped);
  createReplayGauge(registry, () => replayMemory.bytes);
  const feeds = new RoomFeeds({
    history,
    namespaces,
    channels,
    maxReplayMessages,
    maxBufferedBytes,
    replayMemory,
    checkIntervalMs: config.historyCheckIntervalMs,
    metrics: recovery,
  });
  const conflation: Conflation = new Conflation({
    aboveBytes: config.conflateAboveBytes,
    maxBufferedBytes,
    metrics: createConflationMetrics(registry, () => conflation.size),
    onOverflow: () => metrics.slowReader(),
  });
  const memberships = new Memberships({
    interest,
    channels,
    presence,
    feeds,
    entryOptions: { maxReplayMessages, maxBufferedBytes, metrics: recovery, turns: new ReplayTurns() },
    conflationOf: room => (namespaceSettings(namespaces, namespaceOf(room)).conflate ? conflation : undefined),
  });
  const publisher = new RoomPublisher({ broker, history, channels, feeds, namespaces });
  const events = new EventPublisher({ log: bus.events, config, metrics });
  createEventBacklogMetrics(registry, bus.events, namespaces);
  const historyReader = new HistoryReader(history, namespaces, recovery);
  const keys = openTokenKeys(config, { log, metrics: registry });
  const onlinePath = `${config.basePath}/ws/online`;
  const policy = createAdmissionPolicy(config, {
    verifyClaims: keys.verifyClaims,
    nextSessionId: () => sessions.nextId(),
    log,
    metrics: registry,
  });
  const expiry = new Expiry<Session>(({ socket }) => socket.end(CLOSE_CODES.TOKEN_EXPIRED, 'the token has expired'));
  const dispatcher = createDispatcher(
    {
      ...policy,
      memberships,
      publisher,
      events,
      presence,
      questions,
      history: historyReader,
      limits,
      refusals: createRefusals(limitMetrics),
      expiry,
    },
    { metrics, frameLimits, costLimits, log },
  );
  const probe = new Probe(broker, nodeChannel, {
    intervalMs: config.probeIntervalMs,
    timeoutMs: config.probeTimeoutMs,
    onRoundTrip: metrics.probeReturned,
    onDeaf: metrics.deaf,
  });

  const departure = new Departure({ ...config, sessions, metrics });

  const bounds = connectionBounds(config.reservedDescriptors);
  const gate = new ConnectionGate({ ...config, metrics: limitMetrics, log, bounds });
  const unread = new UnreadWatch<Session>({
    sessions,
    timeoutMs: config.unreadTimeoutMs,
    onUnread: () => limitMetrics.exceeded('unread_time'),
  });
  createLimitGauges(registry, {
    addresses: () => gate.addresses,
    halfOpen: () => gate.halfOpen,
    buckets: () => frameLimits.size(performance.now()) + costLimits.size(performance.now()),
  });

  const listenerOptions: WebSocketOptions = {
    host: config.host,
    port: config.port,
    sharedPort: config.sharedPort,
    basePath: config.basePath,
    roomPaths: config.roomPaths,
    maxPayloadBytes: Math.max(PAYLOAD_BOUND_MIN_BYTES, PAYLOAD_BOUND_FACTOR * config.maxFrameBytes),
    maxBufferedBytes: config.maxBufferedBytes,
    idleTimeoutMs: config.idleTimeoutMs,
    handshakeTimeoutMs: config.handshakeTimeoutMs,
    tls: tlsFiles(config),
    addresses: createClientAddresses({ ...config, onMalformed: limitMetrics.malformedForwardedFor }),
    gate,
    limitMetrics,
    pages: forAllowedHosts(policy, { ...pages, [onlinePath]: onlinePage(bus.online) }),
    openPages: [onlinePath],
    corsHeaders: (origin, host) => corsHeaders(origin, policy.sources.isOriginAllowed(origin, host)),
    events: createConnectionEvents({
      policy,
      departure,
      sessions,
      expiry,
      unread,
      memberships,
      dispatcher,
      metrics,
      limitMetrics,
      limits,
      pace: proposedPace(config),
      frameLimits,
      costLimits,
      log,
    }),
  };
  const address = { host: config.host, port: config.port, hostSetting: 'HUBBUB_HOST', portSetting: 'HUBBUB_PORT' };
  const listener = await listening(address, () => listenForWebSockets(engine.module, listenerOptions));

  const fanout = createFanout({
    memberships,
    feeds,
    recovery,
    sessions,
    metrics,
    publish: listener.publish,
    nodeChannel,
    onControl: createRoomControl({ memberships, sessions, channels, metrics, conflation }),
    onNodeEnvelope: createNodeChannel({
      channel: nodeChannel,
      sessions,
      questions,
      metrics,
      onProbe: number => probe.heard(number),
      onControl: createSessionControl({ memberships, sessions, conflation, limits, metrics, log }),
    }),
  });
  broker.onEnvelope((channel, envelope) => {
    probe.arrived();
    fanout(channel, envelope);
  });
  broker.onInterruption(({ channels: broken, durationMs }) => {
    metrics.interrupted(broken.length, durationMs);
    probe.restored();
    mendRooms(broken, { memberships, feeds, recovery, publish: listener.publish });
    announcement.renew();
  });
  const announcement = announceNamespaces(bus.namespaces, namespaces, log);
  const standing = holdStandingSubscriptions(interest, [channels.broadcast, nodeChannel]);
  const readiness = (): Readiness => {
    const checks = {
      bus: probe.hears ? 'the self-probe returned' : silenceOf(probe),
      subscriptions: standing.confirmed ? 'confirmed' : 'not confirmed',
      state: departure.state,
    };
    return { ready: probe.hears && standing.confirmed && departure.state === 'serving', checks };
  };
  createEdgeGauges(registry, {
    ready: () => readiness().ready,
    rooms: () => memberships.rooms,
    sessions: () => sessions.size,
    subscriptions: () => interest.size,
    drainRemaining: () => departure.remaining,
  });
  presence.start();
  probe.start();
  log.info(
    { event: 'edge_started', port: listener.port, engine: engine.build },
    `edge on port ${listener.port} (${engine.build})`,
  );

  return {
    port: listener.port,
    readiness,
    renewCertificate: tlsFiles(config) && (() => void renewCertificate(listener, log)),
    async close(announced = true) {
      await departure.run(announced, () => listener.stopListening());
      probe.close();
      standing.close();
      announcement.close();
      await presence.close();
      questions.close();
      feeds.close();
      conflation.close();
      interest.close();
      keys.close();
      expiry.close();
      unread.close();
      listener.close();
    },
  };
}

function silenceOf({ refusal }: Probe): string {
  return refusal === undefined ? 'the self-probe does not return' : `the self-probe does not return: ${refusal}`;
}

function tlsFiles({ tlsCertFile, tlsKeyFile, tlsCiphers }: Config): TlsFiles | undefined {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  return { certFile: tlsCertFile, keyFile: tlsKeyFile, ciphers: tlsCiphers };
}

async function renewCertificate(listener: WebSocketListener, log: Logger): Promise<void> {
  try {
    await listener.renewCertificate();
    log.info({ event: 'certificate_renewed' }, 'new connections get the certificate that is in the files now');
  } catch (error) {
    // Existing connections stay, and new ones get the old certificate.
    log.error({ event: 'certificate_not_renewed', err: error }, 'the certificate could not be read: the old one stays');
  }
}

type Pages = Readonly<Record<string, PageHandler>>;

function forAllowedHosts({ sources }: AdmissionPolicy, pages: Pages): Pages {
  return Object.fromEntries(
    Object.entries(pages).map(([path, page]) => [
      path,
      request => {
        assertHost(request.host, sources);
        return page(request);
      },
    ]),
  );
}

/** `GET /ws/online`: users online in the whole cluster. */
function onlinePage(online: OnlineCounter): PageHandler {
  return async () => ({ contentType: 'application/json', body: JSON.stringify({ online: await online.total() }) });
}

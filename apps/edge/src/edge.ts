/** Puts an edge together: bus → fan-out → sockets, and sockets → frames → bus. */
import { type Backplane, Interest, type OnlineCounter } from '@hubbub/broker';
import {
  Channels,
  CLOSE_CODES,
  DEFAULT_LIMITS,
  HubbubError,
  namespaceOf,
  type Recovery,
  type SessionLimits,
  SUBPROTOCOLS,
} from '@hubbub/protocol';
import {
  type Config,
  DEVELOPMENT_JWT_SECRET,
  type Logger,
  type MetricsRegistry,
  namespaceSettings,
  type Readiness,
} from '@hubbub/runtime';
import { type AdmissionPolicy, type Admitted, admit } from './admission.js';
import { Conflation } from './conflation.js';
import { createConflationMetrics } from './conflation-metrics.js';
import { Departure } from './departure.js';
import { createDispatcher } from './dispatch.js';
import { loadEngine } from './engine.js';
import { createFanout, mendRooms } from './fanout.js';
import { HistoryReader } from './history-reader.js';
import { Memberships } from './memberships.js';
import { createEdgeMetrics } from './metrics.js';
import { createNodeChannel } from './node-channel.js';
import { PresenceReporter } from './presence-reporter.js';
import { Probe } from './probe.js';
import { createRecoveryMetrics } from './recovery-metrics.js';
import { createRoomControl } from './room-control.js';
import { RoomFeeds } from './room-feeds.js';
import { RoomPublisher } from './room-publisher.js';
import { Session } from './session.js';
import { Sessions } from './sessions.js';
import { holdStandingSubscriptions } from './standing-subscriptions.js';
import { createTokenVerifier } from './token.js';
import { listenForWebSockets, type PageHandler } from './websocket.js';

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
   * Leaves well: not ready, then no new sessions, then those here sent away over the drain window; gives up the node's lease.
   * @param announced false when no balancer has to see it first. Default true.
   */
  close(announced?: boolean): Promise<void>;
}

/** The transport's bound stands above the frame limit, so that a frame a little too large is answered and not cut off. */
const PAYLOAD_BOUND_FACTOR = 4;
const PAYLOAD_BOUND_MIN_BYTES = 65_536;

/**
 * Starts an edge. Resolves when its port is bound; `readiness` tells when it hears the bus.
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
  const engine = loadEngine();
  const metrics = createEdgeMetrics(registry, log, engine.build);
  const channels = new Channels(config.redisPrefix);
  const nodeChannel = channels.node(config.nodeId);
  const limits = sessionLimits(config);

  const sessions = new Sessions();
  const interest = new Interest(bus.broker, config.subscriptionLingerMs);
  const presence = new PresenceReporter({
    log: bus.reports,
    leases: bus.leases,
    nodeId: config.nodeId,
    partitions: config.presencePartitions,
    snapshot: () => sessions,
    logger: log,
  });
  const recovery = createRecoveryMetrics(registry);
  const { broker, history: histories } = bus;
  const { namespaces, maxReplayMessages, maxBufferedBytes, historyCheckIntervalMs: checkIntervalMs } = config;
  const feedOptions = { history: histories, namespaces, channels, maxReplayMessages, checkIntervalMs };
  const feeds = new RoomFeeds({ ...feedOptions, metrics: recovery });
  const entryOptions = { maxReplayMessages, maxBufferedBytes, metrics: recovery };
  const conflation: Conflation = new Conflation({
    aboveBytes: config.conflateAboveBytes,
    maxBufferedBytes,
    metrics: createConflationMetrics(registry, () => conflation.size),
    onOverflow: () => metrics.slowReader(),
  });
  const memberships = new Memberships(interest, channels, presence, feeds, entryOptions, room =>
    namespaceSettings(namespaces, namespaceOf(room)).conflate ? conflation : undefined,
  );
  const publisher = new RoomPublisher({ broker, history: histories, channels, feeds, namespaces });
  const history = new HistoryReader(histories, namespaces, recovery);
  const dispatcher = createDispatcher(
    { memberships, publisher, presence, history, namespaces: config.namespaces, limits },
    metrics,
    log,
  );
  const probe = new Probe(bus.broker, nodeChannel, {
    intervalMs: config.probeIntervalMs,
    timeoutMs: config.probeTimeoutMs,
    onRoundTrip: metrics.probeReturned,
    onDeaf: metrics.deaf,
  });

  const policy: AdmissionPolicy = {
    verifyToken: createTokenVerifier(config.jwtSecret ?? DEVELOPMENT_JWT_SECRET),
    allowedOrigins: config.allowedOrigins ?? (config.production ? [] : undefined),
    namespaces: config.namespaces,
  };
  const departure = new Departure({ ...config, sessions, metrics });

  const listener = await listenForWebSockets(engine.module, {
    host: config.host,
    port: config.port,
    sharedPort: config.sharedPort,
    basePath: config.basePath,
    maxPayloadBytes: Math.max(PAYLOAD_BOUND_MIN_BYTES, PAYLOAD_BOUND_FACTOR * config.maxFrameBytes),
    maxBufferedBytes: config.maxBufferedBytes,
    idleTimeoutMs: config.idleTimeoutMs,
    pages: { ...pages, [`${config.basePath}/ws/online`]: onlinePage(bus.online) },
    events: {
      admit(request) {
        try {
          if (departure.refuses) throw new HubbubError('UNAVAILABLE', 'This edge is leaving; connect again.');
          const admitted = admit(request, policy);
          metrics.handshakeAccepted();
          return admitted;
        } catch (error) {
          if (error instanceof HubbubError) metrics.handshakeRefused(error.code);
          throw error;
        }
      },
      opened(socket, admitted) {
        const session = new Session(sessions.nextId(), socket, admitted);
        sessions.add(session);
        // What the client sends meanwhile waits, so that its first frame finds the session whole.
        session.hold(welcome(session, admitted), dispatcher.handle);
        return session;
      },
      received: dispatcher.receive,
      overflowed: () => metrics.slowReader(),
      closed(session, code) {
        memberships.close(session);
        sessions.delete(session);
        metrics.closed(code);
      },
    },
  });

  async function welcome(session: Session, admitted: Admitted): Promise<void> {
    let entered: Recovery | undefined;
    try {
      await memberships.open(session);
      if (admitted.room !== undefined) entered = await memberships.join(session, admitted.room);
    } catch (error) {
      log.warn({ event: 'session_not_opened', err: error }, 'a session could not be opened');
      if (!session.closed) session.socket.end(CLOSE_CODES.TRY_AGAIN_LATER, 'the bus does not answer');
      return;
    }
    session.send({
      type: 'welcome',
      payload: {
        session_id: session.id,
        user: session.user,
        subprotocol: SUBPROTOCOLS[session.encoding],
        rooms: [...session.rooms.keys()],
        ...(entered !== undefined && { position: entered }),
        limits,
      },
      timestamp: new Date().toISOString(),
    });
  }

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
      memberships,
      metrics,
      onProbe: number => probe.heard(number),
    }),
  });
  bus.broker.onEnvelope((channel, envelope) => {
    probe.arrived();
    fanout(channel, envelope);
  });
  bus.broker.onInterruption(({ channels: broken, durationMs }) => {
    metrics.interrupted(broken.length, durationMs);
    mendRooms(broken, { memberships, feeds, recovery, publish: listener.publish });
  });
  const standing = holdStandingSubscriptions(interest, [channels.broadcast, nodeChannel]);
  metrics.observe({
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
    readiness() {
      const checks = {
        bus: probe.hears ? 'a message came back' : 'no message comes back',
        subscriptions: standing.confirmed ? 'confirmed' : 'not confirmed',
        state: departure.state,
      };
      return { ready: probe.hears && standing.confirmed && departure.state === 'serving', checks };
    },
    async close(announced = true) {
      await departure.run(announced, listener.stopListening);
      probe.close();
      standing.close();
      await presence.close();
      feeds.close();
      conflation.close();
      interest.close();
      listener.close();
    },
  };
}

function sessionLimits(config: Config): SessionLimits {
  return {
    ...DEFAULT_LIMITS,
    max_frame_bytes: config.maxFrameBytes,
    max_rooms: config.maxRooms,
    max_payload_depth: config.maxPayloadDepth,
    max_payload_keys: config.maxPayloadKeys,
    max_buffered_bytes: config.maxBufferedBytes,
    idle_timeout_ms: config.idleTimeoutMs,
    roster_page_size: config.rosterPageSize,
    max_replay_messages: config.maxReplayMessages,
    history_page_size: config.historyPageSize,
  };
}

/** `GET /ws/online`: users online in the whole cluster. */
function onlinePage(online: OnlineCounter): PageHandler {
  return async () => ({ contentType: 'application/json', body: JSON.stringify({ online: await online.total() }) });
}

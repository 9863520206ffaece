/** Puts an edge together: sockets → sessions → frames → broker, and broker → rooms → sockets. */
import type { BrokerClient } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import { Channels, CLOSE_CODES } from '@hubbub/protocol';
import { type Logger, type MetricsRegistry, noTracing, type Readiness, type Tracing } from '@hubbub/runtime';
import { createAccountMetrics } from './account/account-metrics.js';
import { Accounts } from './account/accounts.js';
import { createLoadReader } from './account/node-load.js';
import { createAdmission } from './admission/create-admission.js';
import { createRefusalLog } from './admission/refusal-log.js';
import { createConflation } from './conflation/conflation.js';
import { Departure } from './drain/departure.js';
import { createPublishOverHttp } from './event-streams/publish-over-http.js';
import { createFrameHandlers } from './frames/frame-handlers.js';
import { createLimits } from './limits/create-limits.js';
import { createConnectionEvents } from './listener/connection-events.js';
import { loadEngine } from './listener/engine.js';
import type { PageHandler } from './listener/http-answers.js';
import { openListener } from './listener/open-listener.js';
import { Topics } from './listener/topics.js';
import { createEdgeGauges, createEdgeMetrics } from './metrics.js';
import { PresenceReporter } from './presence/presence-reporter.js';
import { RosterQuestions } from './presence/roster-questions.js';
import { createPusher } from './pusher/create-pusher.js';
import { Watchlists } from './pusher/watchlists.js';
import { BrokerLink } from './rooms/broker-link.js';
import { createRooms } from './rooms/create-rooms.js';
import { createFanout, repairRooms } from './rooms/fanout.js';
import { createServices } from './services/create-services.js';
import { createRevocationControl } from './services/revocation-control.js';
import { removeFromRoom } from './services/room-control.js';
import { Expiry } from './sessions/expiry.js';
import { createReceiver } from './sessions/receiver.js';
import { Refusals } from './sessions/refusals.js';
import type { Session } from './sessions/session.js';
import { Sessions } from './sessions/sessions.js';
import { UnreadWatch } from './sessions/unread.js';

export interface EdgeOptions {
  readonly config: Config;
  /** The edge closes none of it. */
  readonly brokerClient: BrokerClient;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** Default: none. */
  readonly tracing?: Tracing;
  /** Further pages on the public port, by path. */
  readonly pages?: Readonly<Record<string, PageHandler>>;
  /** Names the port in the error if it cannot be bound. Default `HUBBUB_PORT`. */
  readonly portSetting?: string;
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

/**
 * Starts an edge. Resolves when its port is bound; `readiness` reports when it receives from the broker.
 *
 * @example
 * const edge = await startEdge({ config: loadConfig(), brokerClient, log, metrics: createMetricsRegistry() });
 * console.log(edge.port);
 */
export async function startEdge({
  config,
  brokerClient,
  log,
  metrics: registry,
  tracing = noTracing,
  pages = {},
  portSetting,
}: EdgeOptions): Promise<RunningEdge> {
  const { broker } = brokerClient;
  const { namespaces } = config;
  const engine = loadEngine(config.maxHeaderBytes);
  const metrics = createEdgeMetrics(registry, log, engine.build);
  const channels = new Channels(config.redisPrefix);
  const sessions = new Sessions();
  const topics = new Topics();
  const accountMetrics = createAccountMetrics(registry);
  const accounts = new Accounts(config, accountMetrics);
  const limits = createLimits(config, { log, metrics: registry });
  const admission = createAdmission(config, {
    nextSessionId: () => sessions.nextId(),
    revocationLog: brokerClient.revocations,
    log,
    metrics: registry,
  });
  const { revocations } = admission;
  const conflation = createConflation(config, { metrics: registry, onOverflow: metrics.slowReader });
  const questions = new RosterQuestions({ onUnanswered: metrics.questionUnanswered });
  const nodeChannel = channels.node(config.nodeId);
  const reporter = new PresenceReporter({
    log: brokerClient.reports,
    leases: brokerClient.leases,
    nodeId: config.nodeId,
    partitions: config.presencePartitions,
    wireVersionMax: config.wireVersionMax,
    isSubscribed: () => !broker.isInterrupted(nodeChannel),
    snapshot: () => sessions,
    refuseQuestion: question => questions.refuse(question),
    logger: log,
  });
  const { audiences, histories, interest, roomTokens, memberships, publisher } = createRooms(config, {
    brokerClient,
    channels,
    sessions,
    publish: topics.publish,
    window: limits.publishes,
    presence: reporter,
    revocations,
    removeMember(session, room, reason) {
      removeFromRoom(session, room, { removed: true, reason }, { memberships, conflation });
    },
    conflation,
    accounts,
    metrics,
    registry,
    tracing,
    log,
  });
  const { feeds } = histories;
  const watchlists = config.pusherApps.some(app => app.watchlists)
    ? new Watchlists({ interest, channels, publish: topics.publish, presence: reporter, questions })
    : undefined;
  const services = createServices(config, {
    broker,
    accounts,
    accountMetrics,
    audiences,
    feeds,
    load: () => readLoad(),
    eventLog: brokerClient.events,
    namespaceDirectory: brokerClient.namespaces,
    channels,
    sessions,
    memberships,
    conflation,
    questions,
    presence: reporter,
    limits: limits.session,
    window: limits.publishes,
    onProbe: number => link.probeReturned(number),
    onMove: percent => departure.rebalance.moveShare(percent),
    metrics,
    registry,
    tracing,
    log,
  });

  const revocationControl = createRevocationControl({ sessions, revocations, roomTokens, memberships, conflation });
  const refusalLog = createRefusalLog(log);
  const refusals = new Refusals({ metrics, limitMetrics: limits.metrics, refusalLog, accounts, log });
  const expiry = new Expiry<Session>(session => session.end(CLOSE_CODES.TOKEN_EXPIRED, 'the token has expired'));
  const unread = new UnreadWatch<Session>({
    sessions,
    timeoutMs: config.unreadTimeoutMs,
    maxTotalBufferedBytes: config.maxTotalBufferedBytes,
    onUnread(session, reason) {
      accounts.note(session, { event: reason === 'unread_time' ? 'unread' : 'slow_reader' });
      limits.metrics.exceeded(reason);
    },
  });
  const handlers = createFrameHandlers({
    ...admission,
    namespaces,
    limits: limits.session,
    refusals,
    expiry,
    memberships,
    publisher,
    history: histories.reader,
    events: services.events,
    presence: reporter,
    questions,
  });
  const receive = createReceiver({ limits, refusals, metrics, handlers });
  const pusher = createPusher(config, {
    ...{ limits, refusals, metrics, memberships, publisher, watchlists },
    sources: admission.sources,
    nextSocketId: () => sessions.nextSocketId(),
    events: services.events,
    sessionLimits: limits.session,
  });
  const publish = createPublishOverHttp({ limits, refusals, metrics, handlers, revocations, release: limits.release });
  const departure = new Departure({ ...config, sessions, metrics, log });
  const listener = await openListener(config, {
    engine: engine.module,
    topics,
    limits,
    sources: admission.sources,
    online: brokerClient.online,
    publish,
    pages,
    portSetting,
    events: createConnectionEvents({
      admission,
      departure,
      sessions,
      expiry,
      unread,
      memberships,
      receive,
      pusher,
      endIfRevoked: revocationControl.endIfRevoked,
      metrics,
      limits,
      refusalLog,
      accounts,
      log,
    }),
    log,
  });
  const { onControl, onNodeEnvelope } = services;
  const { broadcast } = channels;
  const repair = (broken: readonly string[]): void => {
    repairRooms(broken, { audiences, feeds, recovery: histories.metrics, broadcast, nodeChannel });
    watchlists?.recheck(broken);
  };
  const link = new BrokerLink(config, {
    broker,
    interest,
    channels,
    metrics,
    receive: createFanout({
      ...{ audiences, feeds, metrics, nodeChannel, onNodeEnvelope, onControl },
      observe: watchlists && ((channel, envelope) => watchlists.arrived(channel, envelope)),
      onUnsupported: channel => repair([channel]),
    }),
    repair: broken => {
      repair(broken);
      services.announcement.renew();
    },
  });
  const readiness = (): Readiness => {
    const { ready, ...checks } = link.checks;
    const { state } = departure;
    // Without the registry, messages flow and rosters wait.
    const registry = reporter.isReporting ? 'takes reports' : 'does not take reports';
    return {
      ready: ready && revocations.isKnown && state === 'serving',
      checks: { ...checks, registry, revocations: revocations.describe(), state },
    };
  };
  const readLoad = createLoadReader({
    sessions,
    rooms: () => audiences.rooms,
    subscriptions: () => interest.size,
    shedShare: () => limits.overload.share,
    state: () => departure.state,
    ready: () => readiness().ready,
  });
  createEdgeGauges(registry, {
    ready: () => readiness().ready,
    rooms: () => audiences.rooms,
    sessions: () => sessions.size,
    bufferedBytes: () => unread.bufferedBytes,
    servers: () => link.servers,
    subscriptions: () => interest.size,
    lateRenewals: () => reporter.lateRenewals,
    repeatedJoins: () => reporter.repeatedJoins,
    waitingReports: () => reporter.waiting,
    wireVersion: () => reporter.wireVersion,
    drainRemaining: () => departure.remaining,
    certificateExpiresAtMs: () => listener.certificateExpiresAtMs,
    streams: () => listener.streams(),
  });
  revocations.start(revocationControl.onRevoked);
  reporter.start();
  limits.overload.start({ subscriptionAgeMs: () => interest.oldestUnconfirmedMs, reports: () => reporter.backlog });
  log.info(
    { event: 'edge_started', port: listener.port, engine: engine.build },
    `edge on port ${listener.port} (${engine.build})`,
  );

  return {
    port: listener.port,
    readiness,
    renewCertificate: listener.renewCertificate,
    async close(announced = true) {
      await departure.run(announced, () => listener.stopListening());
      limits.overload.close();
      link.close();
      services.announcement.close();
      await reporter.close();
      questions.close();
      feeds.close();
      conflation.close();
      watchlists?.close();
      interest.close();
      admission.close();
      expiry.close();
      roomTokens.close();
      unread.close();
      listener.close();
    },
  };
}

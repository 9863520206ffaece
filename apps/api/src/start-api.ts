/** Starts one process of the API on a cluster. */
import type { AddressInfo } from 'node:net';
import type { BrokerClient } from '@hubbub/broker';
import { type Config, createRequestSources, DEVELOPMENT_JWT_SECRET, usesDevelopmentSecret } from '@hubbub/config';
import { encodeEnvelope } from '@hubbub/protocol';
import {
  type Logger,
  listenFailure,
  type MetricsRegistry,
  noTracing,
  type Readiness,
  RedisWatch,
  type SpanLogFields,
  type Tracing,
} from '@hubbub/runtime';
import { type AuditEntry, createHttpServer, describedRoutes, type HttpServer } from '@hubbub/runtime/http';
import { createHubbub, createTokenMint, type PresenceOptions, type TokenMint } from '@hubbub/server';
import type { KeyClaims } from './key-claims.js';
import { type ApiMetrics, createApiMetrics } from './metrics.js';
import { OpenConnections } from './open-connections.js';
import { Publishing } from './publishing.js';
import { pusherRoutes } from './pusher/pusher-routes.js';
import { answerConnectionError, limitRequests, RequestSlots } from './request-limits.js';
import { traceRequests } from './request-spans.js';
import { type RouteParts, withIdsBesidePath } from './routes/api-route.js';
import { batchRoute } from './routes/batch.js';
import { controlRoutes } from './routes/controls.js';
import { explainRoutes } from './routes/explain.js';
import { FIELD_CODES } from './routes/fields.js';
import { messageRoutes } from './routes/messages.js';
import { operationRoutes } from './routes/operations.js';
import { readRoutes } from './routes/reads.js';
import { revocationRoutes } from './routes/revocations.js';
import { tokenRoutes } from './routes/tokens.js';
import { Tails } from './tails.js';

/** Any envelope: its channel has no subscribers. */
const PROBE = encodeEnvelope({ encoding: 'json', publishedAtMs: 0, probe: 0 }, new Uint8Array(0));

export interface ApiOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** Default: none. */
  readonly tracing?: Tracing;
  /** The caller's to close, after the API. */
  readonly brokerClient: BrokerClient;
  /** The caller's to close, after the API. */
  readonly claims: KeyClaims;
}

export interface Api {
  readonly port: number;
  readiness(): Readiness;
  /** Takes no new connections, and resolves when the requests in flight are answered. */
  close(): Promise<void>;
}

/** Resolves when the port is bound. @throws {Error} when it cannot be. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { config, log, metrics: registry, tracing = noTracing, brokerClient, claims } = options;
  const slots = new RequestSlots(config.apiMaxRequests);
  const metrics = createApiMetrics(registry, () => slots.taken);
  const presence = presenceOf(config);
  const hubbub = createHubbub(brokerClient, {
    redisPrefix: config.redisPrefix,
    ...(presence !== undefined && { presence }),
  });
  const tails = new Tails(hubbub, () => metrics.limited('tails'));
  const server = createApiServer(config, log, slots, metrics, tracing, {
    brokerClient,
    presence: presence && hubbub.presence,
    access: hubbub,
    revocationTtlMs: config.revocationTtlMs,
    hubbub,
    tails,
    publishing: new Publishing({ hubbub, claims, metrics }),
    mint: mintOf(config),
    metrics,
  });
  const address = { host: config.apiHost, port: config.apiPort };
  await server.listen(address).catch((error: unknown) => {
    throw listenFailure(error, { ...address, hostSetting: 'HUBBUB_API_HOST', portSetting: 'HUBBUB_API_PORT' });
  });
  tellWhatIsClosed(config, log);

  // Probes each connection that requests use: one that works proves nothing about the others.
  const probeChannel = `${config.redisPrefix}:api:probe`;
  const times = { intervalMs: config.probeIntervalMs, timeoutMs: config.probeTimeoutMs };
  const askRooms = () => Promise.all([brokerClient.broker.probe(probeChannel, PROBE), claims.ping()]);
  const roomsWatch = new RedisWatch(askRooms, times);
  const registryWatch = new RedisWatch(() => brokerClient.online.total(), times);
  return {
    port: (server.server.address() as AddressInfo).port,
    // Without the registry, all messages and controls work.
    readiness: () => ({
      ready: roomsWatch.answers,
      checks: { redis: roomsWatch.describe(), registry: registryWatch.describe() },
    }),
    async close() {
      roomsWatch.stop();
      registryWatch.stop();
      tails.close();
      await server.close();
      await hubbub.close();
    },
  };
}

function createApiServer(
  config: Config,
  log: Logger,
  slots: RequestSlots,
  metrics: ApiMetrics,
  tracing: Tracing,
  parts: RouteParts,
): HttpServer {
  const { apiRequestTimeoutMs, maxHeaderBytes } = config;
  const connections = new OpenConnections();
  const server = createHttpServer({
    hostProblem: createRequestSources(config).hostProblem,
    log,
    bodyLimit: config.apiMaxBodyBytes,
    bodyLimitSetting: `HUBBUB_API_MAX_BODY_BYTES (${config.apiMaxBodyBytes})`,
    requestTimeout: apiRequestTimeoutMs,
    forceCloseConnections: 'idle',
    http: {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: apiRequestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, apiRequestTimeoutMs),
    },
    clientErrorHandler: (error, socket) => answerConnectionError(error, socket, connections, metrics),
  });
  traceRequests(server, tracing);
  connections.watch(server, apiRequestTimeoutMs);
  limitRequests(server, slots, metrics);
  if (config.pusherApps.length > 0) server.register(pusherRoutes({ ...parts, apps: config.pusherApps }));
  server.register(
    describedRoutes({
      title: 'Hubbub',
      description:
        'For back ends without Redis access: messages to rooms, users and all, controls, histories, rosters, tokens.',
      apiKeys: config.apiKeys,
      apiKeysSetting: 'HUBBUB_API_KEYS',
      onKeyLimited: () => metrics.limited('key_requests'),
      audit: (entry, spanFields) => logRequest(log, entry, spanFields),
      fieldCodes: FIELD_CODES,
      routes: [
        ...messageRoutes(parts),
        batchRoute(parts),
        ...operationRoutes(parts),
        // Messages name their target in the body of /messages.
        ...[
          ...controlRoutes(parts),
          ...readRoutes(parts),
          ...explainRoutes(parts),
          ...revocationRoutes(parts),
          ...tokenRoutes(parts),
        ].flatMap(withIdsBesidePath),
      ],
    }),
  );
  return server;
}

function presenceOf({ presenceUrl, presenceApiKeys: [apiKey] }: Config): PresenceOptions | undefined {
  return presenceUrl === undefined || apiKey === undefined ? undefined : { url: presenceUrl, apiKey };
}

function mintOf(config: Config): TokenMint | undefined {
  const key = config.jwtSecret ?? (usesDevelopmentSecret(config) ? DEVELOPMENT_JWT_SECRET : undefined);
  if (!config.apiTokens || key === undefined) return undefined;
  const { jwtIssuer: issuer, jwtAudience: [audience] = [] } = config;
  return createTokenMint({
    key,
    algorithm: config.jwtSecretAlgorithm,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  });
}

function logRequest(
  log: Logger,
  { key, operation, targets, messages, result }: AuditEntry,
  spanFields: SpanLogFields | undefined,
): void {
  log.info(
    {
      event: 'api_request',
      key,
      operation,
      targets,
      ...(messages !== undefined && { messages }),
      result,
      ...spanFields,
    },
    'a back end changed something, or was refused',
  );
}

function tellWhatIsClosed(config: Config, log: Logger): void {
  if (config.apiKeys.length === 0) {
    log.warn({ event: 'api_closed' }, 'HUBBUB_API_KEYS is not set: the API is closed, every request is answered 401');
  }
  if (presenceOf(config) === undefined) {
    log.warn(
      { event: 'presence_unknown' },
      'HUBBUB_PRESENCE_URL or HUBBUB_PRESENCE_API_KEYS is not set: questions of rosters and users are answered 503',
    );
  }
}

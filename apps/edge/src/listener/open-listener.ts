/** Opens the public port of an edge according to its configuration. */
import type { OnlineCounter } from '@hubbub/broker';
import type { Config, RequestSources } from '@hubbub/config';
import { type Logger, listening } from '@hubbub/runtime';
import { assertHost } from '../admission/admission.js';
import { Heartbeats } from '../event-streams/heartbeats.js';
import type { PublishOverHttp } from '../event-streams/publish-over-http.js';
import type { Limits } from '../limits/create-limits.js';
import { createClientAddresses } from './client-address.js';
import type { EngineModule } from './engine.js';
import { allowOrigin, type PageHandler, VARIES_BY_ORIGIN } from './http-answers.js';
import type { ConnectionEvents } from './listener-events.js';
import type { TlsFiles } from './tls-files.js';
import type { Topics } from './topics.js';
import { listenForWebSockets, type WebSocketListener } from './websocket.js';

export interface ListenerParts {
  readonly engine: EngineModule;
  readonly topics: Topics;
  readonly limits: Limits;
  readonly sources: RequestSources;
  readonly online: OnlineCounter;
  /** Further pages, by path. */
  readonly pages: Pages;
  readonly portSetting: string | undefined;
  readonly events: ConnectionEvents;
  readonly publish: PublishOverHttp;
  readonly log: Logger;
}

/** The transport's bound exceeds the frame limit, so that a slightly too large frame gets an answer, not a disconnect. */
const PAYLOAD_BOUND_FACTOR = 4;
const PAYLOAD_BOUND_MIN_BYTES = 65_536;

/** Resolves when the port is bound. @throws {Error} with the fix if binding fails, or with the problem of the TLS files */
export async function openListener(config: Config, parts: ListenerParts) {
  const { engine, topics, limits, sources, portSetting = 'HUBBUB_PORT', log } = parts;
  const onlinePath = `${config.basePath}/ws/online`;
  const heartbeats = new Heartbeats(config.pingIntervalMs);
  let certificateExpiresAtMs = 0;
  const tls = tlsFiles(config, expiresAtMs => {
    certificateExpiresAtMs = expiresAtMs;
  });
  const options = {
    ...config,
    maxPayloadBytes: Math.max(PAYLOAD_BOUND_MIN_BYTES, PAYLOAD_BOUND_FACTOR * config.maxFrameBytes),
    tls,
    topics,
    heartbeats,
    addresses: createClientAddresses({ ...config, onMalformed: limits.metrics.malformedForwardedFor }),
    gate: limits.gate,
    limitMetrics: limits.metrics,
    pages: checkHosts(sources, { ...parts.pages, [onlinePath]: onlinePage(parts.online) }),
    openPages: [onlinePath],
    corsHeaders: (origin: string, host: string) =>
      origin !== '' && sources.isOriginAllowed(origin, host) ? allowOrigin(origin) : VARIES_BY_ORIGIN,
    events: parts.events,
    publish: parts.publish,
  };
  const address = { host: config.host, port: config.port, hostSetting: 'HUBBUB_HOST', portSetting };
  const listener = await listening(address, () => listenForWebSockets(engine, options));
  return {
    port: listener.port,
    /** 0 without TLS. */
    get certificateExpiresAtMs() {
      return certificateExpiresAtMs;
    },
    stopListening: () => listener.stopListening(),
    /** Sessions that read server-sent events. */
    streams: () => heartbeats.size,
    close() {
      heartbeats.close();
      listener.close();
    },
    /** Reads the TLS files again, for new connections. Wrong files are logged, and the old certificate stays. */
    renewCertificate: tls && (() => void renewCertificate(listener, log)),
  };
}

function tlsFiles(
  { tlsCertFile, tlsKeyFile, tlsCiphers }: Config,
  onCertificate: TlsFiles['onCertificate'],
): TlsFiles | undefined {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  return { certFile: tlsCertFile, keyFile: tlsKeyFile, ciphers: tlsCiphers, onCertificate };
}

async function renewCertificate(listener: WebSocketListener, log: Logger): Promise<void> {
  try {
    await listener.renewCertificate();
    log.info({ event: 'certificate_renewed' }, 'new connections get the certificate that is in the files now');
  } catch (error) {
    log.error({ event: 'certificate_not_renewed', err: error }, 'the certificate could not be read: the old one stays');
  }
}

type Pages = Readonly<Record<string, PageHandler>>;

function checkHosts(sources: RequestSources, pages: Pages): Pages {
  const guarded = Object.entries(pages).map(([path, page]): [string, PageHandler] => [
    path,
    request => {
      assertHost(request.host, sources);
      return page(request);
    },
  ]);
  return Object.fromEntries(guarded);
}

/** `GET /ws/online`: users online in the whole cluster. */
function onlinePage(online: OnlineCounter): PageHandler {
  return async () => ({ contentType: 'application/json', body: JSON.stringify({ online: await online.total() }) });
}

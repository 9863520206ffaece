/** The options of a client, with their defaults. */
import type { AnyEvents, Codec, Frame, HubbubError, Pace } from '@hubbub/protocol';
import { isTimerMs, MAX_TIMER_MS } from './calls.js';
import { defined } from './defined.js';
import { isOffset } from './resume-frames.js';
import type { TokenOption } from './token.js';
import type { OpenTransport } from './transport.js';
import type { WireCodec } from './wire.js';

export interface ClientOptions<Events = AnyEvents, Sent = Events> {
  /**
   * Where an edge listens: `wss://host/ws`, or `…/rooms/<room>/ws` for a session that is in that room from the start.
   * `http(s):` is read as `ws(s):`; in a page a relative URL works too.
   */
  readonly url: string;
  /**
   * A JWT, or a function that returns one. The client calls the function before every attempt to connect, and again before the
   * token's `exp`. Then the session gets the new token (`refresh`) and continues; if it cannot, the client moves to a new
   * connection, and nothing is lost. Without a token, sessions are anonymous; a namespace may admit those.
   */
  readonly token?: TokenOption;
  /** How frames are written. Default: JSON; MessagePack is `msgpackCodec` of `@hubbub/client/msgpack`. */
  readonly codec?: Codec;
  /** Milliseconds from dialling (the token callback included) to `welcome`. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds to wait for the answer to a frame. Default 10,000. */
  readonly ackTimeoutMs?: number;
  /** Milliseconds: upper bound of the first delay before a reconnect. Default: what the edge proposes; 1,000 before that. */
  readonly baseDelayMs?: number;
  /** Milliseconds: upper bound of every delay before a reconnect. Default: what the edge proposes; 30,000 before that. */
  readonly maxDelayMs?: number;
  /** Milliseconds that a session must have lasted for the delays to start small again. Default 5,000. */
  readonly stableAfterMs?: number;
  /** Milliseconds of silence after which the edge is pinged. Default: what the edge proposes, 25,000 without a proposal. */
  readonly heartbeatIntervalMs?: number;
  /** Milliseconds to wait for any sign of life after that ping. Default 10,000. */
  readonly heartbeatTimeoutMs?: number;
  /** Frames that wait for a connection or for their room; one more is refused with `UNAVAILABLE`. Default 100. */
  readonly offlineQueueSize?: number;
  /**
   * The fate of a message in a room **without** history whose connection broke before its answer. False rejects it as
   * `OUTCOME_UNKNOWN`; true sends it again with the same `id`. Default false: there the edge cannot recognize the second copy,
   * and the room may see both. With history it is always sent again, and never doubled.
   */
  readonly retryInFlight?: boolean;
  /**
   * Uses server-sent events and POST where WebSockets are blocked, for example by a proxy: after two attempts that never
   * opened. `client.transport` names what is in use. False only ever uses WebSockets. Default true; not with `openTransport`.
   */
  readonly fallBackToEvents?: boolean;
  /** Checks payloads by schemas, which also name the events: `payloadSchemas` of `@hubbub/client/schemas`. */
  readonly check?: PayloadCheck<Events, Sent>;
  /** Dials instead of the platform's WebSocket: for tests and for environments with a socket of their own. */
  readonly openTransport?: OpenTransport;
}

/** The options with every gap filled. */
export type Settings = Readonly<
  Required<Omit<ClientOptions, 'codec' | 'openTransport' | 'token' | 'check'>> &
    Pick<ClientOptions, 'token'> & { codec: WireCodec; check: PayloadCheck<unknown, unknown> }
>;

/** A check of payloads, made by `payloadSchemas` of `@hubbub/client/schemas`. */
export interface PayloadCheck<Events, Sent> {
  /**
   * Returns the frame as the application gets it.
   * @param ignore where the frame arrived: takes it if its payload is invalid; then a `room_offset` comes in its place
   * @throws {HubbubError} `INVALID_PAYLOAD` for a frame that is to be sent
   */
  (frame: Frame, ignore?: (ignored: { readonly frame: Frame; readonly error: HubbubError }) => void): Frame;
  /** For types only. */
  readonly events?: { readonly received: Events; readonly sent: Sent };
}

const DEFAULTS = {
  codec: { encoding: 'json' },
  check: frame => frame,
  connectTimeoutMs: 10_000,
  ackTimeoutMs: 10_000,
  baseDelayMs: 1_000,
  maxDelayMs: 30_000,
  stableAfterMs: 5_000,
  heartbeatIntervalMs: 25_000,
  heartbeatTimeoutMs: 10_000,
  offlineQueueSize: 100,
  retryInFlight: false,
  fallBackToEvents: true,
} as const satisfies Partial<Settings>;

/** @throws {TypeError} naming every option that is wrong, and what would be right. */
export function resolveOptions(options: ClientOptions): Settings {
  const settings = { ...DEFAULTS, ...defined(options) } as Settings;
  const problems: string[] = [];
  const url = socketUrl(settings.url);
  if (url === undefined) {
    problems.push(
      `url must be a ws:, wss:, http: or https: URL, or relative in a page; got ${JSON.stringify(settings.url)}`,
    );
  }
  if (!['string', 'function', 'undefined'].includes(typeof settings.token)) {
    problems.push('token must be a string or a function');
  }
  for (const [name, value] of Object.entries(settings)) {
    if (name.endsWith('Ms') && !isTimerMs(value)) problems.push(`${name} must be 0 to ${MAX_TIMER_MS} milliseconds`);
  }
  if (!isOffset(settings.offlineQueueSize)) {
    problems.push('offlineQueueSize must be a whole number');
  }
  if (problems.length > 0) throw new TypeError(`HubbubClient options: ${problems.join('; ')}.`);
  return { ...settings, url: url as string };
}

/** Takes over the pace that an edge proposes, until the next `welcome`. The application's own choices stay. */
export function adoptPace(
  settings: Settings,
  options: ClientOptions,
  { ping_interval_ms, backoff }: Partial<Pace>,
): void {
  const proposed = {
    heartbeatIntervalMs: ping_interval_ms,
    baseDelayMs: backoff?.base_ms,
    maxDelayMs: backoff?.cap_ms,
  };
  for (const [key, value] of Object.entries(proposed)) {
    const name = key as keyof typeof proposed;
    (settings as Record<typeof name, number>)[name] =
      options[name] ?? (value && isTimerMs(value) ? value : DEFAULTS[name]);
  }
}

/** The URL with one more parameter, or several, in its query. */
export function withQuery(url: string, query: string): string {
  return query ? `${url}${url.includes('?') ? '&' : '?'}${query}` : url;
}

/** The absolute `ws:` or `wss:` URL of an edge, without a fragment, which a WebSocket would refuse; `undefined` where it is not one. */
export function socketUrl(url: string): string | undefined {
  const page = (globalThis as { location?: { href?: string } }).location?.href;
  // By text and not by `URL`, whose parts cannot be set in React Native.
  const isRelative = url && !/^[a-z][a-z0-9+.-]*:/i.test(url);
  const absolute = isRelative && page ? new URL(url, page).href : String(url);
  const socket = absolute.replace(/^http/i, 'ws').replace(/#.*/, '');
  return /^wss?:\/\/[^\s/?]\S*$/i.test(socket) ? socket : undefined;
}

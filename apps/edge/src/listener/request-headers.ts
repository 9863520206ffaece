/** The headers of a handshake: a repeated one is joined if HTTP defines it as a list, and else refused. */
import { HubbubError } from '@hubbub/protocol';
import type { HttpRequest } from './engine.js';

const LIST = 'sec-websocket-protocol';
/** Of two, a proxy and an edge could each believe another one. */
const SINGLE: ReadonlySet<string> = new Set(['authorization', 'host', 'origin', 'sec-websocket-key']);

export interface HandshakeHeaders {
  /** Empty text where the header is missing. */
  readonly authorization: string;
  readonly host: string;
  readonly origin: string;
  /** Every offer, joined by commas (RFC 6455 section 11.3.4). */
  readonly subprotocols: string;
  /** A header that may stand there once only, and does not. */
  readonly repeated: string | undefined;
}

/** `getHeader` knows only the first of several. */
export function handshakeHeaders(request: Pick<HttpRequest, 'forEach'>): HandshakeHeaders {
  const single = new Map<string, string>();
  const offers: string[] = [];
  let repeated: string | undefined;
  request.forEach((name, value) => {
    if (name === LIST) offers.push(value);
    if (!SINGLE.has(name)) return;
    if (single.has(name)) repeated = name;
    single.set(name, value);
  });
  return {
    authorization: single.get('authorization') ?? '',
    host: single.get('host') ?? '',
    origin: single.get('origin') ?? '',
    subprotocols: offers.join(','),
    repeated,
  };
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function assertSingleHeaders({ repeated }: HandshakeHeaders): void {
  if (repeated !== undefined) throw new HubbubError('INVALID_FORMAT', `The header ${repeated} stands there twice.`);
}

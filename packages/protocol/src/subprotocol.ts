/** WebSocket subprotocols: which encoding a client wants, and the token it may hide among them (PROTOCOL.md section 1). */
import type { Encoding } from './codec.js';
import { HubbubError } from './errors.js';

export const SUBPROTOCOLS: Readonly<Record<Encoding, string>> = {
  json: 'hubbub.v1.json',
  msgpack: 'hubbub.v1.msgpack',
};

/** Begins every name of ours, those of other versions included. */
const OWN_PREFIX = 'hubbub.';
const TOKEN_PREFIX = 'bearer.';
/**
 * RFC 7519: three base64url parts; the signature of an unsigned token is empty. The first part is a JSON object; its brace
 * becomes an `e`. `hubbub.v1.json` has three parts too, and is not a token.
 */
const BARE_TOKEN = /^e[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

export interface SubprotocolChoice {
  readonly encoding: Encoding;
  /** The edge's answer in `Sec-WebSocket-Protocol`; `undefined` when nothing was offered. */
  readonly selected?: string;
  readonly token?: string;
}

/**
 * Chooses among the comma-separated offers of a `Sec-WebSocket-Protocol` header.
 * @throws {HubbubError} `UNSUPPORTED_SUBPROTOCOL` where the client speaks Hubbub, but no version that this edge knows.
 */
export function chooseSubprotocol(header: string): SubprotocolChoice {
  if (header === '') return { encoding: 'json' };
  const offers = header
    .split(',')
    .map(offer => offer.trim())
    .filter(offer => offer !== '');
  const known = offers.find(offer => offer === SUBPROTOCOLS.json || offer === SUBPROTOCOLS.msgpack);
  const foreign = offers.find(offer => offer.startsWith(OWN_PREFIX));
  if (known === undefined && foreign !== undefined) {
    const spoken = Object.values(SUBPROTOCOLS).join(', ');
    throw new HubbubError(
      'UNSUPPORTED_SUBPROTOCOL',
      `This edge does not speak the offered version. It speaks ${spoken}.`,
    );
  }
  const tokenOffer = offers.find(offer => offer.startsWith(TOKEN_PREFIX) || BARE_TOKEN.test(offer));
  const token = tokenOffer?.startsWith(TOKEN_PREFIX) ? tokenOffer.slice(TOKEN_PREFIX.length) : tokenOffer;
  // A browser that offered something fails the connection unless one of its offers is selected.
  const selected = known ?? tokenOffer;
  return {
    encoding: known === SUBPROTOCOLS.msgpack ? 'msgpack' : 'json',
    ...(selected !== undefined && { selected }),
    ...(token !== undefined && { token }),
  };
}

/** The subprotocols a client offers: its encoding and, where headers cannot be set, its token. */
export function offerSubprotocols(encoding: Encoding, token?: string): string[] {
  const offers = [SUBPROTOCOLS[encoding]];
  if (token !== undefined) offers.push(`${TOKEN_PREFIX}${token}`);
  return offers;
}

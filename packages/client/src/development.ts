/** A transport that explains failed handshakes. An entry of its own (`@hubbub/client/development`): pages in production do not carry it. */
import { isErrorCode } from '@hubbub/protocol';
import { openTransport } from '#transport';
import { ABNORMAL, type Closing } from './errors.js';
import { withQuery } from './options.js';
import type { OpenTransport, TransportRequest } from './transport.js';

const TIMEOUT_MS = 5_000;

/**
 * The platform's transport, for development. Browsers report each failed handshake as 1006, without a reason. This transport
 * then requests the same URL over HTTP, with the token: an edge in development answers with the reason (PROTOCOL.md section 1.9).
 * `state` events and the rejection of `connect()` contain it. A wrong path ends the client, as it does in Node.
 *
 * @example
 * const openTransport = location.hostname === 'localhost' ? explainingTransport : undefined;
 * const client = new HubbubClient({ url, token, ...(openTransport && { openTransport }) });
 */
export const explainingTransport: OpenTransport = (request, listener) => {
  let hasOpened = false;
  return openTransport(request, {
    opened() {
      hasOpened = true;
      listener.opened();
    },
    received: data => listener.received(data),
    closed(closing) {
      if (hasOpened || closing.code !== ABNORMAL || closing.reason !== '') listener.closed(closing);
      else void explain(request).then(reason => listener.closed({ ...closing, ...reason }));
    },
  });
};

type Explanation = Pick<Closing, 'reason' | 'refusal'>;

/** Never rejects. */
async function explain({ url, protocols }: TransportRequest): Promise<Explanation> {
  const address = url.replace(/^ws/i, 'http');
  const token = protocols.find(offer => offer.startsWith('bearer.'))?.slice('bearer.'.length);
  // In the query: a header needs a preflight, which a wrong path does not answer.
  const asked = withQuery(address, token === undefined ? '' : `token=${token}`);
  try {
    const response = await fetch(asked, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return await readAnswer(response, address);
  } catch {
    // Refused, or an answer that this page may not read: only the latter passes without reading.
    const isThere = await fetch(address, { mode: 'no-cors', signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
      () => true,
      () => false,
    );
    if (!isThere) return { reason: `nothing answers at ${address}; check host and port, and that the edge runs` };
    return { reason: `${address} answers, but not as an edge in development; check the path and the allowed origins` };
  }
}

async function readAnswer(response: Response, address: string): Promise<Explanation> {
  const { code, message } = (await response.json().catch(() => ({}))) as { code?: unknown; message?: unknown };
  if (!isErrorCode(code))
    return { reason: `${address} answers HTTP ${response.status}, and is not an edge; check the URL` };
  if (code !== 'UPGRADE_REQUIRED') return { reason: String(message), refusal: { code, message: String(message) } };
  return { reason: 'the edge accepts this request, so something between blocks WebSockets, such as a proxy' };
}

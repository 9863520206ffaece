/** The header of a token, read before anything is verified: it may only point to a key, never choose its algorithm. */
import { HubbubError, isPlainObject } from '@hubbub/protocol';

export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

/** The headers of a request have at most so much (HUBBUB_MAX_HEADER_BYTES), and so has no honest token more. */
const TOKEN_MAX_CHARACTERS = 65_536;

/** @throws {HubbubError} `UNAUTHORIZED` */
export function readTokenHeader(token: string): TokenHeader {
  const header = token.length > TOKEN_MAX_CHARACTERS ? undefined : decode(token);
  if (header === undefined || typeof header.alg !== 'string') throw notValid();
  // Extensions that must be understood (RFC 7515 section 4.1.11): we understand none, and an empty list is an error, too.
  if (Object.hasOwn(header, 'crit')) {
    throw new HubbubError('UNAUTHORIZED', 'The token asks for extensions (crit) that are not understood here.');
  }
  const { alg, kid } = header;
  return { alg, kid: typeof kid === 'string' ? kid : undefined };
}

export function notValid(): HubbubError {
  return new HubbubError('UNAUTHORIZED', 'The token is not valid.');
}

function decode(token: string): Readonly<Record<string, unknown>> | undefined {
  const end = token.indexOf('.');
  if (end <= 0) return undefined;
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, end), 'base64url').toString());
    return isPlainObject(header) ? header : undefined;
  } catch {
    return undefined; // Not JSON: not a token.
  }
}

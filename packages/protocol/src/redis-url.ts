/** Redis URLs: one parser for the setting that is checked and for the connection that is made. */

const EXPECTED = 'expected a URL like redis://127.0.0.1:6379';
const DEFAULT_PORT = 6379;
const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/;
/** Redis takes up to 2^31 - 1 databases; five digits are more than any server has. */
const DATABASE = /^\d{1,5}$/;

/** The parts of a connection; absent if the URL does not name them. */
export type RedisAddress =
  | { readonly path: string; readonly db: number }
  | {
      /** IPv6 without brackets. */
      readonly host: string;
      readonly port: number;
      readonly username?: string;
      readonly password?: string;
      readonly db: number;
      readonly tls: boolean;
      /** Of the addresses that the host's name has: 4, 6, or 0 for both. */
      readonly family?: 0 | 4 | 6;
    };

/**
 * Reads `redis://user:password@host:6379/0`, `rediss://…` (TLS) and `unix:///path`.
 *
 * @throws {TypeError} that names the problem and never quotes the URL
 * @example parseRedisUrl('redis://:a%2Fb@h') // { host: 'h', port: 6379, password: 'a/b', db: 0, tls: false }
 */
export function parseRedisUrl(url: string): RedisAddress {
  const [, scheme, rest = ''] = /^(rediss?|unix):\/\/(.*)$/s.exec(url) ?? [];
  if (scheme === undefined) throw new TypeError(EXPECTED);
  // The URL parser removes tabs and line breaks silently.
  if (/[\s\p{Cc}]/u.test(rest)) throw problem('spaces or line breaks in it are written as %20, %0A or %0D');
  return scheme === 'unix' ? unixAddress(rest) : tcpAddress(rest, scheme === 'rediss');
}

function unixAddress(rest: string): RedisAddress {
  const [path = '', query, more] = rest.split('?');
  if (!path.startsWith('/') || more !== undefined) throw problem('unix:// is followed by an absolute path');
  if (query === undefined) return { path, db: 0 };
  return { path, db: database(/^db=(.*)$/.exec(query)?.[1] ?? '') };
}

function tcpAddress(rest: string, tls: boolean): RedisAddress {
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const after = end < 0 ? '' : rest.slice(end);
  if (after.includes('@') || after.includes('#')) {
    throw problem('in a user or password / is written as %2F, ? as %3F and # as %23');
  }
  const at = authority.lastIndexOf('@');
  const [, host = '', port] = /^(.*?)(?::([^:\]]*))?$/.exec(authority.slice(at + 1)) ?? [];
  if (host === '') throw problem('the host is missing');
  if (!HOST.test(host)) throw problem('the host is a name or an address, IPv6 in brackets');
  const [path = '', query] = after.split('?');
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? DEFAULT_PORT : portNumber(port),
    ...(at >= 0 && credentials(authority.slice(0, at))),
    db: path === '' || path === '/' ? 0 : database(path.slice(1)),
    tls,
    ...(query !== undefined && { family: family(query) }),
  };
}

function credentials(text: string): { username?: string; password?: string } {
  const colon = text.indexOf(':');
  const [username, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  try {
    return {
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
    };
  } catch {
    throw problem('in a user or password % is written as %25'); // The cause would quote it.
  }
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw problem('the port is a number from 1 to 65535');
}

function database(text: string): number {
  if (DATABASE.test(text)) return Number(text);
  throw problem('the database is a number, as in redis://127.0.0.1:6379/0');
}

function family(query: string): 0 | 4 | 6 {
  if (query === 'family=4') return 4;
  if (query === 'family=6') return 6;
  if (query === 'family=0') return 0;
  throw problem('the only option is ?family=4, 6 or 0');
}

function problem(reason: string): TypeError {
  return new TypeError(`${EXPECTED}; ${reason}`);
}

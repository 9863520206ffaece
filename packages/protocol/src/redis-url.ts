/** Redis URLs: one parser for the setting that is checked and for the connection that is made. */

const EXPECTED = 'expected a URL like redis://127.0.0.1:6379';
const DEFAULT_PORT = 6379;
/** As Sentinel's configuration takes it, without what a URL would need to escape. */
const PRIMARY_NAME = /^[A-Za-z0-9._-]{1,128}$/;
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

/** Where the servers of a cluster of Hubbub are, and how they share its keys and channels. */
export type RedisLocation =
  /** One server. */
  | { readonly topology: 'standalone'; readonly server: RedisAddress }
  /** The primary that Sentinels name. */
  | {
      readonly topology: 'sentinel';
      readonly sentinels: readonly RedisHost[];
      /** The name of the monitored primary. */
      readonly primaryName: string;
      /** Login and database of the primary. */
      readonly login: RedisLogin;
      readonly sentinelLogin: Omit<RedisLogin, 'db'>;
      readonly tls: boolean;
    }
  /** A Redis Cluster; the nodes are where to begin. */
  | {
      readonly topology: 'cluster';
      readonly nodes: readonly RedisHost[];
      readonly login: RedisLogin;
      readonly tls: boolean;
    }
  /** Servers that do not know each other. The order decides which server holds a key: it is the same everywhere. */
  | { readonly topology: 'shards'; readonly servers: readonly RedisAddress[] };

export interface RedisHost {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
}

const SHARDS_MAX = 1024;

/**
 * Reads where Redis is:
 *
 * | URL | topology |
 * |---|---|
 * | `redis://user:password@host:6379/0`, `rediss://…` (TLS), `unix:///path` | one server |
 * | `redis+sentinel://user:password@host1:26379,host2:26379/<primary name>/0` | the primary that Sentinels name |
 * | `redis+cluster://user:password@host1:7001,host2:7002` | Redis Cluster |
 * | `redis://host1:6379,redis://host2:6379` | independent shards |
 *
 * `rediss+sentinel://` and `rediss+cluster://` use TLS. Sentinels with a login of their own:
 * `?sentinelUsername=…&sentinelPassword=…`.
 *
 * @throws {TypeError} that names the problem and never quotes the URL
 * @example parseRedisLocation('redis+cluster://h1:7001,h2:7001') // { topology: 'cluster', nodes: […], … }
 */
export function parseRedisLocation(url: string): RedisLocation {
  const [, scheme, rest = ''] = /^(rediss?\+(?:sentinel|cluster)):\/\/(.*)$/s.exec(url) ?? [];
  if (scheme?.endsWith('+sentinel')) return sentinelLocation(rest, scheme.startsWith('rediss'));
  if (scheme?.endsWith('+cluster')) return clusterLocation(rest, scheme.startsWith('rediss'));
  // A password may hold a comma: only one before the next URL separates.
  const urls = url.split(/,(?=(?:rediss?|unix):\/\/)/);
  if (urls.length === 1) return { topology: 'standalone', server: parseRedisUrl(url) };
  if (urls.length > SHARDS_MAX) throw problem(`there are at most ${SHARDS_MAX} shards`);
  return { topology: 'shards', servers: urls.map(parseRedisUrl) };
}

/**
 * Whether two URLs name the same servers in the same order, with the same login and database.
 * @throws {TypeError} as {@link parseRedisLocation}
 * @example isSameRedis('redis://h', 'redis://h:6379/0') === true
 */
export function isSameRedis(one: string, other: string): boolean {
  return JSON.stringify(parseRedisLocation(one)) === JSON.stringify(parseRedisLocation(other));
}

function sentinelLocation(rest: string, tls: boolean): RedisLocation {
  refuseSpaces(rest);
  const [, authority = '', path = '', query] = /^([^/?#]*)([^?]*)(?:\?(.*))?$/.exec(rest) ?? [];
  const [, primaryName = '', db, more] = path.split('/');
  if (!PRIMARY_NAME.test(primaryName) || more !== undefined) {
    throw problem('the hosts of the Sentinels are followed by /<primary name> and, optionally, /<database>');
  }
  const options = new URLSearchParams(query ?? '');
  const [sentinelUsername, sentinelPassword] = ['sentinelUsername', 'sentinelPassword'].map(name => {
    const value = options.get(name);
    options.delete(name);
    return value ?? undefined;
  });
  if (options.size > 0) throw problem('the only options are sentinelUsername and sentinelPassword');
  const { hosts, login } = hostsAndLogin(authority, 26_379);
  return {
    topology: 'sentinel',
    sentinels: hosts,
    primaryName,
    login: { ...login, db: db === undefined || db === '' ? 0 : database(db) },
    sentinelLogin: {
      ...(sentinelUsername !== undefined && { username: sentinelUsername }),
      ...(sentinelPassword !== undefined && { password: sentinelPassword }),
    },
    tls,
  };
}

function clusterLocation(rest: string, tls: boolean): RedisLocation {
  refuseSpaces(rest);
  const [, authority = '', after = ''] = /^([^/?#]*)(.*)$/s.exec(rest) ?? [];
  if (after !== '' && after !== '/') throw problem('a Redis Cluster has only database 0, and there are no options');
  const { hosts, login } = hostsAndLogin(authority, DEFAULT_PORT);
  return { topology: 'cluster', nodes: hosts, login: { ...login, db: 0 }, tls };
}

function hostsAndLogin(authority: string, defaultPort: number): { hosts: RedisHost[]; login: Omit<RedisLogin, 'db'> } {
  const at = authority.lastIndexOf('@');
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map(text => hostAndPort(text, defaultPort));
  return { hosts, login: at >= 0 ? credentials(authority.slice(0, at)) : {} };
}

function hostAndPort(text: string, defaultPort: number): RedisHost {
  const [, host = '', port] = /^(.*?)(?::([^:\]]*))?$/.exec(text) ?? [];
  if (host === '') throw problem('the host is missing');
  if (!HOST.test(host)) throw problem('the host is a name or an address, IPv6 in brackets');
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? defaultPort : portNumber(port) };
}

/**
 * Reads the URL of one server: `redis://user:password@host:6379/0`, `rediss://…` (TLS) or `unix:///path`.
 *
 * @throws {TypeError} that names the problem and never quotes the URL
 * @example parseRedisUrl('redis://:a%2Fb@h') // { host: 'h', port: 6379, password: 'a/b', db: 0, tls: false }
 */
export function parseRedisUrl(url: string): RedisAddress {
  const [, scheme, rest = ''] = /^(rediss?|unix):\/\/(.*)$/s.exec(url) ?? [];
  if (scheme === undefined) throw new TypeError(EXPECTED);
  refuseSpaces(rest);
  return scheme === 'unix' ? unixAddress(rest) : tcpAddress(rest, scheme === 'rediss');
}

/** The URL parser removes tabs and line breaks silently. */
function refuseSpaces(rest: string): void {
  if (/[\s\p{Cc}]/u.test(rest)) throw problem('spaces or line breaks in it are written as %20, %0A or %0D');
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
  const [path = '', query] = after.split('?');
  return {
    ...hostAndPort(authority.slice(at + 1), DEFAULT_PORT),
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

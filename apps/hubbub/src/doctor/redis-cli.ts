/** The call of redis-cli that leads to one server, for the advice of doctor. */
import type { RedisShard } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import { parseRedisLocation, type RedisLocation } from '@hubbub/protocol';

/** Every advice has it, and `redisCli` replaces it. */
export const REDIS_CLI = 'redis-cli -u "$HUBBUB_REDIS_URL"';

interface Target {
  readonly host: string;
  readonly port: number | string;
  readonly username?: string | null | undefined;
  readonly password?: string | null | undefined;
  readonly tls?: unknown;
}

/**
 * redis-cli takes the URL of one server, and no other.
 * @param shard the server; without it, and for a primary that Sentinels do not name, the first server of the URL
 */
export function redisCli(config: Config, url: string, shard?: RedisShard): string {
  const location = parseRedisLocation(url);
  const certificates = certificateOptions(config);
  if (location.topology === 'standalone') {
    const { server } = location;
    return 'path' in server ? `redis-cli -s ${server.path}` : [REDIS_CLI, ...certificates].join(' ');
  }
  if (shard?.name.startsWith('/')) return `redis-cli -s ${shard.name}`;
  const target = serverOf(location, shard) ?? entryOf(location);
  if (target === undefined) return REDIS_CLI;
  const { host, port, username, password, tls } = target;
  return [
    `redis-cli -h ${host} -p ${port}`,
    ...(tls ? ['--tls', ...certificates] : []),
    ...(username ? [`--user '${username}'`] : []),
    ...(password ? ['--askpass'] : []),
  ].join(' ');
}

function serverOf({ topology }: RedisLocation, shard: RedisShard | undefined): Target | undefined {
  if (shard === undefined) return undefined;
  const { name, commands } = shard;
  const { remoteAddress, remotePort } = commands.stream ?? {};
  const [host, port] = topology === 'sentinel' ? [remoteAddress, remotePort] : name.split(/:(?=\d+$)/);
  return host === undefined || port === undefined ? undefined : { ...commands.options, host, port };
}

function entryOf(location: RedisLocation): Target | undefined {
  const { topology } = location;
  const [first, login] =
    topology === 'cluster'
      ? [location.nodes[0], location.login]
      : topology === 'sentinel'
        ? [location.sentinels[0], location.sentinelLogin]
        : [];
  return first && { ...login, ...first, tls: 'tls' in location && location.tls };
}

function certificateOptions({ redisTlsCaFile, redisTlsCertFile }: Config): string[] {
  return [
    ...(redisTlsCaFile === undefined ? [] : ['--cacert "$HUBBUB_REDIS_TLS_CA_FILE"']),
    ...(redisTlsCertFile === undefined
      ? []
      : ['--cert "$HUBBUB_REDIS_TLS_CERT_FILE" --key "$HUBBUB_REDIS_TLS_KEY_FILE"']),
  ];
}

/** A real Redis for a test: it can be queried, frozen and restarted, and is removed afterwards. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { openRedisTopology, type RedisTopology, type RedisTopologyOptions } from '@hubbub/broker';
import {
  askRedisOnce,
  connectRedis,
  type KeptData,
  type RedisServer,
  startRedis as startRedisProgram,
} from '@hubbub/tools/kit';
import type { Redis, RedisOptions } from 'ioredis';
import { inject } from 'vitest';
import { cleanup } from './cleanup.js';
import { provisionOwnRedis, type RedisSource } from './provision.js';
import { startRedisContainer, useSharedRedis } from './redis-sources.js';
import { findProgram } from './system-packages.js';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** For HUBBUB_REDIS_PREFIX: every key and channel of the test must begin with it. */
  readonly prefix: string;
  /** `undefined` if the server is not our process. Changes with a restart. */
  readonly pid: number | undefined;
  /** The output of redis-cli for a command, without the last line break. */
  cli(...args: string[]): Promise<string>;
  /** An ioredis client, closed when Redis is stopped. */
  connection(options?: RedisOptions): Redis;
  /** Redis as the product's processes open it, closed when Redis is stopped. By default commands wait for the connection. */
  topology(options?: Partial<RedisTopologyOptions> & { readonly url?: string }): RedisTopology;
  /** Freezes the server: connections stay open, but it does not answer. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the server immediately, as a crash does; `start` restarts it on the same port. Data is lost unless `keepData` is set. */
  halt(options?: { readonly keepData?: KeptData }): Promise<void>;
  start(): Promise<void>;
  /** `halt`, then `start`. */
  restart(options?: { readonly keepData?: KeptData }): Promise<void>;
  /** Called automatically at the end of the test, or of the file if started in `beforeAll`. */
  stop(): Promise<void>;
}

export interface StartRedisOptions {
  /** For tests that freeze, halt or restart it: a separate server even if HUBBUB_TEST_REDIS_URL is set. */
  readonly own?: boolean;
  /** Another program than redis-server, such as valkey-server; it implies a separate server. */
  readonly program?: string;
  /** More arguments of redis-server, for example `['--maxmemory', '64mb']`; they imply a separate server. */
  readonly args?: readonly string[];
}

/**
 * Starts a separate server on a free port. With HUBBUB_TEST_REDIS_URL it uses that server with a separate prefix, and
 * refuses to freeze or restart it.
 *
 * @example
 * const redis = await startRedis();
 * await redis.cli('PUBLISH', `${redis.prefix}:room:{general}`, '{"type":"build.finished"}');
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<TestRedis> {
  const { program, args = [], own = program !== undefined || args.length > 0 } = options;
  const prefix = `test-${randomBytes(4).toString('hex')}`;
  const source = own ? await ownSource(program) : inject('redisSource');
  const host = await startHost(source, args, prefix);
  const connections: Redis[] = [];
  const topologies: RedisTopology[] = [];
  let stopped: Promise<void> | undefined;

  const redis: TestRedis = {
    url: host.url,
    port: host.port,
    prefix,
    get pid() {
      return host.pid;
    },
    cli: (...words) => runCli(host.url, words),
    connection(options) {
      const connection = connectRedis(host.url, options);
      connections.push(connection);
      return connection;
    },
    topology({ url = host.url, ...options } = {}) {
      const settings = { commandTimeoutMs: 5000, waitForConnection: true, onError() {}, ...options };
      const topology = openRedisTopology(url, settings);
      topologies.push(topology);
      return topology;
    },
    pause: () => host.pause(),
    resume: () => host.resume(),
    halt: ({ keepData = false } = {}) => host.halt({ keepData }),
    start: () => host.start(),
    async restart({ keepData = false } = {}) {
      await host.halt({ keepData });
      await host.start();
    },
    stop() {
      for (const connection of connections.splice(0)) connection.disconnect();
      for (const topology of topologies.splice(0)) topology.close();
      stopped ??= host.dispose();
      return stopped;
    },
  };
  cleanup(redis.stop);
  return redis;
}

async function ownSource(program: string | undefined): Promise<RedisSource> {
  if (program !== undefined) return { kind: 'program', path: program };
  const source = inject('redisSource');
  return source.kind === 'url' ? await provisionOwnRedis() : source;
}

function startHost(source: RedisSource, args: readonly string[], prefix: string): Promise<RedisServer> | RedisServer {
  switch (source.kind) {
    case 'url':
      return useSharedRedis(source.url, prefix);
    case 'program':
      return startRedisProgram({ program: source.path, args });
    case 'container':
      return startRedisContainer(source.image, args);
  }
}

/** Prefers the real program: commands that people type in a shell must work. */
async function runCli(url: string, args: readonly string[]): Promise<string> {
  const program = findProgram(['redis-cli', 'valkey-cli']);
  if (program) {
    const { stdout } = await promisify(execFile)(program, ['-u', url, ...args]);
    return stdout.replace(/\n$/, '');
  }
  const [command = 'PING', ...rest] = args;
  const answer = await askRedisOnce(url, command, ...rest);
  return (Array.isArray(answer) ? answer : [answer]).join('\n');
}

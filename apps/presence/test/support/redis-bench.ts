/** Presence instances, edges and listeners on a real Redis. */
import { nodesKey, RedisNodeLeases, RedisOnlineCounter, RedisReportLog } from '@hubbub/broker';
import { createMetricsRegistry } from '@hubbub/runtime';
import { eventually } from '@hubbub/tools/kit';
import { cleanup } from '../../../../tests/support/cleanup.js';
import { startRedis, type TestRedis } from '../../../../tests/support/redis.js';
import { SILENT } from '../../../../tests/support/silent-logger.js';
import type { PresenceRules } from '../../src/partition/rules.js';
import { createRedisPresence } from '../../src/redis/redis-presence.js';
import type { Presence } from '../../src/start-presence.js';
import { EdgeDouble, type HeardFrame, readEnvelope } from './edge-double.js';

export interface RedisBench {
  readonly redis: TestRedis;
  readonly heard: HeardFrame[];
  readonly onlineCounter: RedisOnlineCounter;
  /** Waits until the first instance owns all partitions: it would fence earlier edges, and a double does not notice. */
  presence(instance: string, rules?: Partial<PresenceRules>): Promise<Presence>;
  edge(nodeId: string): Promise<EdgeDouble>;
  /** Kills an edge and expires its lease. */
  killEdge(edge: EdgeDouble): Promise<void>;
  /** Expires the lease of an instance that does not renew it. */
  expireInstance(instance: string): Promise<void>;
  /** The users of a room in the registry. */
  roster(room: string): Promise<string[]>;
}

/** A busy machine must not expire the lease of a double: only `expire` ends it. */
const NODE_LEASE_MS = 60_000;

export async function redisBench(): Promise<RedisBench> {
  const redis = await startRedis();
  const { prefix } = redis;
  const heard: HeardFrame[] = [];
  const ear = redis.connection();
  ear.on('pmessageBuffer', (_pattern: Buffer, channel: Buffer, bytes: Buffer) => {
    heard.push(readEnvelope(channel.toString(), bytes));
  });
  await ear.psubscribe(`${prefix}:room:*`, `${prefix}:node:*`);
  const commands = redis.connection();
  const topology = redis.topology();
  const log = new RedisReportLog({ redis: topology, prefix });
  let instances = 0;
  const nodeLeases = new RedisNodeLeases({ redis: topology, prefix, leaseMs: NODE_LEASE_MS });
  return {
    redis,
    heard,
    onlineCounter: new RedisOnlineCounter({ redis: topology, prefix, maxAgeMs: 0 }),
    async presence(instance, rules) {
      const presence = createRedisPresence({
        instance,
        prefix,
        redis: redis.topology(),
        nodeLeaseMs: NODE_LEASE_MS,
        logger: SILENT,
        metrics: createMetricsRegistry(),
        ...(rules !== undefined && { rules }),
      });
      cleanup(() => presence.close());
      if (instances++ === 0) await eventually(() => presence.partitionsOwned === 16);
      return presence;
    },
    async edge(nodeId) {
      const edge = new EdgeDouble(nodeId, log, nodeLeases);
      await edge.live();
      cleanup(() => edge.die());
      return edge;
    },
    async killEdge(edge) {
      edge.die();
      await commands.zadd(nodesKey(prefix, 'alive'), 'XX', 1, edge.incarnation);
    },
    async expireInstance(instance) {
      await commands.zadd(`${prefix}:presence:instances`, 'XX', 1, instance);
    },
    async roster(room) {
      for (let partition = 0; partition < 16; partition++) {
        const users = await commands.hkeys(`${prefix}:presence:{p${partition}}:room:${room}`);
        if (users.length > 0) return users.sort();
      }
      return [];
    },
  };
}

export async function heardEventually(bench: RedisBench, type: string, user: string): Promise<HeardFrame> {
  return eventually(() => bench.heard.find(frame => frame.type === type && userOf(frame) === user), {
    describe: `${type} ${user} is heard`,
  }) as Promise<HeardFrame>;
}

export function userOf(frame: HeardFrame): string | undefined {
  return (frame.payload.user as { id: string } | undefined)?.id;
}

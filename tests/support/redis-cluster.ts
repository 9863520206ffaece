/** A Redis Cluster of three primaries, with a replica each. */
import { CLUSTER_ARGS, eventually, formRedisCluster } from '@hubbub/tools/kit';
import { cleanup } from './cleanup.js';
import { startRedis, type TestRedis } from './redis.js';

/** Shorter than in production (15 s): each story waits for it. */
export const NODE_TIMEOUT_MS = 1500;
const PRIMARIES = 3;

export interface RedisCluster {
  /** `redis+cluster://…` */
  readonly url: string;
  readonly servers: readonly TestRedis[];
  /** The primary that has the slot of a name, as the living servers see it. */
  primaryOf(name: string): Promise<TestRedis>;
  /**
   * Moves the slot of a name to another primary; `between` runs when half of it is done: keys there, slot here.
   * Returns the number of keys that it moved.
   */
  moveSlot(name: string, between?: () => Promise<void>): Promise<number>;
  /** Makes the replica the primary of a name's slot, as an operator does. */
  failOver(name: string): Promise<void>;
  /** Kills the server (`kill -9`). */
  kill(server: TestRedis): Promise<void>;
  /** Starts a killed server; resolves when it is a replica that follows its primary. */
  revive(server: TestRedis): Promise<void>;
  freeze(server: TestRedis): Promise<void>;
  /** Resolves when the server is a replica that follows its new primary. */
  thaw(server: TestRedis): Promise<void>;
}

interface Node {
  readonly id: string;
  readonly server: TestRedis;
  readonly primaryId: string | undefined;
  readonly isFailed: boolean;
  readonly slots: readonly (readonly [from: number, to: number])[];
}

export interface RedisClusterOptions {
  /** Default true. */
  readonly replicas?: boolean;
  /** Another program than redis-server, such as valkey-server. */
  readonly program?: string;
}

export async function startRedisCluster({ replicas = true, program }: RedisClusterOptions = {}): Promise<RedisCluster> {
  const more = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-replica-validity-factor', '0'];
  const count = replicas ? 2 * PRIMARIES : PRIMARIES;
  const servers = await Promise.all(
    Array.from({ length: count }, () =>
      startRedis({ args: [...CLUSTER_ARGS, ...more], ...(program !== undefined && { program }) }),
    ),
  );
  const away = new Set<TestRedis>();
  const ask = (server: TestRedis, ...words: string[]) => server.cli('CLUSTER', ...words);
  const living = (): TestRedis => servers.find(server => !away.has(server)) as TestRedis;

  async function nodes(of = living()): Promise<Node[]> {
    return (await ask(of, 'NODES')).split('\n').flatMap(line => {
      const [id = '', address = '', flags = '', primaryId = '-', , , , , ...slots] = line.split(' ');
      const server = servers.find(({ port }) => address.includes(`:${port}@`));
      if (server === undefined) return [];
      const ranges = slots
        .filter(text => !text.startsWith('['))
        .map(text => text.split('-').map(Number))
        .map(([from = 0, to = from]) => [from, to] as const);
      return [
        {
          id,
          server,
          primaryId: primaryId === '-' ? undefined : primaryId,
          isFailed: /fail/.test(flags),
          slots: ranges,
        },
      ];
    });
  }
  async function nodeOf(name: string): Promise<Node> {
    const slot = Number(await ask(living(), 'KEYSLOT', name));
    const found = (await nodes()).find(({ slots }) => slots.some(([from, to]) => from <= slot && slot <= to));
    if (found === undefined) throw new Error(`No server has the slot ${slot}.`);
    return found;
  }

  async function follows(server: TestRedis): Promise<void> {
    const isFollowing = async () => /^slave[\s\S]*connected/.test(await server.cli('ROLE'));
    await eventually(isFollowing, { describe: 'the server is a replica that follows' });
  }

  const url = await formRedisCluster(servers, PRIMARIES);

  return {
    url,
    servers,
    primaryOf: async name => (await nodeOf(name)).server,
    async moveSlot(name, between = async () => {}) {
      const slot = await ask(living(), 'KEYSLOT', name);
      const from = await nodeOf(name);
      const to = (await nodes()).find(({ id, slots }) => slots.length > 0 && id !== from.id) as Node;
      await ask(to.server, 'SETSLOT', slot, 'IMPORTING', from.id);
      await ask(from.server, 'SETSLOT', slot, 'MIGRATING', to.id);
      let moved = 0;
      for (;;) {
        const keys = (await ask(from.server, 'GETKEYSINSLOT', slot, '100')).split('\n').filter(key => key !== '');
        if (keys.length === 0) break;
        await from.server.cli('MIGRATE', '127.0.0.1', String(to.server.port), '', '0', '5000', 'KEYS', ...keys);
        moved += keys.length;
      }
      await between();
      await ask(to.server, 'SETSLOT', slot, 'NODE', to.id);
      await ask(from.server, 'SETSLOT', slot, 'NODE', to.id);
      return moved;
    },
    async failOver(name) {
      const primary = await nodeOf(name);
      const replica = (await nodes()).find(({ primaryId }) => primaryId === primary.id) as Node;
      await ask(replica.server, 'FAILOVER');
    },
    async kill(server) {
      away.add(server);
      await server.halt();
    },
    async revive(server) {
      await server.start();
      await follows(server);
      away.delete(server);
    },
    async freeze(server) {
      away.add(server);
      await server.pause();
      cleanup(() => server.resume());
    },
    async thaw(server) {
      await server.resume();
      await follows(server);
      away.delete(server);
    },
  };
}

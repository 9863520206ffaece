/** The registry where rooms are on other servers than their partition. */
import { openRedisTopology, partitionKey, RedisBroker, type RedisTopology } from '@hubbub/broker';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis } from '../../../tests/support/redis.js';
import { startRedisCluster } from '../../../tests/support/redis-cluster.js';
import type { Claim, PartitionStore } from '../src/partition-store.js';
import { RedisPartitionStore } from '../src/redis/redis-partition-store.js';
import { partitionStoreConformance } from './partition-store-conformance.js';

const TOPOLOGIES: Readonly<Record<string, () => Promise<string>>> = {
  'two shards': async () => {
    const servers = [await startRedis({ own: true }), await startRedis({ own: true })];
    return servers.map(({ url }) => url).join(',');
  },
  'a Redis Cluster': async () => (await startRedisCluster({ replicas: false })).url,
};
const ROOMS = Array.from({ length: 12 }, (_, room) => `r:{${room}}`);

describe.each(Object.entries(TOPOLOGIES))('on %s', (_, start) => {
  let url: string;
  let count = 0;
  beforeAll(async () => {
    url = await start();
  }, PROVISION_TIMEOUT_MS);

  async function connect(): Promise<RedisTopology> {
    const redis = openRedisTopology(url, { commandTimeoutMs: 5000, onError() {} });
    cleanup(() => redis.close());
    await redis.connected(5000);
    return redis;
  }

  /** Hears the channels; each call waits for a message that was published after all others. */
  async function listen(channels: readonly string[]) {
    const broker = new RedisBroker(await connect());
    const heard = new Map<string, string[]>();
    broker.onEnvelope((channel, envelope) => {
      heard.set(channel, [...(heard.get(channel) ?? []), Buffer.from(envelope).toString()]);
    });
    for (const channel of channels) {
      await eventually(() => broker.subscribe(channel).then(() => true), { describe: `${channel} is subscribed` });
    }
    return async (channel: string): Promise<string[]> => {
      const texts = () => heard.get(channel) ?? [];
      const barriers = texts().filter(text => text === 'barrier').length;
      await broker.publish(channel, Buffer.from('barrier'));
      await eventually(() => texts().filter(text => text === 'barrier').length > barriers);
      return texts().filter(text => text !== 'barrier');
    };
  }

  const nextPrefix = () => `hubbub-${count++}`;

  partitionStoreConformance(async () => {
    const published = await listen(['c']);
    return { store: new RedisPartitionStore({ redis: await connect(), prefix: nextPrefix() }), published };
  });

  const claim = async (store: PartitionStore, instance: string): Promise<Claim> => {
    const claimed = await store.claim(3, instance, [instance]);
    if (claimed === undefined) throw new Error(`${instance} did not get the partition`);
    return claimed;
  };
  const commitOf = (sequence: number, text: string) => ({
    sequence,
    position: `${sequence + 1}-0`,
    hashes: [],
    lifecycle: [],
    publications: ROOMS.map(channel => ({ channel, head: text, body: '', kept: false })),
  });

  test('the next owner publishes, once, the messages of a commit whose owner died before it published them', async () => {
    const prefix = nextPrefix();
    const published = await listen(ROOMS);
    const redis = await connect();
    const lost: number[] = [];
    /** Dies between the commit and the publications: those of the first half of the rooms still go out. */
    const dying: RedisTopology = Object.create(redis, {
      run: {
        value: (name: string, command: Parameters<RedisTopology['run']>[1]) =>
          ROOMS.slice(6).some(room => name.startsWith(room))
            ? Promise.reject(new Error('the process is dead'))
            : redis.run(name, command),
      },
    });
    const first = new RedisPartitionStore({ redis: dying, prefix, onLost: count => lost.push(count) });
    await first.commit(await claim(first, 'a'), commitOf(0, 'committed'));
    expect(lost).toEqual([6]);
    const second = new RedisPartitionStore({ redis, prefix });
    const taken = await claim(second, 'b');
    await second.commit(taken, commitOf(1, 'next'));
    for (const room of ROOMS) expect(await published(room), room).toEqual(['committed', 'next']);
    await claim(new RedisPartitionStore({ redis, prefix }), 'c');
    for (const room of ROOMS) expect(await published(room), room).toEqual(['committed', 'next']);
  });

  test('commits of two partitions with one owner and sequence are both published to a channel that they share', async () => {
    const [channel = ''] = ROOMS;
    const published = await listen([channel]);
    const store = new RedisPartitionStore({ redis: await connect(), prefix: nextPrefix() });
    // The fence is a time of Redis: claims of one millisecond have the same.
    const claims = await eventually(async () => {
      const both = await Promise.all([3, 4].map(partition => store.claim(partition, 'a', ['a'])));
      return both[0]?.owner === both[1]?.owner && both;
    });
    for (const claimed of claims) if (claimed) await store.commit(claimed, commitOf(0, `of ${claimed.partition}`));
    expect(await published(channel)).toEqual(['of 3', 'of 4']);
  });

  test('the outbox of a commit ends before the idempotency keys of its messages: no later owner publishes them again', async () => {
    const prefix = nextPrefix();
    const redis = await connect();
    const store = new RedisPartitionStore({ redis, prefix });
    const claimed = await claim(store, 'a');
    await store.commit(claimed, commitOf(0, 'committed'));
    const outbox = partitionKey(prefix, 3, 'outbox');
    const outboxMs = await redis.run(outbox, server => server.pttl(outbox));
    expect(outboxMs).toBeGreaterThan(0);
    const pattern = `*:id:presence/3/${claimed.owner}/*`;
    const keys = (await Promise.all(redis.shards.map(({ commands }) => commands.keys(pattern)))).flat();
    expect(keys).toHaveLength(ROOMS.length);
    for (const key of keys) expect(await redis.run(key, server => server.pttl(key))).toBeGreaterThan(outboxMs);
  });
});

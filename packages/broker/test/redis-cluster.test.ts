/** The broker and histories on a Redis Cluster, while slots and primaries move. */
import { encodeEnvelope } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { Cluster } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { type RedisCluster, startRedisCluster } from '../../../tests/support/redis-cluster.js';
import type { Interruption } from '../src/broker.js';
import { openRedisTopology } from '../src/redis/open-topology.js';
import { RedisBroker } from '../src/redis/redis-broker.js';
import { RedisHistory } from '../src/redis/redis-history.js';
import { StreamReader } from '../src/redis/stream-reader.js';

const channelOf = (room: number | string) => `hubbub:room:{r${room}}`;

async function open(options?: { readonly replicas?: boolean }) {
  const cluster = await startRedisCluster(options);
  const connect = () => {
    const topology = openRedisTopology(cluster.url, { commandTimeoutMs: 1000, onError() {} });
    const broker = new RedisBroker(topology);
    cleanup(() => broker.close());
    return { topology, broker, history: new RedisHistory({ redis: topology, prefix: 'hubbub' }) };
  };
  const own = connect();
  const heard = new Map<string, number[]>();
  const interruptions: Interruption[] = [];
  own.broker.onEnvelope((channel, envelope) => {
    const text = Buffer.from(envelope).toString();
    heard.set(channel, [...(heard.get(channel) ?? []), Number(text.slice(text.lastIndexOf('\u0002') + 1))]);
  });
  own.broker.onInterruption(interruption => interruptions.push(interruption));
  await own.topology.connected(5000);
  return { cluster, ...own, connect, heard, interruptions };
}

/** Publishes to each channel in turn until `stop`; a refused message is skipped. */
function stream({ broker }: { broker: RedisBroker }, channels: readonly string[]) {
  let running = true;
  let number = 0;
  const taken: number[] = [];
  const done = (async () => {
    while (running) {
      const own = ++number;
      await Promise.all(
        channels.map(channel =>
          broker.publish(channel, Buffer.from(String(own))).then(
            () => taken.push(own),
            () => {},
          ),
        ),
      );
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  })();
  return {
    get number() {
      return number;
    },
    async stop() {
      running = false;
      await done;
    },
  };
}

async function flowsAgain(heard: ReadonlyMap<string, number[]>, channels: readonly string[], after: () => number) {
  const from = after();
  await eventually(() => channels.every(channel => (heard.get(channel)?.at(-1) ?? 0) > from), {
    describe: 'every room receives messages again',
  });
}

const ascending = (numbers: readonly number[] = []) => expect(numbers).toEqual([...numbers].sort((a, b) => a - b));

function appendOf(room: string, number: number) {
  const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from(String(number)));
  return { room, channel: channelOf(room.slice(1)), envelope, size: 1000, ttlMs: 60_000 };
}

describe('on a Redis Cluster', () => {
  test('rooms of all primaries are heard in order, and a moved slot interrupts its own rooms alone', async () => {
    const { cluster, broker, heard, interruptions } = await open({ replicas: false });
    const channels = Array.from({ length: 60 }, (_, room) => channelOf(room));
    await Promise.all(channels.map(channel => broker.subscribe(channel)));
    const publisher = stream({ broker }, channels);
    await flowsAgain(heard, channels, () => publisher.number);
    await cluster.moveSlot(channelOf(7));
    await eventually(() => interruptions.length > 0, { describe: 'the move is noticed' });
    await flowsAgain(heard, channels, () => publisher.number);
    await publisher.stop();
    expect(interruptions.map(({ channels }) => channels)).toEqual([[channelOf(7)]]);
    expect(interruptions[0]?.durationMs).toBeLessThan(1000);
    for (const channel of channels) ascending(heard.get(channel));
    console.info(`moved slot: ${interruptions[0]?.durationMs} ms`);
  });

  test('a history that is half moved keeps its order, and every position once', async () => {
    const { cluster, history } = await open({ replicas: false });
    const offsets: number[] = [];
    const append = (number: number) =>
      history.append(appendOf('r1', number)).then(({ offset }) => offsets.push(offset));
    for (let number = 1; number <= 20; number++) await append(number);
    await cluster.moveSlot('hubbub:history:{r1}:meta', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => append(21 + index)));
    });
    await Promise.all(Array.from({ length: 20 }, (_, index) => append(41 + index)));
    expect(offsets).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    const { entries } = await history.read({ room: 'r1', ttlMs: 60_000, limit: 100 });
    const numbers = entries.map(({ envelope }) => Number(Buffer.from(envelope).toString().split('\u0002')[1]));
    expect(numbers).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  test('a reader of a stream follows its slot', async () => {
    const { cluster, topology } = await open({ replicas: false });
    const reader = new StreamReader(topology);
    cleanup(() => reader.close());
    const stream = 'hubbub:events:{r7}';
    const add = (text: string) => topology.run(stream, server => server.xadd(stream, '*', 'text', text));
    const read = async (after: string) =>
      (await reader.read(new Map([[stream, after]]), { limit: 10, waitMs: 100 })).get(stream);
    await add('before');
    const [before] = (await read('0')) ?? [];
    expect(before?.fields).toEqual(['text', 'before']);
    await cluster.moveSlot(stream);
    await add('after');
    await eventually(async () => (await read(before?.id ?? '').catch(() => undefined))?.[0]?.fields[1] === 'after', {
      describe: 'the reader returns what was added after the move',
    });
  });

  async function survives(fault: (cluster: RedisCluster) => Promise<void>) {
    const { cluster, broker, heard, interruptions } = await open();
    const channels = Array.from({ length: 60 }, (_, room) => channelOf(room));
    await Promise.all(channels.map(channel => broker.subscribe(channel)));
    const publisher = stream({ broker }, channels);
    await flowsAgain(heard, channels, () => publisher.number);
    const from = performance.now();
    await fault(cluster);
    await eventually(() => interruptions.length > 0, { describe: 'the break is noticed' });
    await flowsAgain(heard, channels, () => publisher.number);
    const ms = performance.now() - from;
    await publisher.stop();
    for (const channel of channels) ascending(heard.get(channel));
    expect(interruptions.every(({ channels }) => channels.length < 60)).toBe(true);
    return { ms, cluster, interruptions };
  }

  test('a planned failover interrupts the rooms of one primary', async () => {
    const { interruptions } = await survives(cluster => cluster.failOver(channelOf(7)));
    console.info(`planned failover: ${interruptions.map(({ durationMs }) => durationMs)} ms`);
  });

  test('after kill -9 of a primary its replica takes over', async () => {
    const { ms } = await survives(async cluster => cluster.kill(await cluster.primaryOf(channelOf(7))));
    console.info(`kill -9: ${Math.round(ms)} ms`);
  });

  test('a frozen primary is replaced, and its thaw changes nothing', async () => {
    let frozen: Awaited<ReturnType<RedisCluster['primaryOf']>> | undefined;
    const { ms, cluster, interruptions } = await survives(async running => {
      frozen = await running.primaryOf(channelOf(7));
      await running.freeze(frozen);
    });
    console.info(`frozen primary: ${Math.round(ms)} ms`);
    const known = interruptions.length;
    if (frozen) await cluster.thaw(frozen);
    expect(interruptions.length).toBe(known);
  });

  describe('the sharded subscribers of ioredis 5.11.1, beside our link (decision 8)', () => {
    /** Subscribes to the same channels with the cluster client of ioredis; counts what each of them receives. */
    async function listenWithIoredis({ servers }: RedisCluster, channels: readonly string[]) {
      const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
      const client = new Cluster(nodes, { shardedSubscribers: true });
      cleanup(() => client.disconnect());
      client.on('error', () => {}); // The story is about messages.
      const counts = new Map<string, number>();
      client.on('smessage', (channel: string) => counts.set(channel, (counts.get(channel) ?? 0) + 1));
      for (const channel of channels) await client.ssubscribe(channel);
      return counts;
    }

    const FAULTS: Readonly<Record<string, (cluster: RedisCluster) => Promise<unknown>>> = {
      'a moved slot': cluster => cluster.moveSlot(channelOf(7)),
      'a planned failover': cluster => cluster.failOver(channelOf(7)),
    };

    test.each(Object.entries(FAULTS))('stay deaf after %s, while our link receives', async (_, fault) => {
      const { cluster, broker, heard, interruptions } = await open();
      const channels = Array.from({ length: 60 }, (_, room) => channelOf(room));
      await Promise.all(channels.map(channel => broker.subscribe(channel)));
      const counts = await listenWithIoredis(cluster, channels);
      const publisher = stream({ broker }, channels);
      await eventually(() => channels.every(channel => counts.has(channel)), { describe: 'ioredis hears every room' });
      await fault(cluster);
      await eventually(() => interruptions.length > 0, { describe: 'our link notices the move' });
      await flowsAgain(heard, channels, () => publisher.number);
      counts.clear();
      await flowsAgain(heard, channels, () => publisher.number + 200);
      await publisher.stop();
      const deaf = channels.filter(channel => !counts.has(channel));
      expect(deaf).not.toEqual([]);
      // The client itself works: it receives messages of other rooms.
      expect(deaf.length).toBeLessThan(channels.length);
      console.info(`ioredis is deaf in ${deaf.length} of ${channels.length} rooms`);
    });
  });

  test('10,000 rooms cost two connections for each primary, and one for the map', async () => {
    const { cluster, broker, interruptions } = await open({ replicas: false });
    const channels = Array.from({ length: 10_000 }, (_, room) => channelOf(room));
    await Promise.all(channels.map(channel => broker.subscribe(channel)));
    let connections = 0;
    for (const server of cluster.servers) {
      for (const type of ['NORMAL', 'PUBSUB']) {
        const lines = (await server.cli('CLIENT', 'LIST', 'TYPE', type)).split('\n');
        // Without the connection that asks.
        connections += lines.filter(line => line !== '' && !line.includes('cmd=client|list')).length;
      }
    }
    expect(connections).toBeLessThanOrEqual(2 * cluster.servers.length + 2);
    for (const server of cluster.servers) await server.cli('CLIENT', 'KILL', 'TYPE', 'PUBSUB');
    await eventually(() => interruptions.length === cluster.servers.length, { describe: 'all are subscribed again' });
    expect(interruptions.flatMap(({ channels }) => channels).sort()).toEqual([...channels].sort());
    console.info(`10,000 rooms subscribed again: ${interruptions.map(({ durationMs }) => durationMs)} ms`);
  });

  test.each([{ waitForConnection: false }, { waitForConnection: true }])(
    'while no server answers, a publish is refused and was not executed ($waitForConnection)',
    async ({ waitForConnection }) => {
      const url = 'redis+cluster://127.0.0.1:1';
      const topology = openRedisTopology(url, { commandTimeoutMs: 200, waitForConnection, onError() {} });
      const broker = new RedisBroker(topology);
      cleanup(() => broker.close());
      await expect(broker.publish(channelOf(1), Buffer.from('1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    },
  );
});

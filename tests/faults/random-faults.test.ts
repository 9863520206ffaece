/**
 * Random, overlapping faults under the stream of numbered messages. The test prints the seed; HUBBUB_TEST_SEED replays
 * the same faults in the same order.
 */
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { startRedis } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { historyEnvironment, NumberedStream } from './numbered-stream.js';

const ROOMS = ['kept:a', 'kept:b'];
const FAULTS_PER_RUN = 8;
const SEEDS = process.env.HUBBUB_TEST_SEED === undefined ? [20261121, 7, 42] : [Number(process.env.HUBBUB_TEST_SEED)];

test.each(SEEDS)(
  'random faults leave every member complete (HUBBUB_TEST_SEED=%i)',
  { timeout: 180_000 },
  async seed => {
    const random = randomOf(seed);
    const redis = await startRedis({ own: true });
    const cluster = await startCluster({ edges: 3, redis, env: historyEnvironment() });
    const networks = await Promise.all(cluster.edges.map(({ process }) => startTcpProxy({ to: process.port })));
    const members = networks.map(({ port }, edge) => ({
      name: `member-${edge + 1}`,
      url: `ws://127.0.0.1:${port}/ws`,
    }));
    const stream = await NumberedStream.start(cluster, { rooms: ROOMS, members, publisherUrl: cluster.edge(0).wsUrl });
    const network = () => networks[Math.floor(random() * networks.length)] as (typeof networks)[number];
    const pauseMs = () => 100 + Math.floor(random() * 1900);

    const faults: Record<string, () => Promise<void>> = {
      async 'subscriptions killed'() {
        await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
      },
      async 'every connection to Redis killed'() {
        await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
      },
      async 'Redis frozen'() {
        await redis.pause();
        await sleep(pauseMs());
        await redis.resume();
      },
      async 'Redis restarted with its data'() {
        await redis.restart({ keepData: true });
      },
      async 'connections of members cut'() {
        network().cut();
      },
      async 'a network swallows'() {
        const hit = network();
        hit.behave({ blackHole: true });
        await sleep(pauseMs());
        hit.behave({});
      },
      async 'a network is slow'() {
        const hit = network();
        hit.behave({ bytesPerSecond: 5000, delayMs: 50 });
        await sleep(pauseMs());
        hit.behave({});
      },
      async 'an edge is stopped for a while'() {
        const edge = cluster.edge(1 + Math.floor(random() * 2)).process;
        edge.pause();
        await sleep(pauseMs());
        edge.resume();
      },
    };
    const names = Object.keys(faults);
    const done: string[] = [];
    for (let fault = 0; fault < FAULTS_PER_RUN; fault++) {
      const name = names[Math.floor(random() * names.length)] as string;
      done.push(name);
      await faults[name]?.();
      await sleep(Math.floor(random() * 500)); // The next fault sometimes hits during the recovery from the last one.
    }
    await stream.flows(20, 60_000);
    await stream.end(60_000);
    const story = `seed ${seed}: ${done.join(', ')}`;
    expect(stream.violations(), story).toEqual([]);
    expect(stream.gaps(), story).toEqual([]);
    expect(stream.refused, story).toEqual([]);
  },
);

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/** mulberry32 (Tommy Ettinger, public domain): small, seeded, the same on every machine. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

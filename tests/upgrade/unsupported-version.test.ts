/** A node of a later release that writes what this release cannot read: counted by its own name, and members are notified. */
import { type BrokerClient, openRedisBrokerClient } from '@hubbub/broker';
import { encodeEnvelope, jsonCodec, partitionOf, WIRE_VERSION } from '@hubbub/protocol';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';

const LATER = WIRE_VERSION + 1;
const PARTITIONS = 16;

let cluster: TestCluster;
let later: BrokerClient;

beforeAll(async () => {
  cluster = await startCluster({
    edges: 2,
    env: withNamespaces({ log: { public: true, historySize: 100, historyTtlMs: 60_000 } }),
  });
  later = openRedisBrokerClient(cluster.redis.url, {
    prefix: cluster.redis.prefix,
    commandTimeoutMs: 5000,
    nodeLeaseMs: 10_000,
    waitForConnection: true,
    onError: () => {},
  });
  cleanup(() => later.close());
});

async function member(user: string, edge: number, room: string): Promise<RawClient> {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
  await client.join(room);
  return client;
}

const laterEnvelope = () =>
  encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now(), version: LATER }, jsonCodec.encode({ type: 'later' }));

async function countOnEdge(metric: string): Promise<number> {
  return await metricValue(cluster.edge(0), `hubbub_edge_${metric}_envelopes_total`);
}

test('members of a room without history get a gap in place of such a message, and the next one arrives', async () => {
  const alice = await member('alice', 0, 'general');
  const channel = `${cluster.redis.prefix}:room:{general}`;
  const [unsupported, malformed] = [await countOnEdge('unsupported'), await countOnEdge('malformed')];
  await later.broker.publish(channel, laterEnvelope());
  expect(await alice.nextFrame('room_gap')).toMatchObject({ payload: { room_id: 'general', reason: 'no_history' } });
  await later.broker.publish(channel, Buffer.from('{"type":"known"}'));
  await alice.nextFrame('known');
  await alice.noFrame('later');
  expect([await countOnEdge('unsupported'), await countOnEdge('malformed')]).toEqual([unsupported + 1, malformed]);
});

test('members of a room with history get a gap of exactly that message', async () => {
  const room = 'log:1';
  const alice = await member('alice', 0, room);
  const envelopeOf = (type: string) =>
    encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now() }, jsonCodec.encode({ type }));
  for (const envelope of [envelopeOf('first'), laterEnvelope(), envelopeOf('third')]) {
    const channel = `${cluster.redis.prefix}:room:{${room}}`;
    await later.history.append({ room, channel, envelope, size: 100, ttlMs: 60_000 });
  }
  await alice.nextFrame({ type: 'first', offset: 1 });
  expect(await alice.nextFrame('room_gap')).toMatchObject({ payload: { room_id: room, offset: 2 } });
  await alice.nextFrame({ type: 'third', offset: 3 });
});

test('an edge with reports in such a version reports its sessions again, the other does not, and no member leaves', async () => {
  const room = 'team';
  const alice = await member('alice', 0, room);
  await member('bob', 1, room);
  await alice.nextFrame('user_joined');
  const [presence] = cluster.presence;
  if (presence === undefined) throw new Error('The cluster has no presence.');
  const log = `${cluster.redis.prefix}:presence:{p${partitionOf(room, PARTITIONS)}}:reports`;
  const living = `${cluster.redis.prefix}:presence:{nodes}:alive`;
  const incarnations = async () => (await cluster.redis.cli('ZRANGE', living, '0', '-1')).trim().split('\n').sort();
  const [first = '', second] = await incarnations();
  await cluster.redis.cli('XADD', log, '*', 'r', JSON.stringify([LATER, first, { join: 'carol' }]));
  await eventually(async () => (await metricValue(presence, 'hubbub_presence_unsupported_reports_total')) === 1);
  await eventually(
    async () => {
      const after = await incarnations();
      return after.length === 2 && !after.includes(first);
    },
    { describe: 'the edge has a new incarnation' },
  );
  expect(await incarnations()).toContain(second);
  const carol = await member('carol', 0, room);
  expect((await carol.nextFrame('room_info')).payload).toMatchObject({ count: 3 });
  await alice.noFrame('user_left');
  expect(await metricValue(presence, 'hubbub_presence_malformed_reports_total')).toBe(0);
});

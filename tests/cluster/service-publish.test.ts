/** A service in any language publishes plain JSON to Redis channels, and what is malformed hurts nobody. */
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { metricValue } from '../support/metric-value.js';
import { connect, type RawClient } from '../support/raw-client.js';

describe('redis-cli PUBLISH of plain JSON', () => {
  let cluster: TestCluster;
  let alice: RawClient;
  let bob: RawClient;

  beforeAll(async () => {
    cluster = await startCluster({ edges: 2 });
    alice = await connect(cluster.edge(0).wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
    bob = await connect(cluster.edge(1).wsUrl, {
      name: 'bob',
      token: cluster.token({ user: 'bob' }),
      encoding: 'msgpack',
    });
    await alice.join('general');
    await bob.join('general');
  }, 60_000);

  const publish = (address: string, message: string) =>
    cluster.redis.cli('PUBLISH', `${cluster.redis.prefix}:${address}`, message);

  test('reaches the members of a room on both edges, in both encodings', async () => {
    await publish('room:{general}', '{"type":"build.finished","payload":{"ok":true,"name":"größe"}}');
    for (const member of [alice, bob]) {
      const frame = await member.nextFrame('build.finished');
      expect(frame).toMatchObject({
        room: 'general',
        payload: { ok: true, name: 'größe' },
        timestamp: expect.any(String),
      });
    }
  });

  test('reaches every session of a user and nobody else', async () => {
    const second = await connect(cluster.edge(1).wsUrl, {
      name: 'alice at the other edge',
      token: cluster.token({ user: 'alice' }),
    });
    await second.nextFrame('welcome');
    await publish('user:{alice}', '{"type":"notification.new","payload":{"n":1}}');
    expect(await alice.nextFrame('notification.new')).not.toHaveProperty('room');
    await second.nextFrame('notification.new');
    await publish('room:{general}', '{"type":"barrier"}');
    await bob.noFrame('notification.new', () => bob.nextFrame('barrier'));
  });

  test('reaches everybody', async () => {
    const carol = await connect(cluster.edge(0).wsUrl, { name: 'carol', token: cluster.token({ user: 'carol' }) });
    await carol.nextFrame('welcome');
    await publish('broadcast', '{"type":"maintenance.soon","payload":{"minutes":5}}');
    for (const client of [alice, bob, carol]) await client.nextFrame('maintenance.soon');
  });

  test.each([
    ['not JSON', '{"type":'],
    ['not an object', '[1,2]'],
    ['no type', '{"payload":{}}'],
    ['a type outside the grammar', '{"type":"Build Finished"}'],
    ['a payload that is no object', '{"type":"a","payload":"text"}'],
    ['a sender without a name', '{"type":"a","sender":{"id":"u"}}'],
    ['the key __proto__', '{"type":"a","payload":{"__proto__":{"x":1}}}'],
    ['nested 2,000 deep', `{"type":"a","payload":{"x":${'['.repeat(2000)}${']'.repeat(2000)}}}`],
    ['an empty message', ''],
    ['an envelope without a body', '\u0001{"e":"j","t":1}\u0002'],
    ['an envelope whose header is cut', '\u0001{"e":"j"'],
    ['an envelope whose body is no object', '\u0001{"e":"j","t":1}\u0002[1]'],
    ['an envelope with a body that is no MessagePack', '\u0001{"e":"m","t":1}\u0002zzz'],
  ])('malformed (%s): dropped and counted, and the next message arrives', async (_, message) => {
    const before = await malformed();
    await publish('room:{general}', message);
    await eventually(async () => (await malformed()) > before, { describe: 'the malformed message is counted' });
    await publish('room:{general}', '{"type":"after.malformed"}');
    for (const member of [alice, bob]) {
      await member.nextFrame('after.malformed');
      await member.noFrame('a');
    }
  });

  /** Dropped so far, by both edges. */
  async function malformed(): Promise<number> {
    let sum = 0;
    for (const edge of cluster.edges) sum += await metricValue(edge, 'hubbub_edge_malformed_envelopes_total');
    return sum;
  }
});

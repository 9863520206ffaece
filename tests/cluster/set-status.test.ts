/** The status of a session: shown on every edge, kept for later joiners, refused if too large. */
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

describe('a status', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster({ edges: 2 });
  });

  const person = (name: string, edge: number) =>
    connect(cluster.edge(edge).wsUrl, { name, token: cluster.token({ user: name }) });

  test('reaches the members on the other edge, appears in rosters, and can be cleared', async () => {
    const alice = await person('alice', 0);
    const bob = await person('bob', 1);
    for (const member of [alice, bob]) await member.join('general');
    await alice.nextFrame('room_info');
    const answer = await alice.ask({ type: 'set_status', payload: { status: { mood: 'fine' } } });
    expect(answer).toMatchObject({ type: 'ack' });
    await bob.nextFrame({ type: 'user_status', payload: { user: { id: 'alice', status: { mood: 'fine' } } } });

    const carol = await person('carol', 1);
    await carol.join('general');
    const { payload } = await carol.nextFrame('room_info');
    expect(payload?.users).toContainEqual({ id: 'alice', name: 'alice', status: { mood: 'fine' } });

    await alice.ask({ type: 'set_status', payload: { status: null } });
    const taken = await bob.nextFrame({ type: 'user_status', payload: { user: { id: 'alice' } } });
    expect(taken.payload?.user).not.toHaveProperty('status');
  });

  test('that was set before the join appears with it', async () => {
    const dan = await person('dan', 0);
    await dan.ask({ type: 'set_status', payload: { status: 'busy' } });
    await dan.join('later');
    const { payload } = await dan.nextFrame('room_info');
    expect(payload?.users).toEqual([{ id: 'dan', name: 'dan', status: 'busy' }]);
  });

  test('with binary values reaches JSON members in the form of section 2.3', async () => {
    const gina = await connect(cluster.edge(0).wsUrl, {
      name: 'gina',
      token: cluster.token({ user: 'gina' }),
      encoding: 'msgpack',
    });
    await gina.ask({ type: 'set_status', payload: { status: { face: Uint8Array.of(1, 2, 255) } } });
    const hugo = await person('hugo', 1);
    await gina.join('faces');
    await gina.nextFrame('room_info'); // Now presence has registered her.
    await hugo.join('faces');
    const { payload } = await hugo.nextFrame('room_info');
    expect(payload?.users).toContainEqual({ id: 'gina', name: 'gina', status: { face: { $base64: 'AQL/' } } });
  });

  test.each([
    ['of 257 bytes', { status: 'x'.repeat(255) }],
    ['that is a number', { status: 7 }],
    ['that is a list', { status: ['busy'] }],
  ])('%s is refused', async (_, payload) => {
    const erin = await person('erin', 0);
    expect(await erin.ask({ type: 'set_status', payload })).toMatchObject({
      type: 'error',
      payload: { code: 'INVALID_PAYLOAD' },
    });
  });

  test('online_users returns the page after a given position, and refuses an invalid one', async () => {
    const frank = await person('frank', 0);
    await frank.join('pages');
    const ask = (after: unknown) => frank.ask({ type: 'online_users', room: 'pages', payload: { after } });
    expect((await ask(null)).payload).toMatchObject({ count: 1, users: [{ id: 'frank' }] });
    expect((await ask(1_000_000)).payload).toMatchObject({ count: 1, users: [] });
    for (const wrong of ['1', -1, 0.5]) expect((await ask(wrong)).payload).toMatchObject({ code: 'INVALID_PAYLOAD' });
  });

  test('and a message with binary values stay intact when they wait behind a join', async () => {
    const waiting = await connect(cluster.edge(0).wsUrl, {
      name: 'dave',
      token: cluster.token({ user: 'dave' }),
      encoding: 'msgpack',
    });
    const member = await person('erin', 1);
    await member.join('binary');
    // Sent together: the edge reads the message before it answers the join, and executes it afterwards.
    waiting.send({ type: 'join_room', payload: { room_id: 'binary' } });
    waiting.send({ type: 'set_status', id: 's1', payload: { status: { badge: new Uint8Array([1, 2, 3]) } } });
    const payload = { bytes: new Uint8Array([4, 5, 6]) };
    waiting.send({ type: 'send_message', room: 'binary', message_id: 'm1', payload });
    await waiting.nextFrame({ type: 'ack', id: 's1' });
    await member.nextFrame({ type: 'new_message', id: 'm1', payload: { bytes: { $base64: 'BAUG' } } });
  });
});

/** Presence through crashes and pauses: real edges, real presence, a real Redis, from the members' view. */
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { withNamespaces } from '../../../tests/presence/config-file.js';
import { startCluster } from '../../../tests/support/cluster.js';
import { connect } from '../../../tests/support/raw-client.js';
import { enter, heard, rosterOf, userOf } from './support/members.js';

/** Short leases spare the stories a wait of ten seconds. */
const ENV = { HUBBUB_NODE_LEASE_MS: '3000' };
/** A short grace, for stories in which users leave for good. */
const withoutGrace = () => ({ ...ENV, ...withNamespaces({ default: { leaveGraceMs: 0 } }) });
const LONG_STORY_MS = 120_000;

describe('edges', () => {
  test(
    'kill -9 of an edge with 1,000 members in 50 rooms: all leave, each once, and every room is notified (invariant 4)',
    async () => {
      const cluster = await startCluster({ edges: 2, env: withoutGrace() });
      const rooms = Array.from({ length: 50 }, (_, index) => `chat-${index}`);
      const witnesses = await Promise.all(rooms.map((room, index) => enter(cluster, 1, `witness-${index}`, room)));
      for (let at = 0; at < 1000; at += 100) {
        const some = Array.from({ length: 100 }, (_, index) => at + index);
        await Promise.all(some.map(index => enter(cluster, 0, `member-${index}`, rooms[index % 50] ?? '')));
      }
      await eventually(() => witnesses.every(witness => heard(witness, 'user_joined').length === 20));
      await cluster.edge(0).process.kill();
      await eventually(() => witnesses.every(witness => heard(witness, 'user_left').length >= 20), {
        withinMs: 30_000,
        describe: 'every witness hears 20 users leave',
      });
      for (const [index, witness] of witnesses.entries()) {
        expect(await rosterOf(witness, rooms[index] ?? '')).toEqual([`witness-${index}`]);
        expect(new Set(heard(witness, 'user_left')).size).toBe(20);
        expect(heard(witness, 'user_left')).toHaveLength(20);
      }
    },
    LONG_STORY_MS,
  );

  test(
    'an edge that is paused past its lease and wakes: its members leave, rejoin, and are listed once',
    async () => {
      const cluster = await startCluster({ edges: 2, env: withoutGrace() });
      const witness = await enter(cluster, 1, 'witness', 'general');
      const alice = await enter(cluster, 0, 'alice', 'general');
      await enter(cluster, 0, 'bob', 'general');
      await eventually(() => heard(witness, 'user_joined').length === 2);
      cluster.edge(0).process.pause();
      await eventually(() => heard(witness, 'user_left').length === 2, { withinMs: 30_000 });
      cluster.edge(0).process.resume();
      await eventually(() => heard(witness, 'user_joined').length === 4);
      expect(await rosterOf(witness, 'general')).toEqual(['alice', 'bob', 'witness']);
      expect(await rosterOf(alice, 'general')).toEqual(['alice', 'bob', 'witness']);
      await alice.close();
      await eventually(() => heard(witness, 'user_left').length === 3);
      expect(await rosterOf(witness, 'general')).toEqual(['bob', 'witness']);
    },
    LONG_STORY_MS,
  );

  test(
    'an edge that drains: its members move to another one within the grace, invisibly',
    async () => {
      const cluster = await startCluster({ edges: 2, env: ENV });
      const witness = await enter(cluster, 1, 'witness', 'general');
      await enter(cluster, 0, 'alice', 'general');
      await eventually(() => heard(witness, 'user_joined').length === 1);
      await cluster.edge(0).process.stop();
      await enter(cluster, 1, 'alice', 'general');
      // The later join of another user follows any announcement about alice.
      await enter(cluster, 1, 'barrier', 'general');
      await witness.nextFrame(frame => frame.type === 'user_joined' && userOf(frame) === 'barrier');
      expect(heard(witness, 'user_left')).toEqual([]);
      expect(heard(witness, 'user_joined')).toEqual(['alice', 'barrier']);
    },
    LONG_STORY_MS,
  );
});

describe('presence', () => {
  test(
    'down: messages flow, and after its restart the rosters are right (invariant 12)',
    async () => {
      const cluster = await startCluster({ edges: 2, env: ENV });
      const alice = await enter(cluster, 0, 'alice', 'general');
      const gone = await enter(cluster, 0, 'gone', 'general');
      await cluster.presence[0]?.kill();
      const bob = await connect(cluster.edge(1).wsUrl, { name: 'bob', token: cluster.token({ user: 'bob' }) });
      await bob.join('general');
      alice.send({ type: 'send_message', room: 'general', payload: { content: 'hi' } });
      await bob.nextFrame({ type: 'new_message', payload: { content: 'hi' } });
      await gone.ask({ type: 'leave_room', payload: { room_id: 'general' } });
      await cluster.addPresence();
      await bob.nextFrame('room_info');
      await eventually(async () => (await rosterOf(alice, 'general')).join() === 'alice,bob');
      expect(heard(alice, 'user_joined')).toEqual(['gone', 'bob']);
      expect(heard(alice, 'user_left')).toEqual(['gone']);
    },
    LONG_STORY_MS,
  );

  test.each(['killed', 'paused'] as const)(
    'one of two instances %s under joins and leaves: rosters converge, and no user joins or leaves twice',
    async what => {
      const cluster = await startCluster({ edges: 1, presence: 2, env: ENV });
      const rooms = Array.from({ length: 8 }, (_, index) => `room-${index}`);
      const witness = await enter(cluster, 0, 'witness', ...rooms);
      const [first] = cluster.presence;
      const stay: string[] = [];
      for (let round = 0; round < 40; round++) {
        const room = rooms[round % rooms.length] ?? '';
        const user = `u${round}`;
        const client = await connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }) });
        await client.join(room);
        if (round % 2 === 0) await client.ask({ type: 'leave_room', payload: { room_id: room } });
        else stay.push(user);
        if (round === 10 && what === 'killed') await first?.kill();
        if (round === 10 && what === 'paused') first?.pause();
      }
      await eventually(() => heard(witness, 'user_joined').length === 40 && heard(witness, 'user_left').length === 20, {
        withinMs: 40_000,
        describe: '40 joins and 20 leaves are heard',
      });
      if (what === 'paused') first?.resume();
      const late = await enter(cluster, 0, 'late', ...rooms);
      const here: string[] = [];
      for (const room of rooms) here.push(...(await rosterOf(late, room)));
      expect(here.filter(user => user.startsWith('u')).sort()).toEqual(stay.sort());
      expect(new Set(heard(witness, 'user_joined')).size).toBe(heard(witness, 'user_joined').length - 7);
      expect(new Set(heard(witness, 'user_left')).size).toBe(20);
    },
    LONG_STORY_MS,
  );
});

test(
  'Redis restarted empty: rosters are as before, and no leave was announced',
  async () => {
    const cluster = await startCluster({ edges: 2, presence: 2, env: ENV });
    const users = ['alice', 'bob', 'carol', 'dave'];
    const clients = await Promise.all(
      users.map((user, index) => enter(cluster, index % 2, user, 'general', `own-${user}`)),
    );
    const [alice] = clients;
    if (alice === undefined) throw new Error('nobody is here');
    await cluster.redis.restart();
    await eventually(async () => (await rosterOf(alice, 'general')).length === 4, { withinMs: 40_000 });
    expect(await rosterOf(alice, 'general')).toEqual(users);
    for (const client of clients) expect(heard(client, 'user_left')).toEqual([]);
    await eventually(async () => {
      const response = await fetch(`${cluster.edge(0).httpUrl}/ws/online`);
      return ((await response.json()) as { online: number }).online === 4;
    });
  },
  LONG_STORY_MS,
);

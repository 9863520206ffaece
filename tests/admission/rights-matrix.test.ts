/** Every frame type × every right × every source of rights: a session's token, a room token, and no token at all. */
import type { ClientFrameType, Frame } from '@hubbub/protocol';
import { RIGHTS, type Right } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { roomToken } from './claims.js';

/** The right that a frame about a room needs; `undefined`: none. Complete by its type: a new frame must name it. */
const NEEDS: Readonly<Record<ClientFrameType | 'vote', Right | undefined>> = {
  join_room: 'join',
  resume: 'join',
  leave_room: undefined,
  send_message: 'publish',
  typing: 'publish',
  stop_typing: 'publish',
  set_status: 'publish',
  vote: 'event',
  online_users: 'presence',
  history: 'history',
  ping: undefined,
  refresh: undefined,
};
const PAYLOADS: Readonly<Record<string, object>> = { set_status: { status: 'here' } };
const FRAMES = Object.keys(NEEDS).filter(type => !['join_room', 'resume', 'leave_room', 'refresh'].includes(type));

/** Each right alone beside `join`, and all but `join`. */
const SETS: readonly (readonly Right[])[] = [
  ...RIGHTS.map(right => [...new Set<Right>(['join', right])]),
  RIGHTS.filter(right => right !== 'join'),
];
const nameOf = (rights: readonly Right[]) => `n-${rights.join('-')}`;

const shared = { historySize: 10, events: ['vote'] };
const NAMESPACES = {
  lab: shared,
  vip: { ...shared, requireRoomToken: true },
  ...Object.fromEntries(SETS.map(rights => [nameOf(rights), { ...shared, anonymousRights: rights }])),
};

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startEmbedded({ env: withNamespaces(NAMESPACES) });
});

interface Visit {
  readonly client: RawClient;
  readonly room: string;
  /** Fields of a join beside the room. */
  readonly more: object;
}

let rooms = 0;
const SOURCES: Readonly<Record<string, (rights: readonly Right[]) => Promise<Visit>>> = {
  'a session’s token': async rights => {
    const token = cluster.token({ user: 'ada', rooms: { 'lab:*': rights } });
    return { client: await connect(cluster.edge(0).wsUrl, { token }), room: `lab:${++rooms}`, more: {} };
  },
  'a room token': async rights => {
    const room = `vip:${++rooms}`;
    const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'ada' }) });
    return { client, room, more: { token: roomToken({ user: 'ada', room, rights }) } };
  },
  'no token': async rights => {
    return { client: await connect(cluster.edge(0).wsUrl), room: `${nameOf(rights)}:${++rooms}`, more: {} };
  },
};

function codeOf(frame: Frame): unknown {
  return frame.type === 'error' ? frame.payload?.code : 'ok';
}

describe.each(Object.keys(SOURCES))('rights from %s', source => {
  test.each(SETS.map(rights => [rights.join(' and '), rights] as const))('%s', async (_name, rights) => {
    const { client, room, more } = await (SOURCES[source] as (typeof SOURCES)[string])(rights);
    const may = (type: string): boolean => {
      const needed = NEEDS[type as keyof typeof NEEDS];
      return needed === undefined || rights.includes(needed);
    };
    const joined = await client.ask({ type: 'join_room', payload: { room_id: room, ...more } });
    expect(codeOf(joined), 'join_room').toBe(may('join_room') ? 'ok' : 'FORBIDDEN');
    const resumed = await client.ask({ type: 'resume', payload: { rooms: [{ room_id: room, ...more }] } });
    expect(resumed.payload?.rooms, 'resume').toMatchObject(may('resume') ? [{}] : [{ error: { code: 'FORBIDDEN' } }]);
    for (const type of FRAMES) {
      const answer = await client.ask({ type, room, payload: PAYLOADS[type] ?? {} });
      // A status in no room, and a ping, do not reach other clients.
      const hasNoAudience = NEEDS[type as keyof typeof NEEDS] === undefined || type === 'set_status';
      const isOutside = !rights.includes('join') && !hasNoAudience;
      const allowed = may(type) || (type === 'set_status' && !rights.includes('join'));
      expect(codeOf(answer), type).toBe(isOutside ? 'NOT_IN_ROOM' : allowed ? 'ok' : 'FORBIDDEN');
    }
    expect(codeOf(await client.ask({ type: 'leave_room', payload: { room_id: room } })), 'leave_room').toBe('ok');
  });
});

test('a status is shown only in the rooms where the session may publish', async () => {
  const token = cluster.token({ user: 'eve', rooms: { 'lab:quiet': ['join'], 'lab:loud': ['join', 'publish'] } });
  const eve = await connect(cluster.edge(0).wsUrl, { name: 'eve', token });
  const all = cluster.token({ user: 'bob', rooms: ['lab:*'] });
  const bob = await connect(cluster.edge(0).wsUrl, { name: 'bob', token: all });
  for (const room of ['lab:quiet', 'lab:loud']) for (const client of [bob, eve]) await client.join(room);
  expect(codeOf(await eve.ask({ type: 'set_status', payload: { status: 'look at me' } }))).toBe('ok');
  await bob.nextFrame({
    type: 'user_status',
    room: 'lab:loud',
    payload: { user: { id: 'eve', status: 'look at me' } },
  });
  const quiet = await bob.ask({ type: 'online_users', room: 'lab:quiet' });
  expect(quiet.payload?.users).toContainEqual({ id: 'eve', name: 'eve' });
  await bob.noFrame({ type: 'user_status', room: 'lab:quiet', payload: { user: { id: 'eve', status: 'look at me' } } });
});

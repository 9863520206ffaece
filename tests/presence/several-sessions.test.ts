/** A user with several sessions is one member, and one that reconnects in time has never been away (invariant 5). */
import type { Frame } from '@hubbub/protocol';
import { beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { withNamespaces } from './config-file.js';

const GRACE_MS = 1500;

let cluster: TestCluster;
beforeAll(async () => {
  const env = withNamespaces({ chat: { public: true, leaveGraceMs: GRACE_MS } });
  cluster = await startCluster({ edges: 2, env });
});

async function enter(user: string, edge: number, room: string): Promise<RawClient> {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
  await client.join(room);
  await client.nextFrame({ type: 'room_info', room });
  return client;
}

const userOf = ({ payload }: Frame) => (payload?.user as { id: string } | undefined)?.id ?? '';

/** The events about alice that the witness has received, in order. */
function heardOfAlice(witness: RawClient): string[] {
  return witness.frames.filter(frame => userOf(frame) === 'alice').map(({ type }) => type);
}

/** A user joins, drops, and has left for the others: earlier graces are over by then. */
async function afterTheGrace(witness: RawClient, room: string, user: string): Promise<void> {
  const passing = await enter(user, 0, room);
  await passing.terminate();
  await witness.nextFrame(frame => frame.type === 'user_left' && userOf(frame) === user);
}

test('three sessions on two edges join once and leave once (invariant 5)', async () => {
  const room = 'chat:three';
  const witness = await enter('witness', 1, room);
  const first = await enter('alice', 0, room);
  const second = await enter('alice', 0, room);
  const third = await enter('alice', 1, room);
  await witness.nextFrame('user_joined');
  await first.terminate();
  await second.ask({ type: 'leave_room', payload: { room_id: room } });
  await afterTheGrace(witness, room, 'passing');
  expect(heardOfAlice(witness)).toEqual(['user_joined']);
  const { payload } = await witness.ask({ type: 'online_users', room });
  expect(payload).toMatchObject({ count: 2 });
  await third.ask({ type: 'leave_room', payload: { room_id: room } });
  await witness.nextFrame(frame => frame.type === 'user_left' && userOf(frame) === 'alice');
  await afterTheGrace(witness, room, 'later');
  expect(heardOfAlice(witness)).toEqual(['user_joined', 'user_left']);
});

test('a reconnect within the grace is invisible, on another edge too; one past the grace is seen (invariant 5)', async () => {
  const room = 'chat:back';
  const witness = await enter('witness', 1, room);
  for (const edge of [0, 1, 0]) {
    const alice = await enter('alice', edge, room);
    await alice.terminate();
  }
  const alice = await enter('alice', 1, room);
  await afterTheGrace(witness, room, 'passing');
  expect(heardOfAlice(witness)).toEqual(['user_joined']);

  await alice.terminate();
  const left = await witness.nextFrame(frame => frame.type === 'user_left' && userOf(frame) === 'alice');
  expect(left.payload).toMatchObject({ count: 1 });
  await enter('alice', 0, room);
  await witness.nextFrame({ type: 'user_joined', payload: { user: { id: 'alice' }, count: 2 } });
  await afterTheGrace(witness, room, 'later');
  expect(heardOfAlice(witness)).toEqual(['user_joined', 'user_left', 'user_joined']);
});

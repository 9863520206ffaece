/**
 * The only presence instance is killed, again and again, while users join, leave and drop.
 * With a second instance: apps/presence/test/survival.test.ts.
 */
import type { Frame } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { withNamespaces } from './config-file.js';

const ROOMS = Array.from({ length: 12 }, (_, index) => `chat:${index}`);
const USERS = 150;

const userOf = ({ payload }: Frame) => (payload?.user as { id: string } | undefined)?.id ?? '';
const heard = (witness: RawClient, type: string) =>
  witness.frames.filter(frame => frame.type === type && userOf(frame) !== 'late').map(userOf);

test('killed three times under load: rosters are right, and every user joined and left exactly once (invariant 12)', async () => {
  const env = { ...withNamespaces({ chat: { public: true, leaveGraceMs: 500 } }), HUBBUB_PRESENCE_API_KEYS: 'key' };
  const cluster = await startCluster({ edges: 2, presence: 1, env });
  const enter = async (user: string, edge: number, rooms: readonly string[]) => {
    const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
    for (const room of rooms) await client.join(room);
    return client;
  };
  const witness = await enter('witness', 0, ROOMS);
  for (const room of ROOMS) await witness.nextFrame({ type: 'room_info', room });

  const stay = new Map<string, string>();
  const gone: string[] = [];
  const crashes: Promise<void>[] = [];
  const crash = async () => {
    await cluster.presence.at(-1)?.kill();
    await cluster.addPresence();
  };
  for (let number = 0; number < USERS; number++) {
    if (number % 50 === 25) {
      await Promise.all(crashes); // One at a time, and the load continues meanwhile.
      crashes.push(crash());
    }
    const [user, room] = [`u${number}`, ROOMS[number % ROOMS.length] ?? ''];
    const client = await enter(user, number % 2, [room]);
    if (number % 3 === 0) await client.ask({ type: 'leave_room', payload: { room_id: room } });
    else if (number % 3 === 1) await client.terminate();
    else stay.set(user, room);
    if (number % 3 !== 2) gone.push(user);
  }
  await Promise.all(crashes);

  await eventually(
    () => heard(witness, 'user_joined').length >= USERS && heard(witness, 'user_left').length >= gone.length,
    {
      withinMs: 60_000,
      describe: 'the witness hears everybody come, and those leave that left',
    },
  );
  const late = await enter('late', 1, ROOMS);
  for (const room of ROOMS) {
    const { payload } = await late.nextFrame({ type: 'room_info', room });
    const here = ((payload?.users ?? []) as { id: string }[]).map(({ id }) => id).sort();
    const expected = [...stay].filter(([, of]) => of === room).map(([user]) => user);
    expect(here).toEqual([...expected, 'late', 'witness'].sort());
    const versions = witness.frames
      .filter(frame => frame.room === room)
      .flatMap(({ payload }) => payload?.version ?? []);
    expect(versions, `the versions of ${room} go up`).toEqual(
      [...new Set(versions)].sort((a, b) => Number(a) - Number(b)),
    );
  }
  expect(heard(witness, 'user_joined').sort()).toEqual([...stay.keys(), ...gone].sort());
  expect(heard(witness, 'user_left').sort()).toEqual(gone.sort());
}, 150_000);

/** A namespace with `expireWithRoomToken`: a membership ends with the room token of its join (PROTOCOL.md section 1.4). */
import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { jwt } from '../support/jwt.js';
import { connect, type RawClient } from '../support/raw-client.js';

/** Enough for a join on a busy machine. */
const SOON_SECONDS = 3;

let cluster: TestCluster;
let rooms = 0;
const newRoom = (namespace = 'lease') => `${namespace}:${++rooms}`;
const now = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  const env = withNamespaces({ lease: { expireWithRoomToken: true }, stay: {} });
  cluster = await startEmbedded({ env: { ...env, HUBBUB_JWT_LEEWAY_MS: '0' } });
});

async function alice(opened: readonly string[] = []): Promise<RawClient> {
  return await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'alice', rooms: opened }) });
}

function join(client: RawClient, room: string, exp: number) {
  const token = jwt({ alg: 'HS256', key: TEST_JWT_SECRET, claims: { sub: 'alice', room, exp } });
  return client.ask({ type: 'join_room', payload: { room_id: room, token } });
}

const speak = (client: RawClient, room: string) => client.ask({ type: 'send_message', room, payload: { n: 1 } });

test('a membership ends with its room token; one in another namespace stays', async () => {
  const client = await alice();
  const [room, other] = [newRoom(), newRoom('stay')];
  const exp = now() + SOON_SECONDS;
  expect(await join(client, room, exp)).toMatchObject({ type: 'ack' });
  expect(await join(client, other, exp)).toMatchObject({ type: 'ack' });
  const closed = await client.nextFrame('room_closed');
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
  expect(closed).toMatchObject({ payload: { room_id: room, removed: true, reason: 'the room token has expired' } });
  expect(await speak(client, room)).toMatchObject({ payload: { code: 'NOT_IN_ROOM' } });
  expect(await speak(client, other)).toMatchObject({ type: 'ack' });
});

test('a join with a newer room token extends it', async () => {
  const client = await alice();
  const [room, barrier] = [newRoom(), newRoom()];
  const exp = now() + SOON_SECONDS;
  await join(client, room, exp);
  expect(await join(client, room, exp + 3600)).toMatchObject({ type: 'ack' });
  await join(client, barrier, exp + 1);
  expect(await client.nextFrame('room_closed')).toMatchObject({ room: barrier });
  expect(await speak(client, room)).toMatchObject({ type: 'ack' });
});

test('a session whose own token opens the room stays, without the rights of the room token', async () => {
  const [room, barrier] = [newRoom(), newRoom()];
  const token = cluster.token({ user: 'alice', rooms: { [room]: ['join'] } });
  const client = await connect(cluster.edge(0).wsUrl, { token });
  const exp = now() + SOON_SECONDS;
  await join(client, room, exp);
  expect(await speak(client, room)).toMatchObject({ type: 'ack' });
  await join(client, barrier, exp + 1);
  expect(await client.nextFrame('room_closed')).toMatchObject({ room: barrier });
  expect(await speak(client, room)).toMatchObject({ payload: { code: 'FORBIDDEN' } });
});

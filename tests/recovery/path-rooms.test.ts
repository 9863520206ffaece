/** The request itself recovers the room of the path: its query names the position, and the replay precedes live messages. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.js';
import { connect, UpgradeRefused } from '../support/raw-client.js';
import { enter, expectWhole, joinAt, messages, position, startWithHistory, stream } from './support.js';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startWithHistory({ edges: 1 });
});

const open = (room: string, query: string, claims: object = {}) =>
  connect(`${cluster.edge(0).roomUrl(room)}?${query}`, { token: cluster.token({ user: 'reader', ...claims }) });

test('the welcome arrives first, then missed messages, then live ones, while messages pour in', async () => {
  const room = 'chat:path-replay';
  const writer = await enter(cluster, cluster.edge(0), 'writer');
  const start = position(await joinAt(writer, room));
  const talk = stream(writer, room);
  await eventually(() => talk.sent > 20);
  const reader = await open(room, `epoch=${start.epoch}&offset=3`);
  await eventually(() => messages(reader, room).length > 40);
  const last = await talk.stop();
  await eventually(() => messages(reader, room).at(-1)?.offset === last);
  expect(reader.frames[0]).toMatchObject({
    type: 'welcome',
    payload: { rooms: [room], position: { epoch: start.epoch, offset: expect.any(Number), recovered: true } },
  });
  expectWhole(reader, room, 3, last);
});

test('the answer to the first frame after the welcome arrives when the replay has ended', async () => {
  const room = 'chat:path-answer';
  const writer = await enter(cluster, cluster.edge(0), 'writer');
  const start = position(await joinAt(writer, room));
  for (let n = 1; n <= 50; n++) await writer.ask({ type: 'send_message', room, payload: { n } });
  const reader = await open(room, `epoch=${start.epoch}&offset=0`);
  await reader.nextFrame('welcome');
  await reader.ask({ type: 'ping' });
  expectWhole(reader, room, 0, 50);
});

test('without a position, or with one of another history, it hears from now on', async () => {
  const room = 'chat:path-now';
  const writer = await enter(cluster, cluster.edge(0), 'writer');
  const { epoch } = position(await joinAt(writer, room));
  await writer.ask({ type: 'send_message', room, payload: { n: 1 } });
  const plain = await open(room, '');
  expect((await plain.nextFrame('welcome')).payload?.position).toEqual({ epoch, offset: 1 });
  const other = await open(room, 'epoch=other&offset=0');
  expect((await other.nextFrame('welcome')).payload?.position).toEqual({
    epoch,
    offset: 1,
    recovered: false,
    reason: 'new_epoch',
  });
  const blind = await open(room, `epoch=${epoch}&offset=0`, { rooms: { 'chat:*': ['join'] } });
  expect((await blind.nextFrame('welcome')).payload?.position).toMatchObject({
    recovered: false,
    reason: 'no_history',
  });
  await writer.ask({ type: 'send_message', room, payload: { n: 2 } });
  for (const client of [plain, other, blind])
    expect(await client.nextFrame('new_message')).toMatchObject({ offset: 2 });
});

test.each(['epoch=e', 'offset=1', 'epoch=e&offset=-1', 'epoch=e&offset=1.5', 'epoch=e&offset=9007199254740993'])(
  'a position of %s is refused with 400',
  async query => {
    const refused = await open('chat:path', query).catch(error => error);
    expect(refused).toBeInstanceOf(UpgradeRefused);
    expect(refused.refusal).toMatchObject({ status: 400, body: expect.stringContaining('INVALID_PAYLOAD') });
  },
);

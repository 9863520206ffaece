/** The history of a room: positions, retries, pages, both encodings. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.js';
import { enter, joinAt, position, startWithHistory } from './support.js';

let cluster: TestCluster;
let rooms = 0;

beforeAll(async () => {
  cluster = await startWithHistory();
});

/** Alice speaks JSON at the first edge, Bob MessagePack at the second. */
async function aliceAndBob(namespace = 'chat') {
  rooms++;
  const room = `${namespace}:h${rooms}`;
  const alice = await enter(cluster, cluster.edge(0), `alice-${rooms}`);
  const bob = await enter(cluster, cluster.edge(1), `bob-${rooms}`, 'msgpack');
  const joined = await joinAt(alice, room);
  const start = namespace === 'plain' ? { epoch: '', offset: 0 } : position(joined);
  await joinAt(bob, room);
  const say = (n: number) => alice.ask({ type: 'send_message', room, payload: { n } });
  return { room, alice, bob, start, say };
}

describe('a room with history', () => {
  test('counts its messages in one order for both encodings; the ack has the offset, the sender gets no copy', async () => {
    const { room, alice, bob, start } = await aliceAndBob();
    expect(start).toEqual({ epoch: expect.any(String), offset: 0 });
    const { epoch } = start;
    expect(await alice.ask({ type: 'send_message', room, payload: { n: 1 } })).toMatchObject({
      type: 'ack',
      epoch,
      offset: 1,
    });
    const bytes = Uint8Array.of(0, 1, 255);
    expect(await bob.ask({ type: 'send_message', room, payload: { bytes } })).toMatchObject({
      type: 'ack',
      epoch,
      offset: 2,
    });
    expect(await bob.nextFrame('new_message')).toMatchObject({ epoch, offset: 1, room, payload: { n: 1 } });
    expect(await alice.nextFrame('new_message')).toMatchObject({
      epoch,
      offset: 2,
      payload: { bytes: { $base64: 'AAH/' } },
    });
    await alice.noFrame('new_message');
    await bob.noFrame('new_message');
  });

  test('a message that is repeated under its message_id is stored once, and gets the ack of the first one', async () => {
    const { room, alice, bob } = await aliceAndBob();
    const message = { type: 'send_message', room, message_id: 'same' };
    for (let time = 0; time < 2; time++) {
      expect(await alice.ask({ ...message, payload: { n: 1 } })).toMatchObject({ type: 'ack', offset: 1 });
    }
    expect(await bob.ask({ ...message, payload: { n: 2 } })).toMatchObject({ type: 'ack', offset: 2 });
    await bob.nextFrame({ type: 'new_message', offset: 1 });
    await alice.nextFrame({ type: 'new_message', offset: 2 });
    await bob.noFrame('new_message');
  });

  test('is read in pages, forward and backward, by both encodings', async () => {
    const { room, alice, bob, start, say } = await aliceAndBob();
    for (let n = 1; n <= 7; n++) await say(n);
    const ask = async (client: typeof alice, payload: object) => {
      const { payload: page } = await client.ask({ type: 'history', room, payload });
      const found = page?.messages as { offset: number; payload: { n: number } }[];
      return [found.map(({ offset }) => offset), page?.more, page?.next];
    };
    expect(await ask(bob, { since: 2, limit: 3 })).toEqual([[3, 4, 5], true, 5]);
    expect(await ask(bob, { since: 5, limit: 3 })).toEqual([[6, 7], false, undefined]);
    expect(await ask(bob, { since: 1, before: 6, limit: 2 })).toEqual([[2, 3], true, 3]);
    expect(await ask(alice, { limit: 2 })).toEqual([[6, 7], true, 6]);
    expect(await ask(alice, { before: 3 })).toEqual([[1, 2], false, undefined]);
    expect(await ask(alice, { since: 7 })).toEqual([[], false, undefined]);
    expect(await ask(alice, { limit: 0 })).toEqual([[], true, undefined]);
    const answer = await bob.ask({ type: 'history', room, payload: { limit: 1 } });
    expect(answer.payload).toMatchObject({
      room_id: room,
      epoch: start.epoch,
      messages: [
        { type: 'new_message', room, epoch: start.epoch, offset: 7, payload: { n: 7 }, sender: { id: alice.name } },
      ],
    });
    expect(await bob.ask({ type: 'history', room, payload: { since: 'x' } })).toMatchObject({
      type: 'error',
      payload: { code: 'INVALID_PAYLOAD' },
    });
  });

  test('rooms without history have no positions and an empty history', async () => {
    const { room, alice, say } = await aliceAndBob('plain');
    expect(await say(1)).not.toHaveProperty('offset');
    expect((await alice.ask({ type: 'history', room })).payload).toEqual({
      room_id: room,
      epoch: '',
      messages: [],
      more: false,
    });
  });
});

describe('a position that cannot be recovered from', () => {
  test.each([
    ['too_old', 'short', (epoch: string) => ({ epoch, offset: 1 }), [3, 4, 5, 6, 7]],
    ['new_epoch', 'chat', () => ({ epoch: 'another', offset: 1 }), []],
    ['new_epoch', 'chat', (epoch: string) => ({ epoch, offset: 1_000_000 }), []],
  ] as const)(
    'is answered %s in %s; the remaining messages arrive, then new ones',
    async (reason, namespace, since, still) => {
      const { room, start, say } = await aliceAndBob(namespace);
      for (let n = 1; n <= 7; n++) await say(n);
      const late = await enter(cluster, cluster.edge(1), `late-${rooms}`);
      expect(await joinAt(late, room, since(start.epoch))).toMatchObject({
        type: 'ack',
        payload: {
          ...start,
          offset: 7,
          recovered: false,
          reason,
          ...(still.length > 0 && { replayed_from: still[0] }),
        },
      });
      await say(8);
      for (const offset of [...still, 8]) expect(await late.nextFrame('new_message')).toMatchObject({ offset });
      await late.noFrame('new_message');
    },
  );

  test('within the history it is replayed, also to a member that asks again', async () => {
    const { room, start, say } = await aliceAndBob('short');
    for (let n = 1; n <= 7; n++) await say(n);
    const late = await enter(cluster, cluster.edge(1), `late-${rooms}`, 'msgpack');
    for (let time = 0; time < 2; time++) {
      const answer = await joinAt(late, room, { ...start, offset: 2 });
      expect(answer.payload).toEqual({ ...start, offset: 7, recovered: true });
      for (let n = 3; n <= 7; n++)
        expect(await late.nextFrame('new_message')).toMatchObject({ offset: n, payload: { n } });
    }
    await late.noFrame('new_message');
  });

  test('a malformed position is refused, and in a resume only that room', async () => {
    const { room, alice } = await aliceAndBob();
    expect(await joinAt(alice, room, { epoch: 'e', offset: -1 })).toMatchObject({
      payload: { code: 'INVALID_PAYLOAD' },
    });
    const answer = await alice.ask({
      type: 'resume',
      payload: { rooms: [{ room_id: '!' }, { room_id: 'plain:x' }, { room_id: room, epoch: 1 }] },
    });
    expect(answer.payload?.rooms).toEqual([
      { room_id: '!', error: { code: 'INVALID_ROOM', message: expect.any(String) } },
      { room_id: 'plain:x' },
      { room_id: room, error: { code: 'INVALID_PAYLOAD', message: expect.any(String) } },
    ]);
  });
});

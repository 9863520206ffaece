/** Each right taken away alone, and what then fails; and what a pattern opens. */
import type { Frame } from '@hubbub/protocol';
import { RIGHTS, type Right } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';

const ROOM = 'lab:1';
const NAMESPACES = { lab: { historySize: 10, events: ['vote'] }, quiz: {} };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startEmbedded({ env: withNamespaces(NAMESPACES) });
});

let users = 0;
async function withRights(rooms: readonly string[] | Record<string, readonly string[]>): Promise<RawClient> {
  const user = `u${++users}`;
  return await connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user, rooms }) });
}

/** Frames that need each right. `join` comes first: the others need membership. */
const NEEDS: Readonly<Record<Right, readonly object[]>> = {
  join: [{ type: 'join_room', payload: { room_id: ROOM } }],
  publish: [
    { type: 'send_message', room: ROOM, payload: { n: 1 } },
    { type: 'typing', room: ROOM },
    { type: 'stop_typing', room: ROOM },
  ],
  event: [{ type: 'vote', room: ROOM, payload: { n: 1 } }],
  presence: [{ type: 'online_users', room: ROOM }],
  history: [{ type: 'history', room: ROOM }],
};

const codeOf = (frame: Frame) => (frame.type === 'error' ? frame.payload?.code : 'ok');

describe('rights', () => {
  test.each(RIGHTS)('without %s only what needs it fails', async missing => {
    const client = await withRights({ 'lab:*': RIGHTS.filter(right => right !== missing) });
    for (const [right, frames] of Object.entries(NEEDS)) {
      for (const frame of frames) {
        const expected = right === missing ? 'FORBIDDEN' : missing === 'join' ? 'NOT_IN_ROOM' : 'ok';
        expect(codeOf(await client.ask(frame)), JSON.stringify(frame)).toBe(expected);
      }
    }
  });

  test('a resume needs join, too, and refuses the one room', async () => {
    const client = await withRights({ 'lab:*': ['publish'], 'quiz:7': ['join'] });
    const answer = await client.ask({ type: 'resume', payload: { rooms: [{ room_id: ROOM }, { room_id: 'quiz:7' }] } });
    expect(answer.payload?.rooms).toMatchObject([
      { room_id: ROOM, error: { code: 'FORBIDDEN' } },
      { room_id: 'quiz:7' },
    ]);
    const [, opened] = (answer.payload as { rooms: object[] }).rooms;
    expect(opened).not.toHaveProperty('error');
    expect(codeOf(await client.ask({ type: 'send_message', room: ROOM, payload: {} }))).toBe('NOT_IN_ROOM');
  });

  test.each(['join_room', 'resume'])('without history no position in %s returns earlier messages', async type => {
    const writer = await withRights(['lab:*']);
    await writer.join(ROOM);
    const { offset = 0 } = await writer.ask({ type: 'send_message', room: ROOM, payload: { secret: type } });
    const enter = async (client: RawClient, epoch: unknown) => {
      const place = { room_id: ROOM, epoch, offset: offset - 1 };
      const answer = await client.ask(
        type === 'resume' ? { type, payload: { rooms: [place] } } : { type, payload: place },
      );
      expect(answer.type).toBe('ack');
      return type === 'resume' ? (answer.payload?.rooms as object[] | undefined)?.[0] : answer.payload;
    };
    const learned = await writer.ask({ type: 'join_room', payload: { room_id: ROOM } });
    const epoch = learned.payload?.epoch;

    const deaf = await withRights({ 'lab:*': ['join', 'publish', 'presence'] });
    expect(await enter(deaf, epoch)).toMatchObject({ epoch, offset, recovered: false, reason: 'no_history' });
    const reader = await withRights({ 'lab:*': ['join', 'history'] });
    expect(await enter(reader, epoch)).toMatchObject({ recovered: true });
    await reader.nextFrame({ type: 'new_message', payload: { secret: type } });

    await writer.ask({ type: 'send_message', room: ROOM, payload: { after: type } });
    await deaf.nextFrame({ type: 'new_message', payload: { after: type } });
    await deaf.noFrame({ type: 'new_message', payload: { secret: type } });
  });

  test('patterns are taken letter by letter: neither a prefix, nor a namespace, nor another case opens more', async () => {
    const client = await withRights({ 'quiz:42': ['join'], 'lab:a*': ['join'] });
    const opened = ['quiz:42', 'lab:a', 'lab:abc'];
    const closed = ['quiz:421', 'quiz:4', 'quiz', 'Quiz:42', 'lab:b', 'lab', 'lab:', 'general', 'quiz:42:x', 'lab:A'];
    for (const room of [...opened, ...closed]) {
      const answer = codeOf(await client.ask({ type: 'join_room', payload: { room_id: room } }));
      expect(answer, room).toBe(opened.includes(room) ? 'ok' : 'FORBIDDEN');
    }
  });

  test('rooms that are an empty list open nothing, not even what is public', async () => {
    const client = await withRights([]);
    expect(codeOf(await client.ask({ type: 'join_room', payload: { room_id: 'general' } }))).toBe('FORBIDDEN');
  });
});

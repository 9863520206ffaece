/** Each right taken away alone, and what then fails; and what a pattern opens. */
import { HubbubClient } from '@hubbub/client';
import type { Frame } from '@hubbub/protocol';
import { RIGHTS, type Right } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, connectRefused, type RawClient } from '../support/raw-client.js';

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

  test('a refusal names the room, the right, and what the token has', async () => {
    const member = await withRights({ 'lab:*': ['join', 'presence'], 'quiz:7': ['join'] });
    await member.join(ROOM);
    const opens = ['lab:*', 'quiz:7'];
    for (const [right, frames] of Object.entries(NEEDS)) {
      if (right === 'join' || right === 'presence') continue;
      for (const frame of frames) {
        expect((await member.ask(frame)).payload).toEqual({
          code: 'FORBIDDEN',
          message: `The right \`${right}\` is missing in the room \`${ROOM}\`; granted there: \`join\`, \`presence\`.`,
          details: { room: ROOM, right, granted: ['join', 'presence'], opens },
        });
      }
    }
    const closed = {
      code: 'FORBIDDEN',
      message: 'The right `join` is missing in the room `quiz:8`; the token opens `lab:*`, `quiz:7`.',
      details: { room: 'quiz:8', right: 'join', granted: [], opens },
    };
    expect((await member.ask({ type: 'join_room', payload: { room_id: 'quiz:8' } })).payload).toEqual(closed);
    const resumed = await member.ask({ type: 'resume', payload: { rooms: [{ room_id: 'quiz:8' }] } });
    expect(resumed.payload?.rooms).toEqual([{ room_id: 'quiz:8', error: closed }]);
    const token = cluster.token({ user: 'late', rooms: { 'lab:*': ['join', 'presence'], 'quiz:7': ['join'] } });
    const refused = await connectRefused(cluster.edge(0).roomUrl('quiz:8'), { token });
    expect([refused.status, JSON.parse(refused.body)]).toEqual([403, closed]);
  });

  test('a refusal of a token without rooms names no namespace, and one of many patterns names the first five', async () => {
    const plain = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'plain' }) });
    expect((await plain.ask({ type: 'join_room', payload: { room_id: ROOM } })).payload).toEqual({
      code: 'FORBIDDEN',
      message: `The right \`join\` is missing in the room \`${ROOM}\`; the token opens public namespaces only.`,
      details: { room: ROOM, right: 'join', granted: [] },
    });
    const many = Array.from({ length: 6 }, (_, n) => `quiz:${n}${'x'.repeat(280)}`);
    const { payload } = await (await withRights(many)).ask({ type: 'join_room', payload: { room_id: ROOM } });
    const { opens } = (payload?.details ?? {}) as { opens?: string[] };
    expect(opens).toEqual(many.slice(0, 5).map(pattern => pattern.slice(0, 256)));
  });

  test('the client SDK hands over the details', async () => {
    const token = cluster.token({ user: 'sdk', rooms: ['quiz:*'] });
    const client = new HubbubClient({ url: cluster.edge(0).wsUrl, token });
    cleanup(() => client.close());
    await client.connect();
    await expect(client.room(ROOM).join()).rejects.toMatchObject({
      code: 'FORBIDDEN',
      details: { room: ROOM, right: 'join', granted: [], opens: ['quiz:*'] },
    });
  });

  test('rooms that are an empty list open nothing, not even what is public', async () => {
    const client = await withRights([]);
    expect(codeOf(await client.ask({ type: 'join_room', payload: { room_id: 'general' } }))).toBe('FORBIDDEN');
  });
});

/** Chat without its page: the names that clients of any making rely on, and what its service answers. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { PLAIN_CLIENT } from '../support/plain-client.js';
import { addRoom, session } from './chat-people.js';
import { EXAMPLE_TIMEOUT_MS, type RunningExample, startExample } from './support.js';

let example: RunningExample;

beforeAll(async () => {
  example = await startExample('chat');
}, EXAMPLE_TIMEOUT_MS);

async function online(url: string | undefined): Promise<number> {
  const answer = (await (await fetch(`${url}/ws/online`)).json()) as { online: number };
  return answer.online;
}

describe('names that a client of any making relies on', () => {
  test('a message goes to the others and not to its sender, who gets the ack; with what it answers', async () => {
    const [ada, bob] = [await session(example, 'Ada', 0), await session(example, 'Bob', 1)];
    await ada.join('chat:names');
    const [first] = [await ada.nextFrame('room_info')];
    expect(first.payload).toMatchObject({ room_id: 'chat:names', users: [{ name: 'Ada' }], count: 1 });
    await bob.join('chat:names');
    await ada.nextFrame({ type: 'user_joined', payload: { user: { name: 'Bob' }, count: 2 } });

    ada.send({ type: 'send_message', room: 'chat:names', id: 'm1', payload: { content: 'hi', reply_to: 'm0' } });
    const { payload: named } = await ada.nextFrame({ type: 'ack', id: 'm1' });
    const id = String(named?.message_id);
    const got = await bob.nextFrame({ type: 'new_message', id, sender: { name: 'Ada' } });
    expect(got.payload).toEqual({ content: 'hi', reply_to: 'm0' });
    bob.send({ type: 'send_message', room: 'chat:names', payload: { content: 'the barrier' } });
    await ada.noFrame({ type: 'new_message', id }, () => ada.nextFrame({ payload: { content: 'the barrier' } }));

    ada.send({ type: 'typing', room: 'chat:names' });
    await bob.nextFrame({ type: 'user_typing', sender: { name: 'Ada' } });
    ada.send({ type: 'stop_typing', room: 'chat:names' });
    await bob.nextFrame({ type: 'user_stopped_typing', sender: { name: 'Ada' } });
    for (const each of [ada, bob]) {
      const { type, payload } = await each.ask({ type: 'online_users', room: 'chat:names' });
      expect(type).toBe('online_users');
      expect(payload).toMatchObject({ room_id: 'chat:names', count: 2 });
      const users = payload?.users as { name: string }[];
      expect(users.map(({ name }) => name).sort()).toEqual(['Ada', 'Bob']);
    }
    await bob.ask({ type: 'leave_room', payload: { room_id: 'chat:names' } });
    await ada.nextFrame({ type: 'user_left', payload: { user: { name: 'Bob' }, count: 1 } });
  });

  test.each([
    ['INVALID_FORMAT', 'no JSON at all'],
    ['UNKNOWN_TYPE', '{"type":"shout","room":"chat:errors","payload":{}}'],
    ['MISSING_ROOM', '{"type":"send_message","payload":{"content":"hi"}}'],
    ['NOT_IN_ROOM', '{"type":"send_message","room":"chat:elsewhere","payload":{"content":"hi"}}'],
    ['INVALID_PAYLOAD', '{"type":"send_message","room":"chat:errors","payload":"hi"}'],
  ])('the person gets %s', async (code, frame) => {
    const ada = await session(example, 'Ada', 0);
    await ada.join('chat:errors');
    ada.sendRaw(frame);
    expect((await ada.nextFrame('error')).payload).toMatchObject({ code });
    await ada.ping(); // It continues.
  });

  test('the limits are the defaults: 4,096 bytes, 60 s of silence, room for 256 messages', async () => {
    const ada = await session(example, 'Ada', 1);
    const { payload } = await ada.nextFrame('welcome');
    const limits = { max_frame_bytes: 4096, idle_timeout_ms: 60_000, max_buffered_bytes: 256 * 4096 };
    expect(payload?.limits).toMatchObject(limits);
    await ada.join('chat:limits');
    ada.send({ type: 'send_message', room: 'chat:limits', payload: { content: 'x'.repeat(4096) } });
    await ada.nextFrame({ type: 'error', payload: { code: 'TOO_LARGE' } });
  });

  test('the number online is that of the whole cluster, from every edge and for the page', async () => {
    const before = await online(example.edges[1]?.httpUrl);
    await Promise.all([session(example, 'Ada', 0), session(example, 'Bob', 1)]);
    for (const url of [example.edges[1]?.httpUrl, example.url]) {
      await eventually(async () => (await online(url)) >= before + 2, { describe: `${url} counts both` });
    }
  });

  test('a plain client of 60 lines works unchanged', async () => {
    const tokens = await Promise.all(
      ['Ada', 'Bob'].map(async name => (await example.ask('POST', '/api/sign-in', { name })).body as { token: string }),
    );
    const page = await example.openPage('/', { edge: 1 });
    const urls = example.edges.map(({ wsUrl }) => wsUrl);
    const story = await page.evaluate(
      async ({ source, urls, tokens }) => {
        const ChatClient = new Function(`${source}; return ChatClient;`)();
        const [ada, bob] = tokens.map(({ token }, index) => new ChatClient(urls[index], token));
        const next = (client: { on(type: string, handler: (frame: object) => void): void }, type: string) =>
          new Promise<object>(resolve => client.on(type, resolve));
        await Promise.all([next(ada, 'open'), next(bob, 'open')]);
        const here = next(ada, 'room_info');
        ada.join('chat:plain');
        await here;
        const joined = next(ada, 'user_joined');
        bob.join('chat:plain');
        const [user, typing, message, ack] = [
          await joined,
          next(bob, 'user_typing'),
          next(bob, 'new_message'),
          next(ada, 'ack'),
        ];
        ada.typing('chat:plain');
        ada.say('chat:plain', 'hello');
        const heard = { joined: user, typing: await typing, message: await message, ack: await ack };
        ada.stop();
        bob.stop();
        return heard;
      },
      { source: PLAIN_CLIENT, urls, tokens },
    );
    expect(story.joined).toMatchObject({ payload: { user: { name: 'Bob' }, count: 2 } });
    expect(story.typing).toMatchObject({ sender: { name: 'Ada' } });
    expect(story.message).toMatchObject({ room: 'chat:plain', sender: { name: 'Ada' }, payload: { content: 'hello' } });
    expect(story.ack).toMatchObject({ type: 'ack', id: (story.message as { id?: string }).id });
  });
});

describe('the service', () => {
  test('signs in by a name, the same person by its key, and refuses a wrong key', async () => {
    const first = (await example.ask('POST', '/api/sign-in', { name: 'Ada' })).body as Record<string, unknown>;
    const again = await example.ask('POST', '/api/sign-in', { name: 'Ada', key: first.key });
    expect(again.body).toMatchObject({ user: first.user, key: first.key });
    for (const wrong of [{}, { name: ' ' }, { name: 'x', key: 'short' }, { name: 'x', role: 'admin' }]) {
      expect(await example.ask('POST', '/api/sign-in', wrong)).toEqual({
        status: 400,
        body: { error: 'incorrect request' },
      });
    }
  });

  test('a new room is in the lists of others immediately, and after the service was killed', async () => {
    const ada = await session(example, 'Ada', 1);
    const id = await addRoom(example, 'Über uns!');
    expect(id).toBe('chat:uber-uns');
    await ada.nextFrame({ type: 'room_listed', payload: { room: { id, name: 'Über uns!' } } });
    await example.service.kill();
    await example.service.start();
    const { body } = await example.ask('GET', '/api/rooms');
    expect((body as { rooms: { id: string }[] }).rooms.filter(room => room.id === id)).toHaveLength(1);
  });
});

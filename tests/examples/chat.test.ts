/** Chat, as people use it: pages on two edges, bare sessions that know the names alone, an edge that dies meanwhile. */
import { connectHubbub } from '@hubbub/server';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { PLAIN_CLIENT } from '../support/plain-client.js';
import type { RawClient } from '../support/raw-client.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { EXAMPLE_TIMEOUT_MS, type RunningExample, startExample } from './support.js';

let example: RunningExample;

beforeAll(async () => {
  example = await startExample('chat');
}, EXAMPLE_TIMEOUT_MS);

/** Opens a page in the room, signed in. */
async function enter(name: string, edge: 0 | 1, room: string): Promise<Page> {
  const page = await example.openPage(`/#${room}`, { edge });
  await signIn(page, name, room);
  return page;
}

async function signIn(page: Page, name: string, room: string): Promise<void> {
  await page.fill('#name', name);
  await page.press('#name', 'Enter');
  await inRoom(page, room);
}

async function inRoom(page: Page, room: string): Promise<void> {
  await page.waitForSelector('[data-connection=open]');
  await page.waitForSelector(`[data-room="${room}"][aria-current]`);
  await page.waitForSelector('#roster li');
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

async function texts(page: Page): Promise<string[]> {
  return await page.locator('.message .text').allTextContents();
}

async function addRoom(name: string): Promise<string> {
  const { body } = await example.ask('POST', '/api/rooms', { name });
  return (body as { room: { id: string } }).room.id;
}

/** As a service does: faster than a client may. */
async function publish(room: string, count: number, from = 1): Promise<void> {
  const hubbub = connectHubbub({ redisUrl: example.redis.url, redisPrefix: example.redis.prefix });
  for (let n = from; n < from + count; n++) {
    const payload = { content: `number ${n}` };
    await hubbub.publishToRoom(room, { type: 'new_message', id: `n${n}`, payload, sender: { id: 'log', name: 'Log' } });
  }
  await hubbub.close();
}

async function session(name: string, edge: 0 | 1): Promise<RawClient> {
  const { body } = await example.ask('POST', '/api/sign-in', { name });
  return await example.connect('/ws', { name, edge, token: (body as { token: string }).token, tokenIn: 'query' });
}

describe('pages', () => {
  test('talk: a message is at the other edge, the own one once and sent; who answers quotes', async () => {
    const room = await addRoom('Talk');
    const ada = await enter('Ada', 0, room);
    const bob = await enter('Bob', 1, room);
    await say(ada, 'Hello <b>Bob</b>');
    await bob.waitForSelector('text=Hello <b>Bob</b>');
    await ada.waitForSelector('.message.own.sent');
    expect(await texts(ada)).toEqual(['Hello <b>Bob</b>']);

    await bob.press('#text', 'ArrowUp'); // To the newest message,
    await bob.keyboard.press('r'); // and answers it.
    await bob.keyboard.type('line one');
    await bob.keyboard.press('Shift+Enter');
    await bob.keyboard.type('line two');
    await bob.keyboard.press('Enter');
    const answer = ada.locator('.message', { hasText: 'line one\nline two' });
    await answer.waitFor();
    expect(await answer.locator('.quote').textContent()).toContain('Hello <b>Bob</b>');
    await answer.locator('.quote').click();
    expect(await ada.evaluate(() => document.activeElement?.textContent)).toContain('Hello <b>Bob</b>');
  });

  test('tell who types, until it is sent or given up, and who is here', async () => {
    const room = await addRoom('Typing');
    const ada = await enter('Ada', 0, room);
    const bob = await enter('Bob', 1, room);
    await ada.waitForSelector('#roster li:has-text("Bob")');
    expect(await ada.textContent('#people-title')).toBe('In this room: 2');

    await bob.type('#text', 'I th');
    await ada.waitForSelector('#typing:has-text("Bob is typing")');
    await bob.fill('#text', '');
    await ada.waitForSelector('#typing:empty', { state: 'attached' });
    await bob.click('#leave');
    await ada.waitForSelector('#people-title:has-text("In this room: 1")');
    await ada.waitForSelector('#online:has-text("online")');
  });

  test('a reload shows what was said; what came in another room is unread', async () => {
    const [room, other] = [await addRoom('Reload'), await addRoom('Other')];
    const ada = await enter('Ada', 0, room);
    const bob = await enter('Bob', 1, room);
    for (const text of ['one', 'two', 'three']) await say(bob, text);
    await ada.waitForSelector('.text:text-is("three")');
    await ada.click(`[data-room="${other}"]`);
    await inRoom(ada, other);
    await say(bob, 'four');
    const unread = ada.locator(`[data-room="${room}"] .unread`);
    await unread.waitFor();
    expect(await unread.textContent()).toMatch(/^1/);

    await ada.reload();
    await inRoom(ada, other);
    await unread.waitFor(); // Not even that is forgotten.
    await ada.click(`[data-room="${room}"]`);
    await ada.waitForSelector('.divider.new');
    expect(await texts(ada)).toEqual(['one', 'two', 'three', 'four']);
    await unread.waitFor({ state: 'detached' });
  });

  test('nothing is lost or doubled when the edge of one dies while both talk', { timeout: 60_000 }, async () => {
    const room = await addRoom('Storm');
    const doomed = await example.cluster.addEdge();
    const balancer = await startTcpProxy({ to: doomed.process.port });
    const ada = await example.openPage(`/#${room}`);
    const config = { title: 'Chat', edges: [`ws://127.0.0.1:${balancer.port}`] };
    await ada.route('**/config.json', route => route.fulfill({ json: config }));
    await signIn(ada, 'Ada', room);
    const bob = await enter('Bob', 1, room);
    const expected: string[] = [];
    for (let n = 1; n <= 12; n++) {
      if (n === 4) await doomed.process.kill();
      if (n === 8) balancer.retarget(example.cluster.edge(0).process.port);
      await say(ada, `ada ${n}`);
      await say(bob, `bob ${n}`);
      expected.push(`ada ${n}`, `bob ${n}`);
    }
    const complete = async (page: Page) => (await texts(page)).length >= expected.length;
    await eventually(() => complete(bob), { withinMs: 30_000, describe: 'bob has everything' });
    await eventually(() => complete(ada), { withinMs: 30_000, describe: 'ada has everything' });
    await ada.waitForFunction(() => document.querySelector('.sending, .failed') === null);
    expect([...(await texts(bob))].sort()).toEqual(expected.sort());
    expect(await texts(ada), 'both in one order').toEqual(await texts(bob));
  });

  test('older messages come page by page, also where somebody answers one of them', async () => {
    const room = await addRoom('Archive');
    await publish(room, 120);
    const bob = await session('Bob', 1);
    await bob.join(room);
    await bob.ask({ type: 'send_message', room, payload: { content: 'as you said', reply_to: 'n7' } });
    const ada = await enter('Ada', 0, room);
    await ada.waitForSelector('.text:text-is("as you said")');
    expect((await texts(ada))[0]).toBe('number 72');
    await ada.click('#earlier');
    await ada.waitForSelector('.text:text-is("number 22")', { state: 'attached' });
    await ada.click('.quote');
    await ada.waitForSelector('.message.flash .text:text-is("number 7")');
    expect(await texts(ada)).toHaveLength(121);
    await ada.waitForSelector('#earlier', { state: 'hidden' });
  });

  test('who was away for longer than the history reaches is told that messages are missing, and where', async () => {
    const room = await addRoom('Gap');
    const network = await startTcpProxy({ to: example.cluster.edge(0).process.port });
    const ada = await example.openPage(`/#${room}`);
    const config = { title: 'Chat', edges: [`ws://127.0.0.1:${network.port}`] };
    await ada.route('**/config.json', route => route.fulfill({ json: config }));
    await signIn(ada, 'Ada', room);
    await publish(room, 2);
    await ada.waitForSelector('.text:text-is("number 2")');
    network.sever();
    await ada.waitForSelector('[data-connection=waiting]');
    await publish(room, 600, 3);
    network.mend();
    await ada.waitForSelector('.text:text-is("number 602")');
    const place = '.message:has(.text:text-is("number 2")) + .divider.hole + .message .text';
    expect(await ada.textContent(place)).toBe('number 103'); // The last 500 are kept.
    expect(await texts(ada)).toHaveLength(2 + 500);
  });

  test('what was on its way when the page was reloaded is sent once it is connected again', async () => {
    const room = await addRoom('Outbox');
    const network = await startTcpProxy({ to: example.cluster.edge(0).process.port });
    const ada = await example.openPage(`/#${room}`);
    const config = { title: 'Chat', edges: [`ws://127.0.0.1:${network.port}`] };
    await ada.route('**/config.json', route => route.fulfill({ json: config }));
    await signIn(ada, 'Ada', room);
    const bob = await session('Bob', 1);
    await bob.join(room);
    network.sever();
    await ada.waitForSelector('[data-connection=waiting]');
    await say(ada, 'not gone');
    await ada.waitForSelector('.message.sending');
    await ada.reload();
    network.mend();
    await bob.nextFrame({ type: 'new_message', payload: { content: 'not gone' } });
    await ada.waitForSelector('.message.sent .text:text-is("not gone")');
    expect(await texts(ada)).toEqual(['not gone']);
  });

  test('a message that cannot be sent says so, and is there once when it is tried again', async () => {
    const room = await addRoom('Failing');
    const ada = await enter('Ada', 1, room);
    const bob = await session('Bob', 1);
    await bob.join(room);
    // What the hub refuses: a frame that was spoilt on its way.
    await ada.evaluate(() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (typeof data !== 'string' || !data.includes('send_message')) return send.call(this, data);
        WebSocket.prototype.send = send;
        send.call(this, data.replace('send_message', 'send_nothing'));
      };
    });
    await say(ada, 'again and again');
    await ada.click('.failed >> text=Try again');
    await bob.nextFrame({ type: 'new_message', payload: { content: 'again and again' } });
    await ada.waitForSelector('.message.sent');
    expect(await texts(ada)).toEqual(['again and again']);
  });
});

describe('names that a client of any making relies on', () => {
  test('a message goes to the others and not to its sender, who gets the ack; with what it answers', async () => {
    const [ada, bob] = [await session('Ada', 0), await session('Bob', 1)];
    await ada.join('chat:names');
    const [first] = [await ada.nextFrame('room_info')];
    expect(first.payload).toMatchObject({ room_id: 'chat:names', users: [{ name: 'Ada' }], count: 1 });
    await bob.join('chat:names');
    await ada.nextFrame({ type: 'user_joined', payload: { user: { name: 'Bob' }, count: 2 } });

    ada.send({ type: 'send_message', room: 'chat:names', id: 'm1', payload: { content: 'hi', reply_to: 'm0' } });
    await ada.nextFrame({ type: 'ack', id: 'm1' });
    const got = await bob.nextFrame({ type: 'new_message', id: 'm1', sender: { name: 'Ada' } });
    expect(got.payload).toEqual({ content: 'hi', reply_to: 'm0' });
    bob.send({ type: 'send_message', room: 'chat:names', payload: { content: 'the barrier' } });
    await ada.noFrame({ type: 'new_message', id: 'm1' }, () => ada.nextFrame({ payload: { content: 'the barrier' } }));

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
  ])('%s is what they are told', async (code, frame) => {
    const ada = await session('Ada', 0);
    await ada.join('chat:errors');
    ada.sendRaw(frame);
    expect((await ada.nextFrame('error')).payload).toMatchObject({ code });
    await ada.ping(); // It goes on.
  });

  test('the limits are the defaults: 4,096 bytes, 60 s of silence, room for 256 messages', async () => {
    const ada = await session('Ada', 1);
    const { payload } = await ada.nextFrame('welcome');
    const limits = { max_frame_bytes: 4096, idle_timeout_ms: 60_000, max_buffered_bytes: 256 * 4096 };
    expect(payload?.limits).toMatchObject(limits);
    await ada.join('chat:limits');
    ada.send({ type: 'send_message', room: 'chat:limits', payload: { content: 'x'.repeat(4096) } });
    await ada.nextFrame({ type: 'error', payload: { code: 'TOO_LARGE' } });
  });

  test('the number online is that of the whole cluster, from every edge and for the page', async () => {
    const before = await online(example.edges[1]?.httpUrl);
    await Promise.all([session('Ada', 0), session('Bob', 1)]);
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
  test('signs in by a name, the same person by its key, and refuses what is none', async () => {
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

  test('a new room is in the lists of others at once, and after the service was killed', async () => {
    const ada = await session('Ada', 1);
    const id = await addRoom('Über uns!');
    expect(id).toBe('chat:uber-uns');
    await ada.nextFrame({ type: 'room_listed', payload: { room: { id, name: 'Über uns!' } } });
    await example.service.kill();
    await example.service.start();
    const { body } = await example.ask('GET', '/api/rooms');
    expect((body as { rooms: { id: string }[] }).rooms.filter(room => room.id === id)).toHaveLength(1);
  });
});

async function online(url: string | undefined): Promise<number> {
  const answer = (await (await fetch(`${url}/ws/online`)).json()) as { online: number };
  return answer.online;
}

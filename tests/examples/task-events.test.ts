/** Domain events of programs that know nothing of WebSockets, as pages on two edges see them; and a service that dies meanwhile. */
import { randomUUID } from 'node:crypto';
import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RawClient } from '../support/raw-client.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { EXAMPLE_TIMEOUT_MS, goThrough, type RunningExample, startExample } from './support.js';

let example: RunningExample;
/** A chat of Ada's and Bob's; each test has its own. */
let chatId: string;

beforeAll(async () => {
  example = await startExample('task-events', { times: { EXAMPLE_LEASE_MS: 1000 } });
}, EXAMPLE_TIMEOUT_MS);

beforeEach(async () => {
  chatId = await newChat('Ada', ['Bob']);
});

describe('on pages', () => {
  test('events of another program appear on both edges: posted, edited, a task, and who types', async () => {
    const ada = await open('Ada', 0);
    const bob = await open('Bob', 1);
    await append({
      event: 'MessagePosted',
      chat_id: chatId,
      message_id: 'm1',
      user_id: 'bob',
      text: 'first <i>words</i>',
    });
    for (const page of [ada, bob]) await page.waitForSelector('[data-message=m1] .text:text-is("first <i>words</i>")');
    await append({ event: 'MessageEdited', chat_id: chatId, message_id: 'm1', text: 'second words' });
    for (const page of [ada, bob]) await page.waitForSelector('[data-message=m1]:has-text("second words edited")');
    await append({ event: 'StatusChanged', chat_id: chatId, task_id: 'T-9', status: 'doing', title: 'Paint it' });
    for (const page of [ada, bob]) await page.waitForSelector('[data-task=T-9]:has-text("Paint it") .doing');
    await append({ event: 'StatusChanged', chat_id: chatId, task_id: 'T-9', status: 'done' });
    await ada.waitForSelector('[data-task=T-9]:has-text("Paint it") .done');

    await bob.type('#text', 'I');
    await ada.waitForSelector('#typing:has-text("Bob is typing")');
    await bob.press('#text', 'Enter'); // The page's own messages go the same way.
    await ada.waitForSelector('.message:has-text("Bob") .text:text-is("I")');
    await ada.waitForSelector('#typing:empty', { state: 'attached' });
  });

  test('a notification is only at both tabs of its user; read in one it is read in both', async () => {
    const [first, second, bob] = [await open('Ada', 0), await open('Ada', 1), await open('Bob', 1)];
    const before = await bellOf(bob);
    await example.redis.cli(
      'PUBLISH',
      `${example.redis.prefix}:domain-events`,
      JSON.stringify({
        event: 'NotificationCreated',
        user_id: 'ada',
        notification_id: `n-${chatId}`,
        text: 'Your turn',
      }),
    );
    for (const tab of [first, second]) {
      await tab.waitForSelector('.toast:has-text("Your turn")');
      await tab.waitForSelector('#bell-count');
    }
    await append({ event: 'MessagePosted', chat_id: chatId, message_id: 'later', user_id: 'ada', text: 'the barrier' });
    await bob.waitForSelector('[data-message=later]');
    expect(await bellOf(bob)).toBe(before);

    await first.click('.bell');
    await first.waitForSelector('#notifications li:has-text("Your turn")');
    await second.waitForSelector('#bell-count', { state: 'detached' });
  });

  test('an unsubscribed page gets nothing, until it subscribes again and sees what it missed', async () => {
    const ada = await open('Ada', 0);
    await ada.click('#subscription');
    await ada.waitForSelector('.notice:has-text("Not subscribed")');
    await append({ event: 'MessagePosted', chat_id: chatId, message_id: 'm2', user_id: 'bob', text: 'unheard' });
    const bob = await open('Bob', 1);
    await bob.waitForSelector('[data-message=m2]');
    expect(await ada.locator('[data-message=m2]').count()).toBe(0);
    await ada.click('#subscription');
    await ada.waitForSelector('[data-message=m2]');
  });

  test('after a lost connection the page subscribes again and has everything', async () => {
    const network = await startTcpProxy({ to: example.cluster.edge(0).process.port });
    const ada = await open('Ada', 0, `ws://127.0.0.1:${network.port}`);
    network.sever();
    await ada.waitForSelector('[data-connection=waiting]');
    await append({ event: 'MessagePosted', chat_id: chatId, message_id: 'away', user_id: 'bob', text: 'while away' });
    network.restore();
    await ada.waitForSelector('[data-message=away]');
    await append({ event: 'MessagePosted', chat_id: chatId, message_id: 'back', user_id: 'bob', text: 'and after' });
    await ada.waitForSelector('[data-message=back]');
  });
});

describe('by name', () => {
  test('the frames of a chat have the names and fields that clients rely on', async () => {
    const ada = await subscriber('Ada', 0);
    const room = `chat:${chatId}`;
    const [at, about] = ['2026-03-01T10:00:00.000Z', { chat_id: chatId, message_id: 'm1' }];
    await append({ event: 'MessagePosted', ...about, user_id: 'bob', text: 'hi', at });
    const posted = await ada.nextFrame({ type: 'chat.message.posted', room });
    expect(posted.payload).toEqual({ ...about, author: { id: 'bob', name: 'Bob' }, text: 'hi', at });
    expect(posted.sender).toEqual({ id: 'bob', name: 'Bob' });
    await append({ event: 'MessageEdited', ...about, text: 'ho', at });
    const edited = await ada.nextFrame({ type: 'chat.message.edited', room });
    expect(edited.payload).toEqual({ ...about, text: 'ho', edited_at: at });
    const task = { chat_id: chatId, task_id: 'T-1', status: 'review', title: 'Look' };
    await append({ event: 'StatusChanged', ...task, at });
    const updated = await ada.nextFrame({ type: 'task.updated', room });
    expect(updated.payload).toEqual({ ...task, updated_at: at });
    ada.send({ type: 'ping', id: 'p1' });
    await ada.nextFrame({ type: 'pong', id: 'p1' });
  });

  test('a chat that one does not belong to is refused, and nothing of it arrives; nor by join_room', async () => {
    const cleo = await session('Cleo', 1);
    const ada = await subscriber('Ada', 0);
    const id = await tell(cleo, 'subscribe.chat', { chat_id: chatId });
    const refused = await cleo.nextFrame({ type: 'error', id });
    expect(refused.payload).toMatchObject({ code: 'FORBIDDEN', chat_id: chatId });
    const joined = await cleo.ask({ type: 'join_room', payload: { room_id: `chat:${chatId}` } });
    expect(joined).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
    const typing = await tell(cleo, 'chat.typing', { chat_id: chatId });
    await cleo.nextFrame({ type: 'error', id: typing, payload: { code: 'NOT_IN_ROOM' } });

    await append({ event: 'MessagePosted', chat_id: chatId, message_id: 'm1', user_id: 'bob', text: 'secret' });
    await ada.nextFrame('chat.message.posted');
    await append({
      event: 'NotificationCreated',
      user_id: 'cleo',
      notification_id: `c-${chatId}`,
      text: 'the barrier',
    });
    await cleo.noFrame('chat.message.posted', () => cleo.nextFrame('notification.new'));
  });

  test.each([
    ['no chat', {}],
    ['a number', { chat_id: 7 }],
    ['a name that no chat can have', { chat_id: 'a b' }],
  ])('a subscription to %s is an INVALID_PAYLOAD', async (_what, payload) => {
    const ada = await session('Ada', 0);
    const id = await tell(ada, 'subscribe.chat', payload);
    await ada.nextFrame({ type: 'error', id, payload: { code: 'INVALID_PAYLOAD' } });
  });

  test('unsubscribe.chat ends it for this connection, and not for the other of the same user', async () => {
    const [first, second] = [await subscriber('Ada', 0), await subscriber('Ada', 1)];
    await tell(first, 'unsubscribe.chat', { chat_id: chatId });
    await first.nextFrame({ type: 'room_closed', payload: { removed: true } });
    await append({ event: 'MessagePosted', chat_id: chatId, message_id: 'm1', user_id: 'bob', text: 'hi' });
    await second.nextFrame('chat.message.posted');
    await append({ event: 'NotificationCreated', user_id: 'ada', notification_id: `u-${chatId}`, text: 'the barrier' });
    await first.noFrame('chat.message.posted', () => first.nextFrame({ payload: { text: 'the barrier' } }));
  });

  test('a user who is removed from a chat gets nothing more of it, and may not subscribe again', async () => {
    const bob = await subscriber('Bob', 1);
    const { status } = await askAs('Ada', 'DELETE', `/api/chats/${chatId}/members/bob`);
    expect(status).toBe(200);
    await bob.nextFrame({ type: 'room_closed', payload: { removed: true } });
    const id = await tell(bob, 'subscribe.chat', { chat_id: chatId });
    await bob.nextFrame({ type: 'error', id, payload: { code: 'FORBIDDEN' } });
  });
});

describe('a service that dies', () => {
  test('finds what was appended meanwhile, in order and once', async () => {
    const ada = await subscriber('Ada', 0);
    const count = 30;
    for (let n = 1; n <= count; n++) {
      if (n === 10) await example.service.kill();
      if (n === 20) await example.service.start();
      await append({
        event: 'MessagePosted',
        chat_id: chatId,
        message_id: `n${n}`,
        user_id: 'bob',
        text: `number ${n}`,
      });
    }
    await append({ event: 'StatusChanged', chat_id: chatId, task_id: 'T-last', status: 'done' });
    await ada.nextFrame('task.updated');
    const texts = ada.frames.filter(({ type }) => type === 'chat.message.posted').map(({ payload }) => payload?.text);
    expect(texts).toEqual(Array.from({ length: count }, (_, index) => `number ${index + 1}`));
  });

  test('is not needed twice: a second instance stands by, and takes over when the first is killed', async () => {
    const ada = await subscriber('Ada', 1);
    const second = await example.service.startAnother();
    await example.redis.cli(
      'PUBLISH',
      `${example.redis.prefix}:domain-events`,
      JSON.stringify({ event: 'MessagePosted', chat_id: chatId, message_id: 'm1', user_id: 'bob', text: 'one' }),
    );
    await ada.nextFrame({ type: 'chat.message.posted', payload: { text: 'one' } });
    await example.service.kill();
    await append({ event: 'MessagePosted', chat_id: chatId, message_id: 'm2', user_id: 'bob', text: 'two' });
    await ada.nextFrame({ type: 'chat.message.posted', payload: { text: 'two' } });
    await tell(ada, 'unsubscribe.chat', { chat_id: chatId });
    await ada.nextFrame('room_closed');
    expect(ada.frames.filter(({ type }) => type === 'chat.message.posted')).toHaveLength(2);
    await example.service.start();
    await second.process.kill();
  });

  test('puts a malformed domain event aside, with the reason, and continues', async () => {
    const ada = await subscriber('Ada', 0);
    const stream = `${example.redis.prefix}:domain:events`;
    await example.redis.cli('XADD', stream, '*', 'event', 'no JSON');
    await append({ event: 'MessagePosted', chat_id: 'nowhere', message_id: 'm1', user_id: 'bob', text: 'hi' });
    await append({ event: 'StatusChanged', chat_id: chatId, task_id: 'T-1', status: 'eaten' });
    await example.redis.cli('XADD', stream, '*', 'what', 'else');
    await append({ event: 'MessagePosted', chat_id: chatId, message_id: 'm2', user_id: 'bob', text: 'good' });
    await ada.nextFrame({ type: 'chat.message.posted', payload: { text: 'good' } });
    const dead = await example.redis.cli('XRANGE', `${stream}:dead`, '-', '+');
    for (const reason of ['not JSON', 'there is no chat nowhere', 'status: ']) expect(dead).toContain(reason);
    await eventually(async () => (await example.redis.cli('XPENDING', stream, 'task-events')).startsWith('0'), {
      describe: 'everything is acknowledged',
    });
  });
});

/** As another program would, with redis-cli. */
async function append(event: object): Promise<void> {
  await example.redis.cli('XADD', `${example.redis.prefix}:domain:events`, '*', 'event', JSON.stringify(event));
}

/** Opens a page that is signed in and hears of the chat. */
async function open(name: string, edge: 0 | 1, wsUrl?: string): Promise<Page> {
  const page = await example.openPage(`/#${chatId}`, { edge });
  if (wsUrl !== undefined) await goThrough(page, wsUrl);
  await page.fill('#name', name);
  await page.press('#name', 'Enter');
  await page.waitForSelector(`[data-room="${chatId}"][aria-current]`);
  await page.waitForSelector('[data-subscription=open]');
  return page;
}

async function bellOf(page: Page): Promise<string | null> {
  return await page.getAttribute('.bell', 'aria-label');
}

async function keyOf(name: string): Promise<string> {
  const { body } = await example.ask('POST', '/api/sign-in', { name });
  return (body as { key: string }).key;
}

async function askAs(name: string, method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${await keyOf(name)}`, 'content-type': 'application/json' };
  const init = body === undefined ? { method, headers: { authorization: headers.authorization } } : { method, headers };
  const response = await fetch(`${example.url}${path}`, { ...init, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function newChat(name: string, members: readonly string[]): Promise<string> {
  return String((await askAs(name, 'POST', '/api/chats', { title: 'Story', members })).body.chat_id);
}

async function session(name: string, edge: 0 | 1): Promise<RawClient> {
  const { body } = await askAs(name, 'POST', '/api/token', {});
  return await example.connect('/ws', { name, edge, token: String(body.token) });
}

/** Sends a client event and returns its id when it is acknowledged. Answers have that id, and may come before the `ack`. */
async function tell(client: RawClient, type: string, payload: object): Promise<string> {
  const id = randomUUID();
  client.send({ type, payload, id });
  await client.nextFrame({ type: 'ack', id });
  return id;
}

async function subscriber(name: string, edge: 0 | 1): Promise<RawClient> {
  const client = await session(name, edge);
  await tell(client, 'subscribe.chat', { chat_id: chatId });
  await client.nextFrame({ type: 'room_opened', payload: { room_id: `chat:${chatId}` } });
  return client;
}

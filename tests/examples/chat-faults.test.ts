/** The chat's pages when an edge dies, and when their network breaks. */
import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { addRoom, enter, publish, say, session, signIn, texts } from './chat-people.js';
import { EXAMPLE_TIMEOUT_MS, goThrough, type RunningExample, startExample } from './support.js';

let example: RunningExample;

beforeAll(async () => {
  example = await startExample('chat');
}, EXAMPLE_TIMEOUT_MS);

/** Opens a page by way of `network` instead of the edges that the service names. */
async function enterThrough(network: TcpProxy, name: string, room: string): Promise<Page> {
  const page = await example.openPage(`/#${room}`);
  await goThrough(page, `ws://127.0.0.1:${network.port}`);
  await signIn(page, name, room);
  return page;
}

test('nothing is lost or doubled when the edge of one dies while both talk', async () => {
  const room = await addRoom(example, 'Storm');
  const doomed = await example.cluster.addEdge();
  const balancer = await startTcpProxy({ to: doomed.process.port });
  const ada = await enterThrough(balancer, 'Ada', room);
  const bob = await enter(example, 'Bob', 1, room);
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

test('after an absence longer than the history, the page shows that messages are missing, and where', async () => {
  const room = await addRoom(example, 'Gap');
  const network = await startTcpProxy({ to: example.cluster.edge(0).process.port });
  const ada = await enterThrough(network, 'Ada', room);
  await publish(example, room, 2);
  await ada.waitForSelector('.text:text-is("number 2")');
  network.sever();
  await ada.waitForSelector('[data-connection=waiting]');
  await publish(example, room, 600, 3);
  network.restore();
  await ada.waitForSelector('.text:text-is("number 602")');
  const place = '.message:has(.text:text-is("number 2")) + .divider.hole + .message .text';
  expect(await ada.textContent(place)).toBe('number 103'); // The last 500 are kept.
  expect(await texts(ada)).toHaveLength(2 + 500);
});

test('a message in flight at a reload is sent after the reconnect', async () => {
  const room = await addRoom(example, 'Outbox');
  const network = await startTcpProxy({ to: example.cluster.edge(0).process.port });
  const ada = await enterThrough(network, 'Ada', room);
  const bob = await session(example, 'Bob', 1);
  await bob.join(room);
  network.sever();
  await ada.waitForSelector('[data-connection=waiting]');
  await say(ada, 'not gone');
  await ada.waitForSelector('.message.sending');
  await ada.reload();
  network.restore();
  await bob.nextFrame({ type: 'new_message', payload: { content: 'not gone' } });
  await ada.waitForSelector('.message.sent .text:text-is("not gone")');
  expect(await texts(ada)).toEqual(['not gone']);
});

test('a message that cannot be sent is marked, and appears once after a retry', async () => {
  const room = await addRoom(example, 'Failing');
  const ada = await enter(example, 'Ada', 1, room);
  const bob = await session(example, 'Bob', 1);
  await bob.join(room);
  // A frame that the hub refuses: it was damaged on its way.
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

/** Publishing with POST: answers, repetitions and order, with requests that a test answers. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientOptions } from '../src/index.js';
import { hear, join, message, openClient } from './support/event-client.js';
import { useFakeClock } from './support/fake-clock.js';
import { outcome, watchStates } from './support/fake-edge.js';
import { FakeEvents, settle } from './support/fake-events.js';

useFakeClock();

let events: FakeEvents;

beforeEach(() => {
  events = new FakeEvents();
});
afterEach(() => vi.unstubAllGlobals());

describe('a message', () => {
  async function sent(more: Partial<ClientOptions> = {}) {
    const client = await openClient(events, more);
    await join(events, client, 'a');
    const receipt = client.room('a').send({ n: 1 });
    await settle();
    return { client, receipt };
  }
  const post = () => {
    const last = events.posts.at(-1);
    if (last === undefined) throw new Error('nothing was posted');
    return last;
  };

  it('is a POST with the token and its id, and its answer is the receipt', async () => {
    const { receipt } = await sent();
    expect(post().url.href).toBe('http://edge.test/rooms/a/messages');
    expect(post().authorization).toBe('Bearer a.b.c');
    const { message_id: id, payload } = post().body;
    expect(payload).toEqual({ n: 1 });
    await post().answer(200, { message_id: id, epoch: 'e1', offset: 11, duplicate: true });
    expect(await receipt).toEqual({ id, epoch: 'e1', offset: 11, duplicate: true });
  });

  it.each([
    ['the connection breaks', () => post().fail()],
    ['a proxy answers', () => post().answer(502, '<html>Bad Gateway</html>')],
    ['the outcome is not known', () => post().answer(503, { code: 'OUTCOME_UNKNOWN', message: 'no answer' })],
  ])('is repeated with its id when %s', async (_, end) => {
    const { receipt } = await sent();
    const { message_id: id } = post().body;
    await end();
    expect(await outcome(receipt)).toBe('pending');
    await vi.advanceTimersByTimeAsync(2_000);
    await settle();
    expect(events.posts).toHaveLength(2);
    expect(post().body.message_id).toBe(id);
    await post().answer(200, { message_id: id, epoch: 'e1', offset: 11 });
    expect(await receipt).toMatchObject({ id, offset: 11 });
  });

  it('waits for the one before it in its room, and for no other room', async () => {
    const { client } = await sent();
    await join(events, client, 'b');
    void client.room('a').send({ n: 2 });
    void client.room('b').send({ n: 3 });
    await settle();
    expect(events.posts.map(({ body }) => body.payload)).toEqual([{ n: 1 }, { n: 3 }]);
    await events.posts[0]?.answer(200, { message_id: events.posts[0].body.message_id });
    expect(events.posts.map(({ body }) => body.payload)).toEqual([{ n: 1 }, { n: 3 }, { n: 2 }]);
  });

  it('is not posted after close()', async () => {
    const { client, receipt } = await sent();
    receipt.catch(() => {});
    client
      .room('a')
      .send({ n: 2 })
      .catch(() => {});
    await settle();
    client.close();
    await events.posts[0]?.answer(200, { message_id: events.posts[0].body.message_id });
    expect(events.posts).toHaveLength(1);
  });

  it('is not posted twice when the client repeats it before the answer', async () => {
    const { client, receipt } = await sent({ ackTimeoutMs: 1_000 });
    const second = client.room('a').send({ n: 2 });
    await settle();
    await vi.advanceTimersByTimeAsync(3_000);
    await settle();
    expect(events.posts).toHaveLength(1);
    await post().answer(200, { message_id: post().body.message_id, epoch: 'e1', offset: 11 });
    await post().answer(200, { message_id: post().body.message_id, epoch: 'e1', offset: 12 });
    expect(events.posts.map(({ body }) => body.payload)).toEqual([{ n: 1 }, { n: 2 }]);
    const ends = Promise.allSettled([receipt, second]);
    client.close();
    await ends;
  });

  it('waits for the next session when the edge refuses the token', async () => {
    const { client, receipt } = await sent({ token: () => 'a.b.c' });
    const states = watchStates(client);
    await post().answer(401, { code: 'UNAUTHORIZED', message: 'expired' });
    expect(states[0]).toMatchObject({ state: 'waiting', error: { code: 'UNAUTHORIZED' } });
    expect(await outcome(receipt)).toBe('pending');
  });

  it('does not return to its client by the stream, but reaches other clients of the user', async () => {
    const { client, receipt } = await sent();
    const heard = hear(client);
    const sender = { id: 'u1', name: 'One' };
    await events.stream.frame(message('a', { sender, id: post().body.message_id, epoch: 'e1', offset: 11 }));
    await events.stream.frame(message('a', { sender, id: 'other', epoch: 'e1', offset: 12 }));
    await post().answer(200, { message_id: post().body.message_id, epoch: 'e1', offset: 11 });
    await receipt;
    expect(heard).toEqual([['a', 12]]);
  });
});

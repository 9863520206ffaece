/** The transport of server-sent events as the SDK sees it: requests, handovers and answers, with streams that a test writes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventAddress } from '../src/event-address.js';
import type { ClientOptions, HubbubClient } from '../src/index.js';
import { EventTransport } from '../src/transport-events.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, watchStates } from './support/fake-edge.js';
import { FakeEvents, type FakeStream, settle } from './support/fake-events.js';

useFakeClock();

let events: FakeEvents;

beforeEach(() => {
  events = new FakeEvents();
});
afterEach(() => vi.unstubAllGlobals());

/** A client that has events from its first attempt on. */
async function open(options: Partial<ClientOptions> = {}): Promise<HubbubClient> {
  const client = new FakeEdge().client({
    openTransport(request, listener) {
      const address = eventAddress(request.url);
      if (!address) throw new Error(`no events at ${request.url}`);
      return new EventTransport(request, address, listener, { encoding: 'json' });
    },
    ...options,
  });
  void client.connect();
  await settle();
  await events.stream.welcome();
  return client;
}

/** Joins rooms with a history at offset 10. Returns their stream. */
async function join(client: HubbubClient, ...rooms: string[]): Promise<FakeStream> {
  const joined = Promise.all(rooms.map(room => client.room(room).join()));
  await settle();
  const { stream } = events;
  await stream.welcome();
  for (const room of rooms) await stream.frame(openedAt(room, 10));
  await joined;
  return stream;
}

function openedAt(room: string, offset: number, more: object = {}) {
  return { type: 'room_opened', room, payload: { room_id: room, epoch: 'e1', offset, ...more } };
}

function message(room: string, more: object) {
  return { type: 'new_message', room, sender: { id: 'b', name: 'B' }, payload: {}, ...more };
}

/** Gaps and messages, in order. */
function hear(client: HubbubClient): unknown[] {
  const heard: unknown[] = [];
  client.on('gap', ({ room, reason, since, before }) => heard.push([room, reason, since, before]));
  client.on('session_gap', () => heard.push('session_gap'));
  client.on('new_message', ({ room, offset, id }) => heard.push([room, offset ?? id]));
  return heard;
}

describe('a change of rooms', () => {
  it('asks from the position in each room, and keeps the stream until the next one has its welcome', async () => {
    const client = await open();
    const before = await join(client, 'a');
    await before.frame(message('a', { epoch: 'e1', offset: 11 }));
    void client.room('b').join();
    await settle();
    expect(events.stream.url.searchParams.getAll('room')).toEqual(['a', 'b']);
    expect(events.stream.url.searchParams.get('last_event_id')).toBe('e1:11,');
    expect(before.isAborted).toBe(false);
    await events.stream.welcome();
    expect(before.isAborted).toBe(true);
  });

  it('does not double messages without a position that both streams have', async () => {
    const client = await open();
    const before = await join(client, 'a');
    const heard = hear(client);
    void client.room('b').join();
    await settle();
    await before.frame(message('a', { id: 'm1' }));
    await before.frame({ type: 'notice', id: 'n1', payload: {} });
    let notices = 0;
    client.onFrame('notice', () => notices++);
    const after = await events.stream.welcome();
    for (const id of ['m1', 'm2']) await after.frame(message('a', { id }));
    for (const id of ['n1', 'n2']) await after.frame({ type: 'notice', id, payload: {} });
    expect(heard).toEqual([['a', 'm1'], 'session_gap', ['a', 'm2']]);
    expect(notices).toBe(1);
  });

  it.each([
    ['nothing is missing', { recovered: true }, []],
    ['it has no history', { epoch: undefined, offset: undefined }, [['a', 'no_history', undefined, undefined]]],
    ['too much is missing', { recovered: false, reason: 'too_many', offset: 20 }, [['a', 'too_many', 10, 21]]],
    [
      'the history begins later',
      { recovered: false, reason: 'too_old', offset: 20, replayed_from: 16 },
      [['a', 'too_old', 10, 16]],
    ],
  ])('reports for a room that is taken over: %s', async (_, answer, gaps) => {
    const client = await open();
    await join(client, 'a');
    const heard = hear(client);
    void client.room('b').join();
    await settle();
    const after = await events.stream.welcome();
    await after.frame(openedAt('a', 10, answer));
    expect(heard).toEqual(['session_gap', ...gaps]);
  });

  it('answers a join after the missed messages', async () => {
    const client = await open();
    const states: string[] = [];
    const room = client.room('a');
    await join(client, 'a');
    room.onStateChange(({ state }) => states.push(state));
    await events.stream.end();
    await vi.advanceTimersByTimeAsync(1_000);
    await settle();
    await events.stream.welcome();
    await settle();
    const { stream } = events;
    expect(stream.url.searchParams.get('last_event_id')).toBe('e1:10');
    await stream.welcome();
    await stream.frame(openedAt('a', 12, { recovered: true }));
    await stream.frame(message('a', { epoch: 'e1', offset: 11 }));
    expect(states).toEqual(['rejoining']);
    await stream.frame(message('a', { epoch: 'e1', offset: 12 }));
    await settle();
    expect(states).toEqual(['rejoining', 'joined']);
  });

  it('that the edge refuses for now leaves the other rooms alone, and is tried again', async () => {
    const client = await open();
    const before = await join(client, 'a');
    const heard = hear(client);
    events.refusal = { status: 429, body: { code: 'RATE_LIMITED', message: 'later' }, headers: { 'retry-after': '2' } };
    const joining = client.room('b').join();
    await settle();
    expect(await outcome(joining)).toBe('pending');
    expect([before.isAborted, heard, client.state]).toEqual([false, [], 'open']);
    events.refusal = undefined;
    await vi.advanceTimersByTimeAsync(2_600);
    await settle();
    expect(events.stream).not.toBe(before);
    await events.stream.welcome();
    await events.stream.frame(openedAt('b', 0));
    expect(await outcome(joining)).toEqual({ value: undefined });
  });

  it('that ends with 4002 as its only event is one that is refused for now', async () => {
    const client = await open();
    const before = await join(client, 'a');
    const joining = client.room('b').join();
    await settle();
    await events.stream.close(4002, 'calls', 1_000);
    expect([before.isAborted, await outcome(joining), client.state]).toEqual([false, 'pending', 'open']);
  });

  it('with a token that is not valid any more ends the session', async () => {
    const client = await open({ token: () => 'a.b.c' });
    await join(client, 'a');
    const states = watchStates(client);
    events.refusal = { status: 401, body: { code: 'UNAUTHORIZED', message: 'expired' } };
    void client.room('b').join();
    await settle();
    expect(states[0]).toMatchObject({ state: 'waiting', closeCode: 4101, error: { code: 'UNAUTHORIZED' } });
  });

  it('is not executed any more after close()', async () => {
    const client = await open();
    void client.room('a').join();
    client.close();
    await settle();
    expect(events.streams).toHaveLength(1);
    expect(events.stream.isAborted).toBe(true);
  });
});

describe('a message', () => {
  async function sent(more: Partial<ClientOptions> = {}) {
    const client = await open(more);
    await join(client, 'a');
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
  ])('is repeated with its id where %s', async (_, end) => {
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
    await join(client, 'b');
    void client.room('a').send({ n: 2 });
    void client.room('b').send({ n: 3 });
    await settle();
    expect(events.posts.map(({ body }) => body.payload)).toEqual([{ n: 1 }, { n: 3 }]);
    await events.posts[0]?.answer(200, { message_id: events.posts[0].body.message_id });
    expect(events.posts.map(({ body }) => body.payload)).toEqual([{ n: 1 }, { n: 3 }, { n: 2 }]);
  });

  it('that still waits is not posted twice when the client repeats it', async () => {
    const { client, receipt } = await sent({ ackTimeoutMs: 1_000 });
    const second = client.room('a').send({ n: 2 });
    await settle();
    await vi.advanceTimersByTimeAsync(3_000);
    await settle();
    expect(events.posts).toHaveLength(1);
    await post().answer(200, { message_id: post().body.message_id, epoch: 'e1', offset: 11 });
    expect(events.posts.map(({ body }) => body.payload)).toEqual([{ n: 1 }, { n: 2 }]);
    const ends = Promise.allSettled([receipt, second]);
    client.close();
    await ends;
  });

  it('with a token that the edge refuses is sent again in the next session', async () => {
    const { client, receipt } = await sent({ token: () => 'a.b.c' });
    const states = watchStates(client);
    await post().answer(401, { code: 'UNAUTHORIZED', message: 'expired' });
    expect(states[0]).toMatchObject({ state: 'waiting', error: { code: 'UNAUTHORIZED' } });
    expect(await outcome(receipt)).toBe('pending');
  });

  it('of this client that a stream brings is dropped, and one of another client of the user is not', async () => {
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

it('has the query of the application in every request, and the position in the room of the path as an id', async () => {
  const client = await open({ url: 'wss://edge.test/api/rooms/chat:1/ws?tenant=t1&room_token=r.r.r' });
  expect(events.stream.url.href).toBe(
    'https://edge.test/api/events?tenant=t1&presence=true&room=chat%3A1&room_token=r.r.r',
  );
  expect(client.state, 'the welcome waits for the position in the room').toBe('connecting');
  await events.stream.frame(openedAt('chat:1', 5));
  await settle();
  expect([client.state, client.room('chat:1').state]).toEqual(['open', 'joined']);
  void client.room('chat:1').send({});
  await settle();
  expect(events.posts[0]?.url.href).toBe('https://edge.test/api/rooms/chat:1/messages?tenant=t1&room_token=r.r.r');
  await events.stream.end();
  await vi.advanceTimersByTimeAsync(1_000);
  await settle();
  expect(events.stream.url.searchParams.get('last_event_id')).toBe('e1:5');
});

it('does not serve a path of the operator, whose room the address does not name', async () => {
  const client = new FakeEdge().client({ url: 'ws://edge.test/projects/p/ws' });
  client.close();
  const events = new FakeEvents();
  const closed = vi.fn();
  const request = { url: 'ws://edge.test/projects/p/ws', protocols: [] };
  const address = eventAddress(request.url);
  expect(address).toMatchObject({ base: 'http://edge.test/projects/p', room: undefined });
  if (!address) return;
  new EventTransport(request, address, { opened() {}, received() {}, closed }, { encoding: 'json' });
  await settle();
  await events.stream.welcome({ rooms: ['pairwise:p'] });
  expect(closed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 1006 }));
});

it.each(['ws://edge.test', 'ws://edge.test/socket', 'ws://ws', 'ws://edge.test/x?next=/ws'])(
  '%s has no events',
  url => {
    expect(eventAddress(url)).toBeUndefined();
  },
);

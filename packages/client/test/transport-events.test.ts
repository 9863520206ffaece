/** The transport of server-sent events as the SDK sees it: requests, handovers and answers. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventAddress } from '../src/event-address.js';
import { EventTransport } from '../src/transport-events.js';
import { hear, join, message, openClient, openedAt } from './support/event-client.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, watchStates } from './support/fake-edge.js';
import { FakeEvents, settle } from './support/fake-events.js';

useFakeClock();

let events: FakeEvents;

beforeEach(() => {
  events = new FakeEvents();
});
afterEach(() => vi.unstubAllGlobals());

describe('a change of rooms', () => {
  it('asks from the position in each room, and keeps the stream until the next one has its welcome', async () => {
    const client = await openClient(events);
    const before = await join(events, client, 'a');
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
    const client = await openClient(events);
    const before = await join(events, client, 'a');
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
    const client = await openClient(events);
    await join(events, client, 'a');
    const heard = hear(client);
    void client.room('b').join();
    await settle();
    const after = await events.stream.welcome();
    await after.frame(openedAt('a', 10, answer));
    expect(heard).toEqual(['session_gap', ...gaps]);
  });

  it('answers a join after the missed messages', async () => {
    const client = await openClient(events);
    const states: string[] = [];
    const room = client.room('a');
    await join(events, client, 'a');
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

  it('is tried again when the edge refuses it for now, and disturbs no other room', async () => {
    const client = await openClient(events);
    const before = await join(events, client, 'a');
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

  it('is tried again after 4002 as the only event', async () => {
    const client = await openClient(events);
    const before = await join(events, client, 'a');
    const joining = client.room('b').join();
    await settle();
    await events.stream.close(4002, 'calls', 1_000);
    expect([before.isAborted, await outcome(joining), client.state]).toEqual([false, 'pending', 'open']);
  });

  it('ends the session when the token is no longer valid', async () => {
    const client = await openClient(events, { token: () => 'a.b.c' });
    await join(events, client, 'a');
    const states = watchStates(client);
    events.refusal = { status: 401, body: { code: 'UNAUTHORIZED', message: 'expired' } };
    void client.room('b').join();
    await settle();
    expect(states[0]).toMatchObject({ state: 'waiting', closeCode: 4101, error: { code: 'UNAUTHORIZED' } });
  });

  it('is not executed after close()', async () => {
    const client = await openClient(events);
    void client.room('a').join();
    client.close();
    await settle();
    expect(events.streams).toHaveLength(1);
    expect(events.stream.isAborted).toBe(true);
  });
});

it('has the query of the application in every request, and the position in the room of the path as an id', async () => {
  const client = await openClient(events, { url: 'wss://edge.test/api/rooms/chat:1/ws?tenant=t1&room_token=r.r.r' });
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

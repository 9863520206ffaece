/** When a client uses server-sent events, and when it returns to WebSockets. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fallBackToEvents } from '../src/fallback.js';
import { type ClientOptions, HubbubClient } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, silent, turn, watchStates } from './support/fake-edge.js';
import { FakeEvents, settle } from './support/fake-events.js';

useFakeClock();

let edge: FakeEdge;
let events: FakeEvents;

beforeEach(async () => {
  await import('../src/transport-events.js');
  edge = new FakeEdge();
  events = new FakeEvents();
});
afterEach(() => vi.unstubAllGlobals());

function connect(options: Partial<ClientOptions> = {}): HubbubClient {
  const openTransport = fallBackToEvents(edge.openTransport, { encoding: 'json' }, { connectTimeoutMs: 8_000 });
  // Longer than every delay between attempts.
  const client = edge.client({ openTransport, connectTimeoutMs: 60_000, ...options });
  void client.connect();
  return client;
}

/** Lets the next attempt begin: the delays of the first ones are 0.5, 1, 2 and 4 s. */
async function nextAttempt(): Promise<void> {
  await vi.advanceTimersByTimeAsync(4_000);
  await settle();
}

/** A client on events, after two blocked attempts. */
async function connectByEvents(options: Partial<ClientOptions> = {}): Promise<HubbubClient> {
  const client = connect(options);
  await turn();
  edge.socket.end(1006);
  await vi.advanceTimersByTimeAsync(1_000);
  edge.socket.end(1006);
  await vi.advanceTimersByTimeAsync(2_000);
  await settle();
  await useEvents();
  return client;
}

/** Events work, and the WebSocket that the client then tries does not. */
async function useEvents(): Promise<void> {
  const before = edge.sockets.length;
  await events.stream.welcome();
  expect(edge.sockets).toHaveLength(before + 1);
  edge.socket.end(1006);
}

describe('after WebSockets that never open, a client', () => {
  it('uses events after two attempts, and the state names the transport', async () => {
    const client = connect();
    const states = watchStates(client);
    await turn();
    edge.socket.end(1006);
    await nextAttempt();
    expect([edge.sockets.length, events.streams.length]).toEqual([2, 0]);
    edge.socket.end(1006);
    await nextAttempt();
    expect([edge.sockets.length, events.streams.length]).toEqual([2, 1]);
    expect(client.state).toBe('connecting');
    await useEvents();
    expect(states.slice(-3).map(({ state, transport }) => [state, transport])).toEqual([
      ['opening', 'events'],
      ['restoring', 'events'],
      ['open', 'events'],
    ]);
    expect(client.transport).toBe('events');
  });

  it('counts attempts that time out, and not those that the application closes', async () => {
    edge.answer = silent;
    const client = connect({ connectTimeoutMs: 1_000 });
    await turn();
    for (const _ of [1, 2, 3]) {
      client.close();
      void client.connect();
      await turn();
    }
    expect([edge.sockets.length, events.streams.length]).toEqual([4, 0]);
    for (const delayMs of [500, 1_000]) {
      edge.socket.open();
      await vi.advanceTimersByTimeAsync(1_000 + delayMs);
      await settle();
    }
    expect(events.streams).toHaveLength(1);
  });

  it.each([
    ['an edge refused one', 1006, { refusal: { code: 'RATE_LIMITED', message: 'later' } }],
    ['an edge closed one', 1013, {}],
  ] as const)('counts again after %s', async (_, code, more) => {
    connect();
    await turn();
    for (const [end, details] of [
      [1006, {}],
      [code, more],
      [1006, {}],
    ] as const) {
      edge.socket.end(end, details);
      await nextAttempt();
    }
    expect([edge.sockets.length, events.streams.length]).toEqual([4, 0]);
  });

  it('closes when an edge refuses it for good', async () => {
    const client = connect();
    await turn();
    edge.socket.end(1006, { refusal: { code: 'FORBIDDEN', message: 'no' } });
    expect(client.state).toBe('closed');
  });

  it('counts UPGRADE_REQUIRED as blocked: a proxy made a plain request of the upgrade', async () => {
    const client = connect();
    await turn();
    for (const _ of [1, 2]) {
      edge.socket.end(1006, { refusal: { code: 'UPGRADE_REQUIRED', message: 'This path speaks WebSocket.' } });
      expect(client.state).toBe('waiting');
      await nextAttempt();
    }
    expect(events.streams).toHaveLength(1);
  });

  it('tries two again when events do not work either', async () => {
    connect();
    await turn();
    events.refusal = { status: 200, body: '<html>Please sign in to this network</html>' };
    for (const _ of [1, 2]) {
      edge.socket.end(1006);
      await nextAttempt();
    }
    await nextAttempt();
    expect(edge.sockets).toHaveLength(3);
    events.refusal = undefined;
    edge.socket.end(1006);
    await nextAttempt();
    expect([edge.sockets.length, events.streams.length]).toEqual([4, 0]);
  });

  it('tries only WebSockets where the address has no form for events', async () => {
    connect({ url: 'ws://edge.test/socket' });
    await turn();
    for (const _ of [1, 2, 3]) {
      edge.socket.end(1006);
      await nextAttempt();
    }
    expect([edge.sockets.length, events.streams.length]).toEqual([4, 0]);
  });
});

describe('a request for events', () => {
  async function refused(refusal: FakeEvents['refusal']): Promise<HubbubClient> {
    const client = connect();
    await turn();
    events.refusal = refusal;
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(2_000);
    await settle();
    return client;
  }

  it('ends the client when an edge refuses it for good', async () => {
    const client = await refused({ status: 403, body: { code: 'FORBIDDEN', message: 'no' } });
    expect(client.state).toBe('closed');
  });

  it('is followed by a WebSocket when the edge does not know events', async () => {
    const client = await refused({ status: 404, body: { code: 'NOT_FOUND', message: 'WebSockets are at /ws.' } });
    expect(client.state).toBe('waiting');
  });

  it('is repeated after Retry-After when an edge refuses it for now', async () => {
    const client = connect();
    const states = watchStates(client);
    await turn();
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    edge.socket.end(1006);
    events.refusal = {
      status: 503,
      body: { code: 'UNAVAILABLE', message: 'full' },
      headers: { 'retry-after': '7' },
    };
    await vi.advanceTimersByTimeAsync(2_000);
    await settle();
    expect(states.at(-1)).toMatchObject({ state: 'waiting', error: { code: 'UNAVAILABLE', message: 'full' } });
    expect(states.at(-1)?.delayMs).toBeGreaterThanOrEqual(7_000);
    events.refusal = undefined;
    await vi.advanceTimersByTimeAsync(12_000);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(8_000);
    await settle();
    expect(events.streams, 'an edge answered: events are next again').toHaveLength(1);
  });

  it('is not made for a client that is closed before the code has loaded', async () => {
    const client = connect();
    await turn();
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    edge.socket.end(1006);
    vi.advanceTimersByTime(2_000);
    while (client.transport === undefined) await Promise.resolve();
    client.close();
    await settle();
    expect(events.streams).toEqual([]);
  });

  it('is given up without a welcome in time', async () => {
    const client = connect({ connectTimeoutMs: 5_000 });
    await turn();
    for (const _ of [1, 2]) {
      edge.socket.end(1006);
      await nextAttempt();
    }
    const { stream } = events;
    await stream.write('retry: 1000\n\n');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stream.isAborted).toBe(true);
    expect(client.transport).not.toBe('events');
  });
});

describe('after an outage of a network that blocks nothing, the check', () => {
  async function networkReturns(): Promise<HubbubClient> {
    const client = connect();
    await turn();
    for (const _ of [1, 2]) {
      edge.socket.end(1006);
      await nextAttempt();
    }
    await events.stream.welcome();
    return client;
  }

  it('moves the client to a WebSocket, and ends the stream', async () => {
    const client = await networkReturns();
    const states = watchStates(client);
    edge.socket.open().welcome();
    await settle();
    expect([client.state, client.transport]).toEqual(['open', 'websocket']);
    expect(states.every(({ transport }) => transport !== 'events')).toBe(true);
    expect(events.stream.isAborted).toBe(true);
    await client.room('a').join();
    expect(edge.socket.sentOfType('join_room')).toHaveLength(1);
    edge.socket.end(1006);
    expect(client.state).toBe('waiting');
    for (const attempts of [4, 5]) {
      await nextAttempt();
      expect([edge.sockets.length, events.streams.length], 'the count begins again').toEqual([attempts, 1]);
      edge.socket.end(1006);
    }
  });

  it('opens a WebSocket that ends with the client', async () => {
    const client = await networkReturns();
    edge.socket.open().welcome();
    await client.room('a').join();
    client.close();
    expect(edge.socket.closedWith).toEqual({ code: 1000, reason: 'close' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves the client on events when the WebSocket gets no welcome in time', async () => {
    edge.answer = silent;
    const client = await networkReturns();
    const notices: unknown[] = [];
    client.onFrame('notice', ({ payload }) => notices.push(payload));
    await events.stream.frame({ type: 'notice', payload: { n: 1 } });
    await vi.advanceTimersByTimeAsync(1_999);
    expect([client.state, edge.sockets.length]).toEqual(['connecting', 3]);
    await vi.advanceTimersByTimeAsync(1);
    await settle();
    expect([client.state, client.transport]).toEqual(['open', 'events']);
    expect(edge.socket.closedWith).toMatchObject({ code: 1000 });
    const ignored = vi.fn();
    client.on('frame', ignored);
    edge.socket.welcome().end(1006);
    expect(ignored).not.toHaveBeenCalled();
    expect([client.state, client.transport, notices]).toEqual(['open', 'events', [{ n: 1 }]]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(edge.sockets, 'one probe').toHaveLength(4);
  });

  it('closes its WebSocket when the stream ends', async () => {
    const client = await networkReturns();
    const check = edge.socket;
    await events.stream.end();
    expect(client.state).toBe('waiting');
    expect(check.closedWith).toMatchObject({ code: 1000 });
    await nextAttempt();
    expect([edge.sockets.length, events.streams.length], 'a WebSocket is next').toEqual([4, 1]);
  });

  it('closes its WebSocket when the application closes the client', async () => {
    const client = await networkReturns();
    const check = edge.socket;
    client.close();
    await settle();
    expect(check.closedWith).toMatchObject({ code: 1000 });
    expect(events.stream.isAborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a client on events', () => {
  it('tries a WebSocket within 10 s, then ever more rarely, and moves when one gets a welcome', async () => {
    const client = await connectByEvents();
    const states = watchStates(client);
    await vi.advanceTimersByTimeAsync(7_500);
    expect(edge.sockets).toHaveLength(4);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(edge.sockets).toHaveLength(4);
    await vi.advanceTimersByTimeAsync(1);
    expect(edge.sockets).toHaveLength(5);
    expect(states).toEqual([]);
    const probe = edge.socket;
    probe.open().welcome();
    await settle();
    expect(probe.closedWith).toMatchObject({ code: 1000 });
    expect(states.map(({ state }) => state)).toEqual(['moving', 'connecting']);
    expect(edge.sockets).toHaveLength(6);
    edge.socket.open().welcome();
    await settle();
    expect([client.state, client.transport]).toEqual(['open', 'websocket']);
    expect(events.stream.isAborted).toBe(true);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(edge.sockets).toHaveLength(6);
  });

  it('tries a WebSocket at least every 10 minutes', async () => {
    await connectByEvents();
    for (const [index, afterMs] of [7_500, 30_000, 120_000, 450_000, 450_000].entries()) {
      await events.stream.write(':\n\n');
      await vi.advanceTimersByTimeAsync(afterMs);
      expect(edge.sockets).toHaveLength(4 + index);
      edge.socket.end(1006);
    }
  });

  it('gives a probe the time of an attempt', async () => {
    await connectByEvents();
    await vi.advanceTimersByTimeAsync(7_500 + 7_999);
    expect(edge.socket.closedWith).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(edge.socket.closedWith).toMatchObject({ code: 1000 });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(edge.sockets).toHaveLength(5);
  });

  it('tries a WebSocket once when its stream ends, then events again', async () => {
    const client = await connectByEvents();
    await events.stream.end();
    expect(client.state).toBe('waiting');
    await vi.advanceTimersByTimeAsync(4_000);
    expect([edge.sockets.length, events.streams.length]).toEqual([4, 1]);
    edge.socket.end(1006);
    await nextAttempt();
    expect([edge.sockets.length, events.streams.length]).toEqual([4, 2]);
  });

  it.each([
    ['before the first', 0],
    ['during one', 7_500],
  ])('ends its probes with the client, %s', async (_, afterMs) => {
    const client = await connectByEvents();
    await vi.advanceTimersByTimeAsync(afterMs);
    const probes = edge.sockets.slice(3);
    client.close();
    expect(probes.every(({ closedWith }) => closedWith)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits as long as the edge asks when the edge closes the stream', async () => {
    const client = await connectByEvents();
    const states = watchStates(client);
    await events.stream.close(1012, 'leaving', 3_000);
    expect(states.at(-1)).toMatchObject({ state: 'waiting', closeCode: 1012, error: { code: 'UNAVAILABLE' } });
    expect(states.at(-1)?.delayMs).toBeGreaterThanOrEqual(3_000);
  });

  it('never uses events with the option off, or with a transport of the application', async () => {
    for (const options of [{ fallBackToEvents: false }, { openTransport: edge.openTransport }]) {
      const client = new HubbubClient({ url: 'ws://127.0.0.1:1/ws', baseDelayMs: 0, ...options });
      void client.connect();
      await vi.advanceTimersByTimeAsync(0);
      expect(client.transport).not.toBe('events');
      client.close();
    }
    expect(events.streams).toEqual([]);
  });
});

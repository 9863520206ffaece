/** When a client falls back to server-sent events. */
import { describe, expect, it, vi } from 'vitest';
import type { HubbubClient } from '../src/index.js';
import { silent, turn, watchStates } from './support/fake-edge.js';
import { type FakeEvents, settle } from './support/fake-events.js';
import { connect, edge, events, nextAttempt, useEvents } from './support/fallback-client.js';

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

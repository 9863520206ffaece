/** When a client on server-sent events returns to WebSockets. */
import { describe, expect, it, vi } from 'vitest';
import type { HubbubClient } from '../src/index.js';
import { silent, turn, watchStates } from './support/fake-edge.js';
import { settle } from './support/fake-events.js';
import { connect, connectByEvents, edge, events, nextAttempt } from './support/fallback-client.js';

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
});

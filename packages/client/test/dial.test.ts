/** Custom sockets of an application (`openTransport`) that misbehave. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { HubbubError, type OpenTransport } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, turn, watchStates } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

/** Opens a socket, and acts on it before the client has it. */
const eager =
  (act: () => void): OpenTransport =>
  (request, listener) => {
    const socket = edge.openTransport(request, listener);
    act();
    return socket;
  };

describe('a transport that reports before it is returned', () => {
  it('sends what its session sends immediately', async () => {
    const client = edge.client({ openTransport: eager(() => edge.socket.open().welcome()) });
    const joined = client.room('general').join();
    expect(await outcome(client.connect())).toEqual({ value: undefined });
    expect(await outcome(joined)).toEqual({ value: undefined });
    expect(edge.socket.sent.map(({ type }) => type)).toEqual(['join_room']);
  });

  it('hears frames in their order', async () => {
    const client = edge.client({
      openTransport: eager(() => {
        edge.socket.open().welcome();
        for (const n of [1, 2]) edge.socket.receive({ type: 'tick', payload: { n } });
      }),
    });
    const heard: unknown[] = [];
    client.on('tick', ({ payload }) => heard.push(payload?.n));
    await client.connect();
    edge.socket.receive({ type: 'tick', payload: { n: 3 } });
    expect(heard).toEqual([1, 2, 3]);
  });

  it('is dialed again after it closed', async () => {
    const client = edge.client({ openTransport: eager(() => edge.socket.end(1006)) });
    const states = watchStates(client);
    void client.connect();
    await turn();
    expect(states.at(-1)).toMatchObject({ state: 'waiting', closeCode: 1006 });
  });

  it('is closed when a listener closes the client', async () => {
    const client = edge.client({ openTransport: eager(() => edge.socket.open()) });
    client.on('state', ({ state }) => state === 'opening' && client.close());
    void client.connect();
    await turn();
    expect([client.state, edge.socket.closedWith !== undefined, vi.getTimerCount()]).toEqual(['closed', true, 0]);
  });

  it('is closed when it closes the client itself', async () => {
    const client = edge.client({ openTransport: eager(() => client.close()) });
    void client.connect();
    await turn();
    expect([client.state, edge.socket.closedWith !== undefined]).toEqual(['closed', true]);
  });
});

describe('a transport that throws', () => {
  it('is dialed again, with growing delays', async () => {
    const openTransport = vi.fn(() => {
      throw new Error('no socket');
    });
    const client = edge.client({ openTransport });
    const states = watchStates(client);
    void client.connect();
    await vi.advanceTimersByTimeAsync(3_600);
    expect(openTransport).toHaveBeenCalledTimes(4);
    expect(states.filter(({ state }) => state === 'waiting')).toMatchObject(
      [500, 1_000, 2_000, 4_000].map(delayMs => ({
        delayMs,
        error: { message: 'Connecting failed: Error: no socket' },
      })),
    );
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends the client if its error is final', async () => {
    const client = edge.client({
      openTransport: () => {
        throw new HubbubError('FORBIDDEN', 'not here');
      },
    });
    expect(await outcome(client.connect())).toEqual({ code: 'FORBIDDEN' });
    expect(client.state).toBe('closed');
  });

  it('counts once if it reported the end before', async () => {
    const openTransport = vi.fn<OpenTransport>((_, listener) => {
      listener.closed({ code: 1006, reason: '' });
      throw new Error('no socket');
    });
    const client = edge.client({ openTransport });
    const states = watchStates(client);
    void client.connect();
    await turn();
    expect(states.map(({ state }) => state)).toEqual(['connecting', 'waiting']);
    await vi.advanceTimersByTimeAsync(500);
    expect(openTransport).toHaveBeenCalledTimes(2);
  });
});

/** Invariants of README.md that concern sockets and reconnecting. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, turn, watchStates, willing } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

describe('invariant 1: one socket', () => {
  it('closes the old one before it dials, and ignores it from then on', async () => {
    const client = await edge.openClient();
    const old = edge.socket;
    old.receive({ type: 'reconnect', payload: { delay_ms: 0 } });
    await turn();
    expect(old.closedWith?.code).toBe(1000);
    const heard = vi.fn();
    client.onFrame('new_message', heard);
    old.receive({ type: 'new_message', room: 'general', payload: {} });
    old.end(4200);
    await edge.accept();
    expect(heard).not.toHaveBeenCalled();
    expect(client.state).toBe('open');
    expect(edge.sockets).toHaveLength(2);
  });

  it('discards an attempt whose token arrived too late', async () => {
    let give: (token: string) => void = () => {};
    const client = edge.client({ token: () => new Promise<string>(resolve => (give = resolve)) });
    void client.connect();
    client.close();
    give('a.b.c');
    await turn();
    expect(edge.sockets).toHaveLength(0);
    expect(client.state).toBe('closed');
  });
});

describe('invariant 2: open means that every wanted room was answered', () => {
  it('stays restoring until the last room is rejoined, and retries temporary refusals', async () => {
    const client = await edge.openClient();
    await Promise.all([client.room('a').join(), client.room('b').join()]);
    edge.socket.end(1006);
    expect([client.room('a').state, client.room('b').state]).toEqual(['rejoining', 'rejoining']);
    edge.answer = ({ id = '' }, socket) => {
      const rooms = [{ room_id: 'a' }, { room_id: 'b', error: { code: 'RATE_LIMITED', message: '' } }];
      socket.receive({ type: 'ack', id, payload: { rooms } });
    };
    await vi.advanceTimersByTimeAsync(500);
    await edge.accept();
    expect(client.state).toBe('restoring');
    expect([client.room('a').state, client.room('b').state]).toEqual(['joined', 'rejoining']);
    edge.answer = willing;
    await vi.advanceTimersByTimeAsync(500);
    expect(client.state).toBe('open');
    expect(client.room('b').state).toBe('joined');
  });

  it('is open, and reports it, when a room is refused for good', async () => {
    const client = await edge.openClient();
    const room = client.room('secret');
    await room.join();
    const changes: unknown[] = [];
    room.onStateChange(({ state, error }) => changes.push([state, error?.code]));
    edge.answer = ({ id = '' }, socket) =>
      void socket.receive({ type: 'error', id, payload: { code: 'FORBIDDEN', message: 'no longer' } });
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    await edge.accept();
    expect(client.state).toBe('open');
    expect(changes).toEqual([
      ['rejoining', undefined],
      ['left', 'FORBIDDEN'],
    ]);
  });
});

describe('invariant 3: every loss is followed by an attempt', () => {
  it.each([1001, 1006, 1011, 1012, 1013, 4000, 4001, 4099, 3999, 4999])('reconnects after %i', async code => {
    const client = await edge.openClient();
    edge.socket.end(code);
    expect(client.state).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(edge.sockets).toHaveLength(2);
  });

  it('reconnects when the edge never sends welcome, and when the token callback fails', async () => {
    const token = vi.fn(() => 'a.b.c').mockRejectedValueOnce(new Error('offline'));
    const client = edge.client({ token: token as () => string });
    void client.connect();
    await turn();
    expect(client.state).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1_000);
    edge.socket.open();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.state).toBe('waiting');
    expect(edge.socket.closedWith).toBeDefined();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(edge.sockets).toHaveLength(2);
    expect(token).toHaveBeenCalledTimes(3);
  });
});

describe("invariant 5: delays are spread and bounded, and follow the edge's advice", () => {
  it('doubles up to the cap, takes a random part, and starts small after a stable session', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(1);
    const client = edge.client({ connectTimeoutMs: 100_000 });
    const changes = watchStates(client);
    const delays = (): unknown[] => changes.filter(({ state }) => state === 'waiting').map(({ delayMs }) => delayMs);
    void client.connect();
    for (let attempt = 0; attempt < 7; attempt++) {
      await turn();
      edge.socket.end(1006);
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(delays()).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    await edge.accept();
    edge.socket.end(1006); // Immediately: not stable.
    await vi.advanceTimersByTimeAsync(30_000);
    await edge.accept();
    await vi.advanceTimersByTimeAsync(5_000);
    random.mockReturnValue(0.25);
    edge.socket.end(1006);
    expect(delays().slice(7)).toEqual([30_000, 250]);
  });

  it('waits at least for the time in Retry-After', async () => {
    const client = edge.client();
    const changes = watchStates(client);
    void client.connect();
    await turn();
    edge.socket.end(1006, { refusal: { code: 'UNAVAILABLE', message: 'full', retryAfterMs: 5_000 } });
    expect(changes.at(-1)).toMatchObject({ state: 'waiting', delayMs: 5_500 });
  });

  it('reconnects after the delay of the reconnect frame, also when the connection ends before', async () => {
    const client = await edge.openClient();
    const changes = watchStates(client);
    edge.socket.receive({ type: 'reconnect', payload: { delay_ms: 3_000 } });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.state).toBe('open');
    edge.socket.end(1012);
    expect(changes.at(-1)).toMatchObject({ state: 'waiting', delayMs: 2_000 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(edge.sockets).toHaveLength(2);
  });
});

describe('invariant 11: the token is requested at every attempt', () => {
  it('reconnects with a new token after 4100', async () => {
    let count = 0;
    const client = await edge.openClient({ token: () => `token.${count++}` });
    edge.socket.end(4100);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(edge.sockets.map(({ request }) => request.protocols[1])).toEqual(['bearer.token.0', 'bearer.token.1']);
    expect(client.state).toBe('connecting');
  });

  it('stops after 4100 without a callback to renew the token, and when the callback throws UNAUTHORIZED', async () => {
    const { HubbubError } = await import('../src/index.js');
    const fixed = await edge.openClient({ token: 'a.b.c' });
    edge.socket.end(4100);
    expect(fixed.state).toBe('closed');
    const signedOut = edge.client({
      token: () => {
        throw new HubbubError('UNAUTHORIZED', 'signed out');
      },
    });
    await expect(signedOut.connect()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(signedOut.state).toBe('closed');
  });

  it.each([
    ['UNAUTHORIZED', 'waiting'],
    ['RATE_LIMITED', 'waiting'],
    ['UNAVAILABLE', 'waiting'],
    ['FORBIDDEN', 'closed'],
    ['ORIGIN_NOT_ALLOWED', 'closed'],
    ['NOT_FOUND', 'closed'],
  ] as const)('a refusal with %s leads to %s', async (code, state) => {
    const client = edge.client({ token: () => 'a.b.c' });
    const connecting = client.connect();
    await turn();
    edge.socket.end(1006, { refusal: { code, message: '' } });
    expect(client.state).toBe(state);
    if (state === 'closed') await expect(connecting).rejects.toMatchObject({ code });
  });
});

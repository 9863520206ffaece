/** Reconnecting: the advice of an edge, the backoff, and the token of the next session. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { HubbubClient } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, turn, watchStates, willing } from './support/fake-edge.js';

useFakeClock(); // Delays of the backoff are 500 ms, 1 s, 2 s, …

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const advise = (delayMs: number) => edge.socket.receive({ type: 'reconnect', payload: { delay_ms: delayMs } });

/** Breaks the connection; returns how long the client waits now. */
function breakOff(client: HubbubClient): number | undefined {
  const changes = watchStates(client);
  edge.socket.end(1006);
  return changes.at(-1)?.delayMs;
}

describe('the delay that an edge advises', () => {
  it('is the latest one', async () => {
    const client = await edge.openClient();
    advise(1_000);
    advise(3_000);
    await vi.advanceTimersByTimeAsync(2_999);
    expect([client.state, edge.sockets.length]).toEqual(['open', 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(edge.sockets).toHaveLength(2);
  });

  it('is over, and not negative, when a move is cut short', async () => {
    const client = await edge.openClient();
    edge.answer = () => {};
    client.ping().catch(() => {});
    advise(1_000);
    await vi.advanceTimersByTimeAsync(3_000);
    expect([client.state, breakOff(client)]).toEqual(['moving', 0]);
  });

  it('does not apply to the next session, which is neither moved nor dialed again immediately', async () => {
    const client = await edge.openClient();
    advise(3_000);
    edge.socket.end(1006);
    void client.connect();
    await edge.accept();
    await vi.advanceTimersByTimeAsync(4_000);
    expect([client.state, edge.sockets.length]).toEqual(['open', 2]);
    expect(breakOff(client)).toBe(500);
  });

  it('does not apply after a move', async () => {
    const client = await edge.openClient();
    advise(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await edge.accept();
    expect(breakOff(client)).toBe(500);
  });
});

describe('the backoff', () => {
  it.each<[string, (client: HubbubClient) => void]>([
    ['the application connects', client => void client.connect()],
    ['the browser is online again', () => window.get('online')?.({ type: 'online' })],
  ])('starts again when %s', async (_, tell) => {
    const client = await edge.openClient();
    for (const delayMs of [500, 1_000, 2_000]) {
      expect(breakOff(client)).toBe(delayMs);
      await vi.advanceTimersByTimeAsync(delayMs);
    }
    expect(breakOff(client)).toBe(4_000);
    tell(client);
    await turn();
    expect(breakOff(client)).toBe(500);
    client.close();
  });

  const window = new Map<string, (event: { type: string }) => void>();
  beforeEach(() => {
    vi.stubGlobal('addEventListener', (type: string, listener: () => void) => window.set(type, listener));
    vi.stubGlobal('removeEventListener', (type: string) => window.delete(type));
    return () => vi.unstubAllGlobals();
  });
});

describe('the token of a session', () => {
  const life = (exp: number) => `h.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.s`;
  const tokenOf = (index: number) => edge.sockets[index]?.request.protocols[1]?.replace('bearer.', '');
  const refreshes = () => edge.sockets.flatMap(socket => socket.sentOfType('refresh'));
  /** Each is newer than the one before. */
  let token: ReturnType<typeof vi.fn<() => string | Promise<string>>>;

  beforeEach(() => {
    edge.lifeMs = 100_000;
    let issued = 0;
    token = vi.fn(() => life(++issued));
  });

  it('is requested again after a refresh, when the connection breaks', async () => {
    const client = await edge.openClient({ token });
    await vi.advanceTimersByTimeAsync(90_001);
    expect(refreshes()).toHaveLength(1);
    void breakOff(client);
    await vi.advanceTimersByTimeAsync(500);
    expect([tokenOf(0), tokenOf(1)]).toEqual([life(1), life(3)]);
  });

  it('is not refreshed with one that the session has from an earlier refresh', async () => {
    token.mockReturnValueOnce(life(100)).mockReturnValue(life(200));
    await edge.openClient({ token });
    await vi.advanceTimersByTimeAsync(200_000);
    expect(token.mock.calls.length).toBeGreaterThan(2);
    expect(refreshes()).toHaveLength(1);
  });

  it('is the refreshed one when the edge accepted it during a move', async () => {
    edge.answer = (frame, socket) => void (['refresh', 'move'].includes(frame.type) || willing(frame, socket));
    const client = await edge.openClient({ token });
    await vi.advanceTimersByTimeAsync(90_001);
    const [{ id = '' } = {}] = refreshes();
    void client.sendEvent('move'); // Delays the move.
    advise(0);
    await turn();
    edge.socket.receive({ type: 'ack', id, payload: { expires_in_ms: 100_000 } });
    await turn();
    edge.socket.receive({ type: 'ack', id: edge.socket.sentOfType('move')[0]?.id ?? '' });
    await edge.accept();
    expect([tokenOf(1), token.mock.calls.length]).toEqual([life(2), 2]);
  });

  it('is requested by the session after the next, when it arrived while the next one was dialed', async () => {
    let give: (token: string) => void = () => {};
    const client = await edge.openClient({ token });
    token.mockReturnValueOnce(new Promise(resolve => (give = resolve)));
    await vi.advanceTimersByTimeAsync(90_001);
    void breakOff(client);
    await vi.advanceTimersByTimeAsync(500);
    give(life(50));
    await edge.accept();
    void breakOff(client);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(tokenOf(2)).not.toBe(life(50));
  });

  it('is renewed with growing delays, which are small again after a success', async () => {
    let isRefused = true;
    edge.answer = (frame, socket) => {
      if (frame.type !== 'refresh' || !isRefused) return willing(frame, socket);
      socket.receive({ type: 'error', id: frame.id ?? '', payload: { code: 'UNAVAILABLE', message: '' } });
    };
    await edge.openClient({ token });
    await vi.advanceTimersByTimeAsync(85_000);
    const counts: number[] = [];
    for (const delayMs of [500, 1_000, 2_000]) {
      counts.push(refreshes().length);
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      counts.push(refreshes().length);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 3]);
    isRefused = false;
    await vi.advanceTimersByTimeAsync(4_000);
    isRefused = true;
    const done = refreshes().length;
    await vi.advanceTimersByTimeAsync(85_000);
    await vi.advanceTimersByTimeAsync(500);
    expect(refreshes()).toHaveLength(done + 2);
  });

  it('may live for longer than a timer can wait', async () => {
    const DAY_MS = 24 * 3_600_000;
    edge.lifeMs = 60 * DAY_MS;
    await edge.openClient({ token, heartbeatIntervalMs: 2 ** 31 - 1 });
    await vi.advanceTimersByTimeAsync(60 * DAY_MS - 300_000);
    expect(refreshes()).toEqual([]);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(refreshes()).toHaveLength(1);
  });
});

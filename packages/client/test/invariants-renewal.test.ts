/** The invariant of README.md that concerns tokens: renewed before they expire, and the end is clear. Fake edge, fake clock. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HubbubError, type StateChange } from '../src/index.js';
import { FakeEdge, turn } from './support/fake-edge.js';

let edge: FakeEdge;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  vi.spyOn(Math, 'random').mockReturnValue(1); // All of the lead: the last fifth of a token's life.
  edge = new FakeEdge();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Not signed: nobody here looks. */
function tokenFor(lifeMs: number): string {
  const claims = { sub: 'u1', name: 'Ünö', exp: (Date.now() + lifeMs) / 1_000 };
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

const tokenOf = (index: number): string => edge.sockets[index]?.request.protocols[1] ?? '';

describe('invariant 18: tokens are renewed before they expire', () => {
  it('moves to a new connection with a fresh token before the old one expires, and again after that', async () => {
    const token = vi.fn(() => tokenFor(100_000));
    const client = await edge.openClient({ token });
    await client.room('general').join();
    await vi.advanceTimersByTimeAsync(79_999);
    expect(token).toHaveBeenCalledTimes(1);
    const states: StateChange[] = [];
    client.on('state', change => states.push(change));
    await vi.advanceTimersByTimeAsync(2);
    const socket = await edge.accept();
    expect(token).toHaveBeenCalledTimes(2);
    expect(tokenOf(1)).not.toBe(tokenOf(0));
    expect(states.map(({ state }) => state)).toEqual(['moving', 'connecting', 'opening', 'restoring', 'open']);
    expect(socket.sentOfType('resume')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(80_000);
    expect(edge.sockets).toHaveLength(3);
  });

  it('renews long tokens five minutes early at most, and half of that at least', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const token = vi.fn(() => tokenFor(24 * 3_600_000));
    await edge.openClient({ token });
    const pings = setInterval(() => edge.socket.receiveRaw('{}'), 20_000);
    await vi.advanceTimersByTimeAsync(24 * 3_600_000 - 150_001);
    expect(token).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(token).toHaveBeenCalledTimes(2);
    clearInterval(pings);
  });

  it('keeps the session while the callback fails or has nothing newer', async () => {
    const first = tokenFor(100_000);
    const token = vi.fn(() => first);
    const client = await edge.openClient({ token, baseDelayMs: 100 });
    token.mockRejectedValueOnce(new Error('the token server restarts') as never);
    await vi.advanceTimersByTimeAsync(80_000);
    expect([token.mock.calls.length, client.state]).toEqual([2, 'open']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([token.mock.calls.length, client.state]).toEqual([3, 'open']); // The same token again: nothing to move for.
    await vi.advanceTimersByTimeAsync(15_000);
    expect([token.mock.calls.length, edge.sockets.length]).toEqual([3, 1]);
    edge.socket.end(4100);
    expect(client.state).toBe('waiting');
  });

  it('lets a session whose user is signed out live until the edge ends it', async () => {
    const token = vi.fn(() => tokenFor(100_000));
    const client = await edge.openClient({ token });
    token.mockImplementation(() => {
      throw new HubbubError('UNAUTHORIZED', 'signed out');
    });
    await vi.advanceTimersByTimeAsync(90_000);
    expect(client.state).toBe('open');
    edge.socket.end(4100);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(client.state).toBe('closed');
  });

  it('leaves no timer behind', async () => {
    const client = await edge.openClient({ token: () => tokenFor(100_000) });
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is closed, and says why, when a fixed token has expired', async () => {
    const client = await edge.openClient({ token: tokenFor(100_000), maxDelayMs: 1 });
    const changes: StateChange[] = [];
    client.on('state', change => changes.push(change));
    await vi.advanceTimersByTimeAsync(30_000);
    vi.setSystemTime(Date.now() + 200_000);
    edge.socket.end(1006); // As browsers see it: no reason.
    await vi.advanceTimersByTimeAsync(10);
    await turn();
    expect(changes.at(-1)).toMatchObject({ state: 'closed', error: { code: 'UNAUTHORIZED' } });
    expect(edge.sockets).toHaveLength(1);
  });
});

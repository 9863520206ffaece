/** The invariant of README.md about tokens: renewed before they expire, and a clear end. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { HubbubError } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, turn, watchStates, willing } from './support/fake-edge.js';

useFakeClock({ random: 1, date: true }); // The whole lead time: the last fifth of a token's life.

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
  edge.lifeMs = 100_000;
});

/** An unsigned token: it is not verified here. */
function tokenFor(lifeMs: number): string {
  const claims = { sub: 'u1', name: 'Ünö', exp: (Date.now() + lifeMs) / 1_000 };
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

/** The tokens that the newest connection sent. */
const refreshes = (): unknown[] => edge.socket.sentOfType('refresh').map(({ payload }) => payload?.token);

const tokenOf = (index: number): string => edge.sockets[index]?.request.protocols[1]?.replace('bearer.', '') ?? '';

describe('invariant 18: tokens are renewed before they expire', () => {
  it('gives the session a fresh token before the old one expires, and again after that', async () => {
    const token = vi.fn(() => tokenFor(100_000));
    const client = await edge.openClient({ token });
    await client.room('general').join();
    const states = watchStates(client);
    await vi.advanceTimersByTimeAsync(79_999);
    expect([token.mock.calls.length, refreshes()]).toEqual([1, []]);
    await vi.advanceTimersByTimeAsync(2);
    expect(refreshes()).toEqual([token.mock.results[1]?.value]);
    expect(refreshes()[0]).not.toBe(tokenOf(0));
    await vi.advanceTimersByTimeAsync(79_000);
    expect(refreshes()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(refreshes()).toHaveLength(2);
    expect([edge.sockets.length, states]).toEqual([1, []]);
  });

  it.each(['UNKNOWN_TYPE', 'UNAUTHORIZED', 'FORBIDDEN', 'TOO_LARGE'])(
    'moves to a new connection with it where the edge answers %s, and loses no answer',
    async code => {
      edge.answer = (frame, socket) => {
        if (frame.type === 'refresh')
          socket.receive({ type: 'error', id: frame.id ?? '', payload: { code, message: '' } });
        else willing(frame, socket);
      };
      const token = vi.fn(() => tokenFor(100_000));
      const client = await edge.openClient({ token });
      await client.room('general').join();
      const states = watchStates(client);
      await vi.advanceTimersByTimeAsync(80_001);
      const socket = await edge.accept();
      expect(token).toHaveBeenCalledTimes(2);
      expect(tokenOf(1)).toBe(token.mock.results[1]?.value);
      expect(states.map(({ state }) => state)).toEqual(['moving', 'connecting', 'opening', 'restoring', 'open']);
      expect(socket.sentOfType('resume')).toHaveLength(1);
    },
  );

  it('moves when the token is too long for a frame of this session', async () => {
    const token = vi.fn(() => tokenFor(100_000));
    const client = edge.client({ token });
    void client.connect();
    await turn();
    edge.socket.open().welcome([], { max_frame_bytes: 100 });
    await vi.advanceTimersByTimeAsync(80_001);
    await edge.accept();
    expect([edge.sockets.length, edge.sockets[0]?.sentOfType('refresh')]).toEqual([2, []]);
    expect(tokenOf(1)).toBe(token.mock.results[1]?.value);
  });

  it.each<[string, string | undefined]>([
    ['UNAVAILABLE', 'UNAVAILABLE'],
    ['RATE_LIMITED', 'RATE_LIMITED'],
    ['nothing', undefined],
  ])('keeps the session and tries again where the edge answers %s', async (_, code) => {
    edge.answer = (frame, socket) => {
      if (frame.type !== 'refresh') willing(frame, socket);
      else if (code !== undefined)
        socket.receive({ type: 'error', id: frame.id ?? '', payload: { code, message: '' } });
    };
    const client = await edge.openClient({ token: () => tokenFor(100_000), baseDelayMs: 100, ackTimeoutMs: 1_000 });
    await vi.advanceTimersByTimeAsync(80_001);
    expect(refreshes()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(refreshes().length).toBeGreaterThan(2);
    edge.answer = willing;
    await vi.advanceTimersByTimeAsync(10_000);
    const done = refreshes().length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([refreshes().length, edge.sockets.length, client.state]).toEqual([done, 1, 'open']);
  });

  it('begins the next session with the requested token when the connection broke before the answer', async () => {
    edge.answer = (frame, socket) => {
      if (frame.type !== 'refresh') willing(frame, socket);
    };
    const token = vi.fn(() => tokenFor(100_000));
    await edge.openClient({ token, maxDelayMs: 1 });
    await vi.advanceTimersByTimeAsync(80_001);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(10);
    await edge.accept();
    expect(token).toHaveBeenCalledTimes(2);
    expect(tokenOf(1)).toBe(token.mock.results[1]?.value);
  });

  it('requests nothing on a connection that it is leaving, and uses a token that arrives then for the next one', async () => {
    let give: (token: string) => void = () => {};
    const token = vi.fn<() => string | Promise<string>>(() => tokenFor(100_000));
    const client = await edge.openClient({ token });
    token.mockReturnValueOnce(new Promise(resolve => (give = resolve)));
    await vi.advanceTimersByTimeAsync(80_001);
    const first = edge.socket;
    edge.answer = () => {}; // The edge owes an answer: the client stays until it is there.
    const ping = client.ping();
    first.receive({ type: 'reconnect', payload: { delay_ms: 0 } });
    await turn();
    expect(client.state).toBe('moving');
    const late = tokenFor(200_000);
    give(late);
    await turn();
    edge.answer = willing;
    first.receive({ type: 'pong', id: first.sentOfType('ping').at(-1)?.id ?? '' });
    await ping;
    await edge.accept();
    expect(first.sentOfType('refresh')).toEqual([]);
    expect(tokenOf(1)).toBe(late);
  });

  it('hides the token from listeners of frames', async () => {
    const token = vi.fn(() => tokenFor(100_000));
    const client = await edge.openClient({ token });
    const frames: unknown[] = [];
    client.on('frame', frame => frames.push(frame));
    await vi.advanceTimersByTimeAsync(80_001);
    expect(refreshes()).toHaveLength(1);
    expect(frames).toContainEqual(expect.objectContaining({ frame: expect.objectContaining({ type: 'refresh' }) }));
    expect(JSON.stringify(frames)).not.toContain(refreshes()[0]);
  });

  it('renews long tokens five minutes early at most, and half of that at least', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const token = vi.fn(() => tokenFor(24 * 3_600_000));
    edge.lifeMs = 24 * 3_600_000;
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
    expect([token.mock.calls.length, client.state]).toEqual([3, 'open']); // The same token again: no reason to move.
    await vi.advanceTimersByTimeAsync(15_000);
    expect([token.mock.calls.length, edge.sockets.length]).toEqual([3, 1]);
    edge.socket.end(4100);
    expect(client.state).toBe('waiting');
  });

  it('keeps the session of a signed-out user until the edge ends it', async () => {
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

  it('is closed, and reports why, when the edge no longer accepts a fixed token', async () => {
    const client = await edge.openClient({ token: tokenFor(100_000), maxDelayMs: 1 });
    const changes = watchStates(client);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(10);
    edge.socket.end(4101);
    expect(changes.at(-1)).toMatchObject({ state: 'closed', error: { code: 'UNAUTHORIZED' } });
  });

  it('begins no later session with a token that was requested in an earlier one', async () => {
    let give: (token: string) => void = () => {};
    const token = vi.fn<() => string | Promise<string>>(() => tokenFor(100_000));
    await edge.openClient({ token, maxDelayMs: 1 });
    token.mockReturnValueOnce(new Promise(resolve => (give = resolve)));
    await vi.advanceTimersByTimeAsync(80_001);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(10);
    await edge.accept();
    const late = tokenFor(200_000);
    give(late);
    await turn();
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(10);
    await edge.accept();
    expect([tokenOf(1), tokenOf(2)]).not.toContain(late);
  });
});

describe('a device whose clock is wrong', () => {
  const HOURS_MS = 3_600_000;

  it.each([2, -2])('connects %i hours off with a fixed token that the edge accepts', async hours => {
    const token = tokenFor(100_000);
    vi.setSystemTime(Date.now() + hours * HOURS_MS);
    const client = await edge.openClient({ token, maxDelayMs: 1 });
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(10);
    await edge.accept();
    expect([client.state, edge.sockets.length]).toEqual(['open', 2]);
  });

  it.each([2, -2])('renews its token in time %i hours off', async hours => {
    const tokens: string[] = [];
    let issuedMs = Date.now();
    const token = vi.fn(() => {
      issuedMs += 100_000; // By the clock of the signer.
      const claims = { sub: 'u1', exp: issuedMs / 1_000 };
      tokens.push(`h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`);
      return tokens.at(-1) ?? '';
    });
    vi.setSystemTime(Date.now() + hours * HOURS_MS);
    await edge.openClient({ token });
    await vi.advanceTimersByTimeAsync(79_999);
    expect(refreshes()).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(refreshes()).toEqual([tokens[1]]);
  });

  it('is not disturbed by a change of the clock during a session', async () => {
    const token = vi.fn(() => tokenFor(100_000));
    await edge.openClient({ token });
    await vi.advanceTimersByTimeAsync(10_000);
    vi.setSystemTime(Date.now() + 24 * HOURS_MS);
    await vi.advanceTimersByTimeAsync(69_999);
    expect(token).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(token).toHaveBeenCalledTimes(2);
  });
});

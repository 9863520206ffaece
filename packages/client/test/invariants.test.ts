/** The numbered invariants of README.md, each tried. Fake edge, fake clock. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HubbubClient, StateChange } from '../src/index.js';
import { FakeEdge, outcome, silent, turn, willing } from './support/fake-edge.js';

let edge: FakeEdge;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  edge = new FakeEdge();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function watchStates(client: HubbubClient): StateChange[] {
  const changes: StateChange[] = [];
  client.on('state', change => changes.push(change));
  return changes;
}

describe('invariant 1: one socket', () => {
  it('hangs up the old one before it dials, and never hears it again', async () => {
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

  it('forgets an attempt whose token came too late', async () => {
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
  it('stays restoring until the last room is back, and retries what may pass', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const client = await edge.openClient();
    await Promise.all([client.room('a').join(), client.room('b').join()]);
    edge.socket.end(1006);
    expect([client.room('a').state, client.room('b').state]).toEqual(['rejoining', 'rejoining']);
    edge.answer = (frame, socket) => {
      if (frame.payload?.room_id !== 'b') return willing(frame, socket);
      socket.receive({ type: 'error', id: frame.id ?? '', payload: { code: 'RATE_LIMITED', message: '' } });
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

  it('is open, and says so, when a room is refused for good', async () => {
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
  it.each([1001, 1006, 1011, 1012, 1013, 4000, 4001, 4099, 3999, 4999])('comes back after %i', async code => {
    const client = await edge.openClient();
    edge.socket.end(code);
    expect(client.state).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(edge.sockets).toHaveLength(2);
  });

  it('comes back when the edge never says welcome, and when the token callback fails', async () => {
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

describe('invariant 4: closed is closed', () => {
  it.each([1000, 1007, 1009, 4200, 4201])('stays away after %i', async code => {
    const client = await edge.openClient();
    const changes = watchStates(client);
    edge.socket.end(code);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(changes).toMatchObject([{ state: 'closed', closeCode: code, error: { name: 'HubbubError' } }]);
    expect(edge.sockets).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer, socket or promise behind, whatever happened before', async () => {
    const operations = fc.constantFrom(
      ...['connect', 'close', 'join', 'leave', 'send', 'ping', 'typing', 'open', 'welcome', 'drop', 'kick', 'drain'],
      ...['answer', 'silence', 'nonsense', 'second', 'minute'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operations, { maxLength: 40 }), async story => {
        edge = new FakeEdge();
        const client = edge.client();
        const room = client.room('general');
        const changes = watchStates(client);
        const promises: Promise<unknown>[] = [];
        const keep = (promise: Promise<unknown>): void => void promises.push(promise.catch(() => {}));
        for (const operation of story) {
          const socket = edge.sockets.at(-1);
          if (operation === 'connect') keep(client.connect());
          if (operation === 'close') client.close();
          if (operation === 'join') keep(room.join());
          if (operation === 'leave') keep(room.leave());
          if (operation === 'send') keep(room.send({}));
          if (operation === 'ping') keep(client.ping());
          if (operation === 'typing') room.typing();
          if (operation === 'open') socket?.open();
          if (operation === 'welcome') socket?.welcome();
          if (operation === 'drop') socket?.end(1006);
          if (operation === 'kick') socket?.end(4200);
          if (operation === 'drain') socket?.receive({ type: 'reconnect', payload: { delay_ms: 700 } });
          if (operation === 'answer') edge.answer = willing;
          if (operation === 'silence') edge.answer = silent;
          if (operation === 'nonsense') socket?.receiveRaw('{');
          await vi.advanceTimersByTimeAsync(operation === 'second' ? 1_000 : operation === 'minute' ? 60_000 : 0);
          const alive = edge.sockets.filter(socket => socket.closedWith === undefined && !socket.ended);
          expect(alive.length).toBeLessThanOrEqual(1);
        }
        client.close();
        await turn();
        expect(client.state).toBe('closed');
        expect(vi.getTimerCount()).toBe(0);
        expect(room.state).toBe('left');
        expect(await outcome(Promise.all(promises))).not.toBe('pending');
        for (const [at, change] of changes.entries()) if (at > 0) expect(change.previous).toBe(changes[at - 1]?.state);
      }),
      { numRuns: 150 },
    );
  });

  it('begins anew with connect(), without its old rooms', async () => {
    const client = await edge.openClient();
    await client.room('general').join();
    client.close();
    void client.connect();
    const socket = await edge.accept();
    expect(client.state).toBe('open');
    expect(socket.sent).toEqual([]);
  });
});

describe('invariant 5: delays are spread and bounded, and an edge is believed', () => {
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
    edge.socket.end(1006); // At once: not stable.
    await vi.advanceTimersByTimeAsync(30_000);
    await edge.accept();
    await vi.advanceTimersByTimeAsync(5_000);
    random.mockReturnValue(0.25);
    edge.socket.end(1006);
    expect(delays().slice(7)).toEqual([30_000, 250]);
  });

  it('waits at least as long as Retry-After says', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const client = edge.client();
    const changes = watchStates(client);
    void client.connect();
    await turn();
    edge.socket.end(1006, { refusal: { code: 'UNAVAILABLE', message: 'full', retryAfterMs: 5_000 } });
    expect(changes.at(-1)).toMatchObject({ state: 'waiting', delayMs: 5_500 });
  });

  it('comes back after the delay of reconnect, also when the connection ends before', async () => {
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

describe('invariant 6: a frame is sent once', () => {
  it('rejects what was in flight when the connection broke, and does not repeat it', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const sending = client.room('general').send({ content: 'hi' });
    const result = expect(sending).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /not known/ });
    edge.socket.end(1006);
    await result;
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await edge.accept()).sent).toEqual([]);
  });

  it('repeats it with the same id, before what came later, where retryInFlight is on', async () => {
    const client = await edge.openClient({ retryInFlight: true });
    const room = client.room('general');
    await room.join();
    edge.answer = silent;
    const first = room.send({ content: 'first' });
    const id = edge.socket.sentOfType('send_message')[0]?.id;
    edge.socket.end(1006);
    const second = room.send({ content: 'second' });
    edge.answer = willing;
    await vi.advanceTimersByTimeAsync(1_000);
    const socket = await edge.accept();
    expect(socket.sent.map(({ type, payload }) => [type, payload?.content])).toEqual([
      ['join_room', undefined],
      ['send_message', 'first'],
      ['send_message', 'second'],
    ]);
    expect(await outcome(first)).toEqual({ value: { id } });
    expect(await outcome(second)).toMatchObject({ value: {} });
  });
});

describe('invariant 7: order per room, and never before the room is joined', () => {
  it('holds frames of a room back until its join is answered, and lets other rooms through', async () => {
    const client = await edge.openClient();
    await client.room('ready').join();
    edge.answer = (frame, socket) => (frame.type === 'join_room' ? undefined : willing(frame, socket));
    void client.room('slow').join();
    void client.room('slow').send({ n: 1 });
    void client.room('ready').send({ n: 2 });
    void client.room('slow').send({ n: 3 });
    const sent = (): unknown[] => edge.socket.sentOfType('send_message').map(({ payload }) => payload?.n);
    expect(sent()).toEqual([2]);
    edge.socket.receive({ type: 'ack', id: edge.socket.sentOfType('join_room')[1]?.id ?? '' });
    await turn();
    expect(sent()).toEqual([2, 1, 3]);
  });
});

describe('invariant 8: every frame that went out is answered or given up', () => {
  it('gives up after ackTimeoutMs', async () => {
    const client = await edge.openClient({ ackTimeoutMs: 2_000 });
    edge.answer = silent;
    const promises = [
      client.room('a').join(),
      client.room('b').send({}),
      client.room('b').onlineUsers(),
      client.ping(),
    ];
    const results = Promise.allSettled(promises);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(await outcome(results)).toBe('pending');
    await vi.advanceTimersByTimeAsync(1);
    expect(await results).toMatchObject(promises.map(() => ({ status: 'rejected', reason: { code: 'UNAVAILABLE' } })));
    expect(client.state).toBe('open');
    expect(client.room('a').state).toBe('left');
  });
});

describe('invariant 9: a silent edge is noticed', () => {
  it('pings after a silence and comes back when nothing is heard', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    await vi.advanceTimersByTimeAsync(25_000);
    expect(edge.socket.sent).toMatchObject([{ type: 'ping' }]);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(client.state).toBe('open');
    await vi.advanceTimersByTimeAsync(1);
    expect(client.state).toBe('waiting');
    expect(edge.socket.closedWith).toBeDefined();
  });

  it('takes any frame for a sign of life, and does not ping an edge that talks', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    for (let second = 0; second < 60; second += 20) {
      await vi.advanceTimersByTimeAsync(20_000);
      edge.socket.receive({ type: 'new_message', room: 'general', payload: {} });
    }
    expect(edge.socket.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(25_000);
    edge.socket.receiveRaw('?');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(edge.socket.sentOfType('ping')).toHaveLength(1);
    expect(client.state).toBe('open');
  });
});

describe('invariant 10: no listener and no frame disturbs the connection', () => {
  it('reports a listener that throws as uncaught, and goes on', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const client = edge.client();
    const error = new Error('a bug of the application');
    for (const name of ['state', 'frame', 'welcome']) {
      client.on(name, () => {
        throw error;
      });
    }
    const opened = client.connect();
    await edge.accept();
    expect(await outcome(opened)).toEqual({ value: undefined });
    expect(reported).toHaveBeenCalledWith(error);
    vi.unstubAllGlobals();
  });

  it.each(['{', '[]', 'null', '{"type":7}', '{"type":"a","id":{}}', '{"payload":{}}', new Uint8Array([0xc1])])(
    'ignores %s and shows it',
    async raw => {
      const client = await edge.openClient();
      const ignored = vi.fn();
      client.on('ignored', ignored);
      edge.socket.receiveRaw(raw);
      expect(ignored).toHaveBeenCalledWith({ raw, error: expect.objectContaining({ code: 'INVALID_FORMAT' }) });
      expect(client.state).toBe('open');
    },
  );

  it('survives malformed payloads of the types it reads', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    await room.join();
    const payloads = [undefined, {}, { users: [1], count: 'x' }, { user: null }, { delay_ms: 'soon' }] as const;
    for (const type of [
      'welcome',
      'room_info',
      'user_joined',
      'user_left',
      'online_users',
      'room_gap',
      'error',
      'ack',
    ]) {
      for (const payload of payloads) {
        edge.socket.receive({ type, room: 'general', ...(payload !== undefined && { payload }) });
      }
    }
    await turn();
    expect(client.state).toBe('open');
    expect(room.roster.users).toEqual([]);
  });
});

describe('invariant 11: the token is asked for at every attempt', () => {
  it('comes back with a new token after 4100', async () => {
    let count = 0;
    const client = await edge.openClient({ token: () => `token.${count++}` });
    edge.socket.end(4100);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(edge.sockets.map(({ request }) => request.protocols[1])).toEqual(['bearer.token.0', 'bearer.token.1']);
    expect(client.state).toBe('connecting');
  });

  it('stops after 4100 when there is no callback to renew it, and when the callback says UNAUTHORIZED', async () => {
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

describe('invariant 12: a move loses no answer', () => {
  it('waits for the answers in flight, holds new frames back, then goes at once', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    await room.join();
    edge.answer = silent;
    const inFlight = room.send({ n: 1 });
    const old = edge.socket;
    old.receive({ type: 'reconnect', payload: { delay_ms: 100 } });
    await vi.advanceTimersByTimeAsync(100);
    expect(client.state).toBe('moving');
    const held = room.send({ n: 2 });
    expect(old.sentOfType('send_message')).toHaveLength(1);
    old.receive({ type: 'ack', id: old.sentOfType('send_message')[0]?.id ?? '' });
    edge.answer = willing;
    expect(await outcome(inFlight)).toMatchObject({ value: {} });
    expect(client.state).toBe('connecting');
    const socket = await edge.accept();
    expect(socket.sent.map(({ type }) => type)).toEqual(['join_room', 'send_message']);
    expect(await outcome(held)).toMatchObject({ value: {} });
  });
});

/** Invariants of README.md that concern frames and listeners. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, silent, turn, willing } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

describe('invariant 6: a frame is sent once', () => {
  it('rejects what was in flight when the connection broke, and does not repeat it', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const sending = client.room('general').send({ content: 'hi' });
    const result = expect(sending).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', message: /not known/ });
    edge.socket.end(1006);
    await result;
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await edge.accept()).sent).toEqual([]);
  });

  it('repeats it with the same id, before later frames, where retryInFlight is on', async () => {
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
      ['resume', undefined],
      ['send_message', 'first'],
      ['send_message', 'second'],
    ]);
    expect(await outcome(first)).toEqual({ value: { id } });
    expect(await outcome(second)).toMatchObject({ value: {} });
  });

  it('repeats it before later frames also when a move was cut short', async () => {
    const client = await edge.openClient({ retryInFlight: true });
    const room = client.room('general');
    edge.answer = silent;
    void room.send({ n: 1 });
    edge.socket.receive({ type: 'reconnect', payload: { delay_ms: 0 } });
    await turn();
    void room.send({ n: 2 });
    expect(client.state).toBe('moving');
    edge.socket.end(1006);
    edge.answer = willing;
    await turn();
    expect((await edge.accept()).sent.map(({ payload }) => payload?.n)).toEqual([1, 2]);
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

describe('invariant 8: every sent frame is answered or given up', () => {
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
    // A request that can be repeated without harm is UNAVAILABLE; the outcome of a publish is not known.
    const codes = ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'UNAVAILABLE', 'UNAVAILABLE'];
    expect(await results).toMatchObject(codes.map(code => ({ status: 'rejected', reason: { code } })));
    expect(client.state).toBe('open');
    expect(client.room('a').state).toBe('left');
  });
});

describe('invariant 9: a silent edge is noticed', () => {
  it('pings after a silence and reconnects when no answer arrives', async () => {
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
  it('reports a listener that throws as uncaught, and continues', async () => {
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

describe('invariant 12: a move loses no answer', () => {
  it('waits for the answers in flight, holds new frames back, then moves immediately', async () => {
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
    expect(socket.sent.map(({ type }) => type)).toEqual(['resume', 'send_message']);
    expect(await outcome(held)).toMatchObject({ value: {} });
  });
});

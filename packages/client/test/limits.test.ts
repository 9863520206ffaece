/** Limits of a call: its signal and its timeout. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, silent, turn, willing } from './support/fake-edge.js';
import { answerResume, comeBack, historic, joined, message } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const reason = new Error('not needed any more');
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    error => error,
  );
const answered = (type: string, more: object = {}) =>
  edge.socket.receive({ type: 'ack', id: edge.socket.sentOfType(type).at(-1)?.id ?? '', ...more });

describe('a signal', () => {
  it('that is aborted already keeps every call from being sent', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    const signal = AbortSignal.abort(reason);
    const calls = [
      room.join({ signal }),
      room.send({}, { signal }),
      room.sendEvent('move', {}, { signal }),
      room.history({ signal }),
      room.onlineUsers({ signal }),
      client.sendEvent('move', {}, { signal }),
      client.ping({ signal }),
      client.setStatus('away', { signal }),
    ];
    expect(await Promise.all(calls.map(rejection))).toEqual(calls.map(() => reason));
    expect(edge.socket.sent).toEqual([]);
    expect(room.state).toBe('left');
    const socket = await comeBack(edge);
    expect(socket.sentOfType('set_status')).toEqual([]);
  });

  it('that is aborted already keeps a client from connecting, and in its room', async () => {
    const signal = AbortSignal.abort(reason);
    const client = edge.client();
    expect(await rejection(client.connect({ signal }))).toBe(reason);
    expect(client.state).toBe('idle');
    const { room } = await joined(edge);
    expect(await rejection(room.leave({ signal }))).toBe(reason);
    expect([room.state, edge.socket.sentOfType('leave_room')]).toEqual(['joined', []]);
  });

  it('ends the wait of connect(); the client continues', async () => {
    const client = edge.client();
    const controller = new AbortController();
    const connecting = rejection(client.connect({ signal: controller.signal }));
    controller.abort(reason);
    expect(await connecting).toBe(reason);
    await edge.accept();
    expect(client.state).toBe('open');
  });

  it('takes a waiting message back: it is never sent, and those behind it are', async () => {
    const client = edge.client();
    void client.connect();
    const room = client.room('general');
    const controller = new AbortController();
    const first = room.send({ n: 1 }, { signal: controller.signal });
    const second = room.send({ n: 2 });
    controller.abort(reason);
    expect(await rejection(first)).toBe(reason);
    await edge.accept();
    expect(edge.socket.sentOfType('send_message').map(({ payload }) => payload?.n)).toEqual([2]);
    expect(await outcome(second)).toMatchObject({ value: {} });
  });

  it('makes place in the queue', async () => {
    const client = edge.client({ offlineQueueSize: 1 });
    void client.connect();
    const room = client.room('general');
    const controller = new AbortController();
    const first = rejection(room.send({ n: 1 }, { signal: controller.signal }));
    expect(await outcome(room.send({ n: 2 }))).toEqual({ code: 'UNAVAILABLE' });
    controller.abort(reason);
    await first;
    expect(await outcome(room.send({ n: 3 }))).toBe('pending');
    client.close();
  });

  it('stops the wait for an answer; the message still counts for the room', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    const controller = new AbortController();
    const sending = rejection(room.send({}, { signal: controller.signal }));
    controller.abort(reason);
    expect(await sending).toBe(reason);
    answered('send_message', { offset: 11 });
    edge.socket.receive(message(12));
    expect(heard).toEqual([12]);
  });

  it('does not repeat an abandoned message', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    const controller = new AbortController();
    const sending = rejection(room.send({}, { signal: controller.signal }));
    controller.abort(reason);
    await sending;
    const socket = await comeBack(edge);
    edge.answer = willing;
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 10, recovered: true }]);
    await turn();
    expect(socket.sentOfType('send_message')).toEqual([]);
  });

  it('moves when the answer to a call that was given up has come', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const controller = new AbortController();
    const pinging = rejection(client.ping({ signal: controller.signal }));
    edge.socket.receive({ type: 'reconnect', payload: { delay_ms: 0 } });
    await turn();
    controller.abort(reason);
    await pinging;
    expect(client.state).toBe('moving');
    edge.socket.receive({ type: 'pong', id: edge.socket.sentOfType('ping')[0]?.id ?? '' });
    await turn();
    expect(client.state).toBe('connecting');
  });

  it('takes a join back, and leaves the room unless another handle is in it', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const [a, b] = [client.room('general'), client.room('general')];
    const controller = new AbortController();
    const joining = rejection(a.join({ signal: controller.signal }));
    const other = b.join();
    controller.abort(reason);
    expect(await joining).toBe(reason);
    answered('join_room');
    expect(await outcome(other)).toEqual({ value: undefined });
    expect([b.state, edge.socket.sentOfType('leave_room')]).toEqual(['joined', []]);

    const alone = client.room('alone');
    const second = new AbortController();
    const rejected = rejection(alone.join({ signal: second.signal }));
    second.abort(reason);
    expect(await rejected).toBe(reason);
    expect([alone.state, edge.socket.sentOfType('leave_room')]).toMatchObject([
      'left',
      [{ payload: { room_id: 'alone' } }],
    ]);
  });

  it('that aborts after the call changes nothing', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    await room.join({ signal: controller.signal });
    await room.send({}, { signal: controller.signal });
    expect(removed).toHaveBeenCalledTimes(2);
    controller.abort(reason);
    expect(room.state).toBe('joined');
  });
});

describe('a timeout', () => {
  it('rejects with UNAVAILABLE a message that was not sent, and never sends it', async () => {
    const client = edge.client();
    void client.connect();
    const sending = rejection(client.room('general').send({}, { timeoutMs: 50 }));
    await vi.advanceTimersByTimeAsync(50);
    expect(await sending).toMatchObject({ code: 'UNAVAILABLE', message: 'send_message: no answer within 50 ms.' });
    await edge.accept();
    expect(edge.socket.sent).toEqual([]);
  });

  it('rejects with OUTCOME_UNKNOWN a message that was sent, and with UNAVAILABLE a request that has no effect', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const room = client.room('general');
    const calls = [
      room.send({}, { timeoutMs: 50 }),
      room.history({ timeoutMs: 50 }),
      room.onlineUsers({ timeoutMs: 50 }),
      client.ping({ timeoutMs: 50 }),
    ].map(rejection);
    await vi.advanceTimersByTimeAsync(49);
    expect(await outcome(Promise.race(calls))).toBe('pending');
    await vi.advanceTimersByTimeAsync(1);
    const codes = ['OUTCOME_UNKNOWN', 'UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'];
    expect(await Promise.all(calls)).toMatchObject(codes.map(code => ({ code })));
  });

  it('of connect() rejects with UNAVAILABLE while the client continues', async () => {
    const client = edge.client();
    const connecting = rejection(client.connect({ timeoutMs: 50 }));
    await vi.advanceTimersByTimeAsync(50);
    expect(await connecting).toMatchObject({ code: 'UNAVAILABLE', message: 'connect: no answer within 50 ms.' });
    await edge.accept();
    expect(client.state).toBe('open');
  });

  it('of leave() and setStatus() rejects; the room is left, and the status is sent in the next session', async () => {
    const { client, room } = await joined(edge);
    edge.answer = silent;
    const calls = [client.setStatus('away', { timeoutMs: 50 }), room.leave({ timeoutMs: 50 })].map(rejection);
    await vi.advanceTimersByTimeAsync(50);
    expect(await Promise.all(calls)).toMatchObject([{ code: 'UNAVAILABLE' }, { code: 'UNAVAILABLE' }]);
    expect(room.state).toBe('left');
    const socket = await comeBack(edge);
    expect(socket.sent).toMatchObject([{ type: 'set_status', payload: { status: 'away' } }]);
  });

  it('ends repetitions in a room with history', async () => {
    const { room } = await joined(edge);
    edge.answer = ({ id = '' }, socket) =>
      void socket.receive({ type: 'error', id, payload: { code: 'UNAVAILABLE', message: '' } });
    const sending = rejection(room.send({}, { timeoutMs: 2_000 }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await sending).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    const { length } = edge.socket.sentOfType('send_message');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(edge.socket.sentOfType('send_message')).toHaveLength(length);
  });

  it('of a join leaves the room', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const room = client.room('general');
    const joining = rejection(room.join({ timeoutMs: 50 }));
    await vi.advanceTimersByTimeAsync(50);
    expect(await joining).toMatchObject({ code: 'UNAVAILABLE' });
    expect([room.state, client.state]).toEqual(['left', 'open']);
  });

  it('longer than any timer waits as long as a timer can', async () => {
    const client = await edge.openClient();
    edge.answer = historic(1);
    expect(await outcome(client.room('general').join({ timeoutMs: 2 ** 40 }))).toEqual({ value: undefined });
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

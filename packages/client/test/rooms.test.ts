/** Applications in rooms: joins, leaves and rosters, against a fake edge and a fake clock. */
import type { Frame } from '@hubbub/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, type FakeSocket, outcome, silent, turn, willing } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('rooms', () => {
  it('joins at the ack, sends, and hears only its own frames', async () => {
    const client = await edge.openClient();
    const general = client.room('general');
    const other = client.room('other');
    const heard: unknown[] = [];
    general.on('new_message', frame => heard.push(['general', frame.sender.name, frame.payload]));
    other.on('new_message', () => heard.push(['other']));
    client.on('new_message', frame => heard.push(['any', frame.room]));
    edge.answer = (frame, socket) =>
      void socket.receive({ type: 'ack', id: frame.id ?? '', timestamp: '2026-01-01T00:00:00.000Z', offset: 7 });
    await general.join();
    expect(await general.send({ content: 'hi' }, { id: 'mine' })).toEqual({
      id: 'mine',
      timestamp: '2026-01-01T00:00:00.000Z',
      offset: 7,
    });
    edge.socket.receive({ type: 'new_message', room: 'general', sender: { id: 'b', name: 'B' }, payload: { n: 1 } });
    expect(heard).toEqual([
      ['general', 'B', { n: 1 }],
      ['any', 'general'],
    ]);
    expect(client.room('general').state).toBe('joined');
  });

  it('does not mistake an echo of its message for the ack', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const sending = client.room('general').send({}, { id: 'm1' });
    edge.socket.receive({ type: 'new_message', room: 'general', id: 'm1', payload: {} });
    expect(await outcome(sending)).toBe('pending');
    const [{ id = '', message_id } = {}] = edge.socket.sentOfType('send_message');
    expect(message_id).toBe('m1');
    edge.socket.receive({ type: 'ack', id });
    expect(await outcome(sending)).toEqual({ value: { id: 'm1' } });
  });

  it('gives each message a globally unique id, and reports when the edge knew it already', async () => {
    const client = await edge.openClient();
    const other = await new FakeEdge().openClient();
    edge.answer = ({ id = '', message_id }, socket) =>
      void socket.receive({ type: 'ack', id, payload: { message_id, duplicate: true } });
    const { id, ...rest } = await client.room('general').send({});
    expect(edge.socket.sentOfType('send_message')[0]?.message_id).toBe(id);
    expect(rest).toEqual({ duplicate: true });
    await client.room('general').sendEvent('move', {}, { id: 'mine' });
    expect(edge.socket.sentOfType('move')[0]?.message_id).toBe('mine');
    expect((await other.room('general').send({})).id).not.toBe(id);
    expect(edge.socket.sent.filter(({ type, message_id }) => type === 'join_room' && message_id)).toEqual([]);
  });

  it('immediately rejects what an edge would refuse: names of events, ids, rooms', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const room = client.room('general');
    for (const type of ['camelCase', '', 'ping', 'join_room', 'x'.repeat(65)]) {
      expect(await outcome(room.sendEvent(type)), type).toEqual({ code: 'INVALID_FORMAT' });
      expect(await outcome(client.sendEvent(type)), type).toEqual({ code: 'INVALID_FORMAT' });
    }
    for (const id of ['', 'x'.repeat(65), '\ud83d']) {
      expect(await outcome(room.send({}, { id })), id).toEqual({ code: 'INVALID_FORMAT' });
    }
    expect(await outcome(client.room('no room').send({}))).toEqual({ code: 'INVALID_ROOM' });
    expect(edge.socket.sent).toEqual([]);
  });

  it('retries a join that the edge refuses temporarily, not before retry_after_ms, and gives up after 30 s', async () => {
    const client = await edge.openClient();
    const refuse = (code: string) => (frame: Frame, socket: FakeSocket) =>
      frame.type === 'ping'
        ? willing(frame, socket)
        : void socket.receive({
            type: 'error',
            id: frame.id ?? '',
            payload: { code, message: '', retry_after_ms: 2_000 },
          });
    edge.answer = refuse('RATE_LIMITED');
    const joining = client.room('general').join();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(edge.socket.sentOfType('join_room')).toHaveLength(1);
    edge.answer = willing;
    await vi.advanceTimersByTimeAsync(1_001);
    expect(await outcome(joining)).toEqual({ value: undefined });
    expect(edge.socket.sentOfType('join_room')).toHaveLength(2);

    edge.answer = refuse('FORBIDDEN');
    expect(await outcome(client.room('closed').join())).toEqual({ code: 'FORBIDDEN' });
    edge.answer = refuse('UNAVAILABLE');
    const inVain = client.room('away').join();
    const result = expect(inVain).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: 2_000 });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(await outcome(inVain)).toBe('pending');
    await vi.advanceTimersByTimeAsync(40_000);
    await result;
    expect(client.room('away').state).toBe('left');
  });

  it('rejects with the code of the edge', async () => {
    const client = await edge.openClient();
    edge.answer = ({ id = '' }, socket) =>
      void socket.receive({ type: 'error', id, payload: { code: 'FORBIDDEN', message: 'no' } });
    const room = client.room('secret');
    await expect(room.join()).rejects.toMatchObject({ code: 'FORBIDDEN', retryable: false });
    expect(room.state).toBe('left');
    await expect(room.send({})).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('answers joins that wait together with one frame', async () => {
    const client = edge.client();
    const room = client.room('general');
    const joins = Promise.all([room.join(), room.join()]);
    void client.connect();
    await edge.accept();
    await joins;
    expect(edge.socket.sentOfType('join_room')).toHaveLength(1);
    expect(room.state).toBe('joined');
  });

  it('uses only the answer to the last of join, leave, join', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const room = client.room('general');
    void room.join();
    const leaving = room.leave();
    void room.join();
    const [first, leave, second] = edge.socket.sent;
    edge.socket.receive({ type: 'ack', id: first?.id ?? '' }).receive({ type: 'ack', id: leave?.id ?? '' });
    expect(await outcome(leaving)).toEqual({ value: undefined });
    expect(room.state).toBe('joining');
    edge.socket.receive({ type: 'ack', id: second?.id ?? '' });
    await turn();
    expect(room.state).toBe('joined');
  });

  it('stays out of a room that was left while the join was in flight', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const room = client.room('general');
    void room.join();
    void room.leave();
    edge.socket.receive({ type: 'ack', id: edge.socket.sentOfType('join_room')[0]?.id ?? '' });
    await turn();
    expect(room.state).toBe('left');
    client.close();
  });

  it('does not rejoin a room that was left or closed', async () => {
    const client = await edge.openClient();
    const [left, closed, kept] = ['left', 'closed', 'kept'].map(name => client.room(name));
    await Promise.all([left?.join(), closed?.join(), kept?.join()]);
    await left?.leave();
    edge.socket.receive({ type: 'room_closed', payload: { room_id: 'closed' } });
    expect(closed?.state).toBe('left');
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    await edge.accept();
    expect(edge.socket.sent.map(({ payload }) => payload)).toEqual([{ rooms: [{ room_id: 'kept' }] }]);
  });

  it('keeps the roster, and asks presence on request', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    await room.join();
    const users = [{ id: 'a', name: 'A' }];
    edge.socket.receive({ type: 'room_info', payload: { room_id: 'general', users, count: 1, version: 1 } });
    expect(room.roster.users).toEqual(users);
    edge.answer = ({ id = '' }, socket) =>
      void socket.receive({
        type: 'online_users',
        id,
        payload: { room_id: 'general', users: [], count: 0, version: 2 },
      });
    expect(await room.onlineUsers()).toMatchObject({ count: 0 });
    expect(room.roster.count).toBe(0);
  });
});

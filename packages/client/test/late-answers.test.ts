/** Answers to joins, resumes and leaves that arrive too late, or never. Fake edge, fake clock. */
import type { Frame } from '@hubbub/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, silent, turn, willing } from './support/fake-edge.js';
import { answerResume, comeBack, hear, joined, message } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const lastId = (type: string): string => edge.socket.sentOfType(type).at(-1)?.id ?? 'not sent';
const ack = (type: string, payload: Frame['payload'] = {}): void =>
  void edge.socket.receive({ type: 'ack', id: lastId(type), payload });
const fail = (id: string, code: string): void =>
  void edge.socket.receive({ type: 'error', id, payload: { code, message: '' } });

/** A client at the path of `general`, before the answer with its position. */
async function atPath() {
  const client = edge.client({ url: 'ws://edge.test/rooms/general/ws' });
  edge.answer = silent;
  void client.connect();
  const room = client.room('general');
  await edge.accept(['general']);
  return { client, room };
}

describe('a room that was left before the answer arrived', () => {
  it.each(['join_room', 'resume'])('keeps no position of a late answer to %s', async type => {
    const client = await edge.openClient();
    const room = client.room('general');
    edge.answer = silent;
    void room.join();
    if (type === 'resume') {
      ack('join_room');
      await turn();
      await comeBack(edge);
    }
    const id = lastId(type);
    void room.leave();
    const position = { epoch: 'e1', offset: 7, recovered: true };
    const payload = type === 'resume' ? { rooms: [{ room_id: 'general', ...position }] } : position;
    edge.socket.receive({ type: 'ack', id, payload });
    await turn();
    expect(room.state).toBe('left');
    void room.join();
    expect(edge.socket.sentOfType('join_room').at(-1)?.payload).toEqual({ room_id: 'general' });
  });

  it('and that is being joined again ignores the refusal of the first join', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    edge.answer = silent;
    void room.join();
    const first = lastId('join_room');
    void room.leave();
    const again = room.join();
    fail(first, 'FORBIDDEN');
    expect(await outcome(again)).toBe('pending');
    ack('join_room');
    expect(await outcome(again)).toEqual({ value: undefined });
  });

  it('while its token was fetched is not joined with it', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    let give: (token: string) => void = () => {};
    room.join({ token: () => new Promise(resolve => (give = resolve)) }).catch(() => {});
    await turn();
    void room.leave();
    give('a.b.c');
    await turn();
    expect(edge.socket.sentOfType('join_room')).toEqual([]);
  });

  it('by a listener of its gap stays left', async () => {
    const { room, heard } = await joined(edge);
    room.onGap(() => void room.leave());
    const socket = await comeBack(edge);
    answerResume(socket, [{ room_id: 'general', epoch: 'e2', offset: 0, recovered: false, reason: 'new_epoch' }]);
    await turn();
    expect(heard).toEqual(['rejoining', { reason: 'new_epoch', before: 1 }, 'left']);
    expect(room.state).toBe('left');
  });
});

describe('a leave', () => {
  it('succeeds where the session ends before the answer', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    const left = room.leave();
    edge.socket.end(1006);
    expect(await outcome(left)).toEqual({ value: undefined });
  });

  it('rejects with a refusal', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    const left = room.leave();
    fail(lastId('leave_room'), 'RATE_LIMITED');
    expect(await outcome(left)).toEqual({ code: 'RATE_LIMITED' });
  });

  it('before the first session holds for the room of the path', async () => {
    const client = edge.client({ url: 'ws://edge.test/rooms/general/ws' });
    const room = client.room('general');
    await room.leave();
    void client.connect();
    const socket = await edge.accept(['general']);
    expect(socket.sent).toMatchObject([{ type: 'leave_room', payload: { room_id: 'general' } }]);
    expect(room.state).toBe('left');
  });

  it('that is repeated in a new session ends with its ack: then a service may add the session again', async () => {
    const { client, room } = await atPath();
    ack('resume');
    void room.leave();
    ack('leave_room');
    const socket = await comeBack(edge, ['general']);
    const heard = hear(client.room('general'));
    socket.receive(message(1));
    fail(lastId('leave_room'), 'UNAVAILABLE');
    await turn();
    socket.receive(message(2));
    expect(heard, 'leaving failed: the session is still in the room').toEqual([]);
    await comeBack(edge, ['general']);
    ack('leave_room');
    await turn();
    edge.socket.receive({ type: 'room_opened', payload: { room_id: 'general' } }).receive(message(3));
    expect(heard).toEqual(['joined', 3]);
  });
});

describe('an answer of another type', () => {
  it('answers nothing: the request waits for its own', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const room = client.room('general');
    const calls = { join_room: room.join(), history: room.history(), ping: client.ping() };
    for (const type of Object.keys(calls)) {
      const own = { join_room: 'ack', history: 'history', ping: 'pong' }[type];
      for (const other of ['ack', 'pong', 'online_users', 'history', 'new_message'].filter(one => one !== own))
        edge.socket.receive({ type: other, id: lastId(type), payload: { room_id: 'general' } });
    }
    for (const call of Object.values(calls)) expect(await outcome(call)).toBe('pending');
    ack('join_room');
    edge.socket.receive({ type: 'pong', id: lastId('ping') });
    expect(await outcome(calls.join_room)).toEqual({ value: undefined });
    expect(await outcome(calls.ping)).toMatchObject({ value: expect.any(Number) });
    edge.socket.receive({ type: 'history', id: lastId('history'), payload: { epoch: '', messages: [] } });
    expect(await outcome(calls.history)).toMatchObject({ value: { messages: [] } });
  });

  it('answers no client event, whatever its name', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const sent = client.sendEvent('constructor');
    edge.socket.receive({ type: 'pong', id: lastId('constructor') });
    expect(await outcome(sent)).toBe('pending');
    ack('constructor');
    expect(await outcome(sent)).toEqual({ value: undefined });
  });
});

describe('a resume that the edge refuses with RATE_LIMITED', () => {
  it('is repeated after a delay, and not by a join for each room', async () => {
    const client = await edge.openClient();
    const rooms = ['a', 'b', 'c'].map(name => client.room(name));
    await Promise.all(rooms.map(room => room.join()));
    const socket = await comeBack(edge);
    fail(lastId('resume'), 'RATE_LIMITED');
    await turn();
    expect(socket.sentOfType('join_room')).toEqual([]);
    expect(rooms.map(({ state }) => state)).toEqual(['rejoining', 'rejoining', 'rejoining']);
    edge.answer = willing;
    await vi.advanceTimersByTimeAsync(500);
    expect(rooms.map(({ state }) => state)).toEqual(['joined', 'joined', 'joined']);
  });
});

describe('a first join', () => {
  it('is retried with delays that double', async () => {
    const client = await edge.openClient();
    edge.answer = ({ id = '' }, socket) =>
      void socket.receive({ type: 'error', id, payload: { code: 'UNAVAILABLE', message: '' } });
    void client.room('general').join();
    const attempts = (): number => edge.socket.sentOfType('join_room').length;
    for (const [index, delayMs] of [500, 1_000, 2_000].entries()) {
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      expect(attempts()).toBe(index + 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(attempts()).toBe(index + 2);
    }
    client.close();
  });

  it('is still a first one after a reconnect: it rejects with a final refusal', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    const room = client.room('general');
    const heard = hear(room);
    const joining = room.join();
    await comeBack(edge);
    fail(lastId('join_room'), 'FORBIDDEN');
    expect(await outcome(joining)).toEqual({ code: 'FORBIDDEN' });
    expect(heard).toEqual(['joining', 'left']);
  });
});

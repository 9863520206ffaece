/** Invariants of README.md that concern positions and recovery. Fake edge, fake clock. */
import type { Frame } from '@hubbub/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HubbubClient, Room } from '../src/index.js';
import { FakeEdge, type FakeSocket, outcome, placesIn, silent, turn, willing } from './support/fake-edge.js';

let edge: FakeEdge;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  edge = new FakeEdge();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Every room has a history, of this epoch and up to this offset. */
function historic(offset: number, epoch = 'e1') {
  return (frame: Frame, socket: FakeSocket): void => {
    if (frame.type === 'join_room') socket.receive({ type: 'ack', id: frame.id ?? '', payload: { epoch, offset } });
    else willing(frame, socket);
  };
}

function message(offset: number, more: Partial<Frame> = {}): Frame {
  return { type: 'new_message', room: 'general', sender: { id: 'b', name: 'B' }, payload: {}, offset, ...more };
}

/** What the application hears of a room, in order. */
function hear(room: Room): unknown[] {
  const heard: unknown[] = [];
  room.on('new_message', ({ offset }) => heard.push(offset));
  room.onGap(({ room: _, ...gap }) => heard.push(gap));
  room.onRecovered(({ replayed }) => heard.push(`recovered ${replayed}`));
  room.onStateChange(({ state }) => heard.push(state));
  return heard;
}

/** A client in `general` at offset 10, and what it heard since then. */
async function joined(): Promise<{ client: HubbubClient; room: Room; heard: unknown[] }> {
  const client = await edge.openClient();
  edge.answer = historic(10);
  const room = client.room('general');
  await room.join();
  return { client, room, heard: hear(room) };
}

/** The connection breaks and the next session stands; nothing is answered yet. */
async function comeBack(rooms: string[] = []): Promise<FakeSocket> {
  edge.socket.end(1006);
  edge.answer = silent;
  await vi.advanceTimersByTimeAsync(1_000);
  return edge.accept(rooms);
}

function answerResume(socket: FakeSocket, answers: object[]): void {
  const id = socket.sentOfType('resume').at(-1)?.id ?? '';
  socket.receive({ type: 'ack', id, payload: { rooms: answers } });
}

describe('invariant 13: every message with an offset once and in order, and no silence about what is missing', () => {
  it('drops what it has seen, and tells a hole before what follows it', async () => {
    const { heard } = await joined();
    for (const offset of [11, 12, 11, 12, 15]) edge.socket.receive(message(offset));
    expect(heard).toEqual([11, 12, { reason: 'missed', since: 12, before: 15 }, 15]);
  });

  it('counts own messages by their acks, which may come before or after the messages of others', async () => {
    const { room, heard } = await joined();
    edge.answer = silent;
    const sending = [room.send({ n: 1 }), room.send({ n: 2 })];
    const [first, second] = edge.socket.sentOfType('send_message');
    edge.socket
      .receive(message(12))
      .receive({ type: 'ack', id: first?.id ?? '', offset: 11 })
      .receive({ type: 'ack', id: second?.id ?? '', offset: 14 })
      .receive(message(13))
      .receive(message(15));
    expect(await outcome(Promise.all(sending))).toMatchObject({ value: [{ offset: 11 }, { offset: 14 }] });
    expect(heard).toEqual([12, 13, 15]);
    expect(placesIn((await comeBack()).sentOfType('resume')[0])).toMatchObject([{ epoch: 'e1', offset: 15 }]);
  });

  it('tells a hole when the message that could have filled it was refused', async () => {
    const { room, heard } = await joined();
    edge.answer = silent;
    const sending = room.send({});
    edge.socket.receive(message(12));
    const id = edge.socket.sentOfType('send_message')[0]?.id ?? '';
    edge.socket.receive({ type: 'error', id, payload: { code: 'FORBIDDEN', message: '' } });
    expect(await outcome(sending)).toEqual({ code: 'FORBIDDEN' });
    expect(heard).toEqual([12, { reason: 'missed', since: 10, before: 12 }]);
  });

  it('passes echoes of own messages, whether their ack came before or after', async () => {
    const { room, heard } = await joined();
    edge.answer = silent;
    void room.send({}, { id: 'm1' });
    void room.send({}, { id: 'm2' });
    const own = { sender: { id: 'u1', name: 'One' } };
    edge.socket
      .receive({ type: 'ack', id: 'm1', offset: 11 })
      .receive(message(11, { ...own, id: 'm1' }))
      .receive(message(12, { ...own, id: 'm2' }))
      .receive({ type: 'ack', id: 'm2', offset: 12 });
    expect(heard).toEqual([11, 12]);
  });

  it('follows a room_gap of the edge into the new epoch', async () => {
    const { heard } = await joined();
    const payload = { room_id: 'general', reason: 'new_epoch', epoch: 'e2', offset: 3 };
    edge.socket.receive(message(11)).receive({ type: 'room_gap', payload }).receive(message(4));
    expect(heard).toEqual([11, { reason: 'new_epoch', before: 4 }, 4]);
    edge.socket.receive({ type: 'room_gap', room: 'general', payload: { room_id: 'general' } });
    expect(heard.at(-1)).toMatchObject({ reason: 'no_history' });
  });
});

describe('invariant 14: in a new session every room says recovered or gap', () => {
  it('gives what was replayed, once, and says that the room is whole', async () => {
    const { client, heard } = await joined();
    edge.socket.receive(message(11));
    const socket = await comeBack();
    expect(client.state).toBe('restoring');
    for (const offset of [11, 12, 13]) socket.receive(message(offset));
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 13, recovered: true }]);
    socket.receive(message(14)); // Before the answer's promise has run.
    await turn();
    expect(heard).toEqual([11, 'rejoining', 12, 13, 14, 'recovered 3', 'joined']);
    expect(client.state).toBe('open');
  });

  it.each([
    [
      { epoch: 'e1', offset: 50, recovered: false, reason: 'too_old' },
      { reason: 'too_old', since: 10, before: 51 },
    ],
    [
      { epoch: 'e1', offset: 50, recovered: false, reason: 'too_many' },
      { reason: 'too_many', since: 10, before: 51 },
    ],
    [
      { epoch: 'e2', offset: 50, recovered: false, reason: 'new_epoch' },
      { reason: 'new_epoch', before: 51 },
    ],
    [{}, { reason: 'no_history' }],
  ])('after %j it tells the gap, then what follows', async (answer, gap) => {
    const { heard } = await joined();
    const socket = await comeBack();
    answerResume(socket, [{ room_id: 'general', ...answer }]);
    socket.receive(message(51)).receive(message(52));
    await turn();
    expect(heard).toEqual(['rejoining', gap, 51, 52, 'joined']);
  });

  it('says so when a room without history was away', async () => {
    const client = await edge.openClient();
    const room = client.room('plain');
    await room.join();
    const gaps = vi.fn();
    client.on('gap', gaps);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    await edge.accept();
    expect(gaps).toHaveBeenCalledWith({ room: 'plain', reason: 'no_history' });
  });

  it('keeps its position over sessions that ended before they answered', async () => {
    const { heard } = await joined();
    const first = await comeBack();
    first.receive(message(11));
    const second = await comeBack();
    expect(placesIn(second.sentOfType('resume')[0])).toEqual([{ room_id: 'general', epoch: 'e1', offset: 11 }]);
    second.receive(message(12));
    answerResume(second, [{ room_id: 'general', epoch: 'e1', offset: 12, recovered: true }]);
    await turn();
    expect(heard).toEqual(['rejoining', 11, 12, 'recovered 1', 'joined']);
  });
});

describe('invariant 15: own messages of a room with history are neither lost nor doubled', () => {
  it('repeats what was in flight with the same id, after the room is back', async () => {
    const { room } = await joined();
    edge.answer = silent;
    const sending = room.send({ n: 1 });
    const id = edge.socket.sentOfType('send_message')[0]?.id;
    const socket = await comeBack();
    expect(socket.sentOfType('send_message')).toEqual([]);
    edge.answer = willing;
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 10, recovered: true }]);
    await turn();
    expect(socket.sentOfType('send_message')).toMatchObject([{ id, payload: { n: 1 } }]);
    expect(await outcome(sending)).toMatchObject({ value: { id } });
  });

  it('takes its replay for the ack, and does not show it as news', async () => {
    const { room, heard } = await joined();
    edge.answer = silent;
    const sending = room.send({ n: 1 }, { id: 'm1' });
    const socket = await comeBack();
    socket.receive(message(11, { id: 'm1', sender: { id: 'u1', name: 'One' }, timestamp: 'T' })).receive(message(12));
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 12, recovered: true }]);
    expect(await outcome(sending)).toEqual({ value: { id: 'm1', timestamp: 'T', offset: 11 } });
    expect(socket.sentOfType('send_message')).toEqual([]);
    expect(heard).toEqual(['rejoining', 12, 'recovered 2', 'joined']);
  });

  it('shows own messages of other sessions, and none that was acked', async () => {
    const { room, heard } = await joined();
    edge.answer = (frame, socket) => void socket.receive({ type: 'ack', id: frame.id ?? '', offset: 12 });
    await room.send({}, { id: 'm1' });
    const socket = await comeBack();
    const own = { sender: { id: 'u1', name: 'One' } };
    socket.receive(message(11, { ...own, id: 'other' })).receive(message(12, { ...own, id: 'm1' }));
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 12, recovered: true }]);
    await turn();
    expect(heard).toEqual(['rejoining', 11, 'recovered 1', 'joined']);
  });

  it.each([
    ['the history is another', { epoch: 'e2', offset: 0, recovered: false, reason: 'new_epoch' }, 0],
    ['the edge may have forgotten the id', { epoch: 'e1', offset: 10, recovered: true }, 5 * 60_000],
  ] as const)('says that it is not known when %s', async (_why, answer, awayMs) => {
    const { room } = await joined();
    edge.answer = silent;
    const sending = room.send({});
    const late = expect(sending).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /not known/ });
    for (let waitedMs = 0; waitedMs < awayMs; waitedMs += 1_000) {
      edge.socket.end(1006); // The network is away.
      await vi.advanceTimersByTimeAsync(1_000);
    }
    edge.socket.end(1006);
    const dialled = edge.sockets.length;
    while (edge.sockets.length === dialled) await vi.advanceTimersByTimeAsync(1_000);
    const socket = await edge.accept();
    answerResume(socket, [{ room_id: 'general', ...answer }]);
    await turn();
    expect(socket.sentOfType('send_message')).toEqual([]);
    await late;
  });
});

describe('invariant 16: positions are named in as few frames as fit, and an edge that cannot resume is asked room by room', () => {
  it('splits by bytes and by keys', async () => {
    const client = await edge.openClient();
    edge.answer = historic(7);
    const names = Array.from({ length: 100 }, (_, index) => `room:${'x'.repeat(60)}${index}`);
    await Promise.all(names.map(name => client.room(name).join()));
    edge.socket.end(1006);
    edge.answer = willing;
    await vi.advanceTimersByTimeAsync(1_000);
    const socket = await edge.accept();
    const resumes = socket.sentOfType('resume');
    expect(resumes.length).toBeGreaterThan(1);
    expect(resumes.length).toBeLessThan(5);
    expect(resumes.flatMap(placesIn).map(({ room_id, offset }) => [room_id, offset])).toEqual(names.map(n => [n, 7]));
    for (const frame of resumes) {
      expect(JSON.stringify(frame).length).toBeLessThanOrEqual(4_096);
      expect(placesIn(frame).length * 4 + 1).toBeLessThanOrEqual(256);
    }
    expect(socket.sentOfType('join_room')).toEqual([]);
    expect(client.state).toBe('open');
  });

  it.each(['UNKNOWN_TYPE', 'UNAVAILABLE'])('joins with the position after %s', async code => {
    const { client, heard } = await joined();
    const socket = await comeBack();
    edge.answer = (frame, to) => {
      const payload = { epoch: 'e1', offset: 10, recovered: true };
      if (frame.type === 'join_room') to.receive({ type: 'ack', id: frame.id ?? '', payload });
    };
    const id = socket.sentOfType('resume')[0]?.id ?? '';
    socket.receive({ type: 'error', id, payload: { code, message: '' } });
    await turn();
    expect(socket.sentOfType('join_room')).toMatchObject([
      { payload: { room_id: 'general', epoch: 'e1', offset: 10 } },
    ]);
    expect(heard).toEqual(['rejoining', 'recovered 0', 'joined']);
    expect(client.state).toBe('open');
  });

  it('asks again later for a room that was refused for now, and leaves one that was refused for good', async () => {
    const client = await edge.openClient();
    edge.answer = historic(1);
    const rooms = ['soon', 'never', 'fine'].map(name => client.room(name));
    await Promise.all(rooms.map(room => room.join()));
    const socket = await comeBack();
    answerResume(socket, [
      { room_id: 'soon', error: { code: 'RATE_LIMITED', message: '' } },
      { room_id: 'never', error: { code: 'FORBIDDEN', message: '' } },
      { room_id: 'fine', epoch: 'e1', offset: 1, recovered: true },
    ]);
    await turn();
    expect(rooms.map(({ state }) => state)).toEqual(['rejoining', 'left', 'joined']);
    edge.answer = historic(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.state).toBe('open');
  });
});

describe('invariant 17: the room of the path is like every other', () => {
  it('learns its position, resumes it, and puts live messages that overtake the replay behind it', async () => {
    const client = edge.client({ url: 'ws://edge.test/rooms/general/ws' });
    edge.answer = silent;
    void client.connect();
    const heard = hear(client.room('general'));
    const first = await edge.accept(['general']);
    first.receive(message(11));
    answerResume(first, [{ room_id: 'general', epoch: 'e1', offset: 10 }]);
    await turn();
    const second = await comeBack(['general']);
    expect(placesIn(second.sentOfType('resume')[0])).toEqual([{ room_id: 'general', epoch: 'e1', offset: 11 }]);
    for (const offset of [14, 12, 13, 14, 15]) second.receive(message(offset));
    answerResume(second, [{ room_id: 'general', epoch: 'e1', offset: 15, recovered: true }]);
    await turn();
    expect(heard).toEqual(['joined', 11, 'rejoining', 12, 13, 14, 15, 'recovered 4', 'joined']);
  });

  it('is not entered again after leave(), until join()', async () => {
    const client = edge.client({ url: 'ws://edge.test/rooms/general/ws' });
    void client.connect();
    await edge.accept(['general']);
    const room = client.room('general');
    await room.leave();
    const heard = hear(room);
    const socket = await comeBack(['general']);
    expect(socket.sent).toMatchObject([{ type: 'leave_room', payload: { room_id: 'general' } }]);
    socket.receive(message(20));
    expect(heard).toEqual([]);
    expect([room.state, client.state]).toEqual(['left', 'open']);
    edge.answer = willing;
    await room.join();
    socket.receive(message(21));
    expect(heard).toEqual(['joining', 'joined', 21]);
  });
});

it('pages through the history', async () => {
  const { room } = await joined();
  edge.answer = ({ id = '', payload }, socket) =>
    void socket.receive({
      type: 'history',
      id,
      room: 'general',
      payload: { room_id: 'general', epoch: 'e1', messages: [message(9)], more: payload?.limit === 1 },
    });
  expect(await room.history({ before: 10, limit: 1 })).toEqual({ epoch: 'e1', messages: [message(9)], more: true });
  expect(await room.history()).toMatchObject({ more: false });
  expect(edge.socket.sentOfType('history').map(({ payload }) => payload)).toEqual([{ before: 10, limit: 1 }, {}]);
});

it('tells its status to every session, before the rooms', async () => {
  const { client } = await joined();
  edge.answer = willing;
  await client.setStatus({ doing: 'lunch' });
  const socket = await comeBack();
  expect(socket.sent.map(({ type }) => type)).toEqual(['set_status', 'resume']);
  await expect(Promise.race([client.setStatus(), turn()])).resolves.toBeUndefined();
  expect(socket.sentOfType('set_status').at(-1)?.payload).toEqual({ status: null });
});

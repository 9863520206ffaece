/** Invariants of README.md that concern the resume frame and own messages. Fake edge, fake clock. */
import { DEFAULT_LIMITS } from '@hubbub/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, placesIn, silent, turn, willing } from './support/fake-edge.js';
import { answerResume, comeBack, historic, joined, message } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

describe('invariant 15: own messages of a room with history are neither lost nor doubled', () => {
  it('repeats messages in flight with the same id, after the room is rejoined', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    const sending = room.send({ n: 1 });
    const id = edge.socket.sentOfType('send_message')[0]?.id;
    const socket = await comeBack(edge);
    expect(socket.sentOfType('send_message')).toEqual([]);
    edge.answer = willing;
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 10, recovered: true }]);
    await turn();
    expect(socket.sentOfType('send_message')).toMatchObject([{ id, payload: { n: 1 } }]);
    expect(await outcome(sending)).toMatchObject({ value: { id } });
  });

  it("takes a message's replay for its ack, and does not show it as new", async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    const sending = room.send({ n: 1 }, { id: 'm1' });
    const socket = await comeBack(edge);
    socket.receive(message(11, { id: 'm1', sender: { id: 'u1', name: 'One' }, timestamp: 'T' })).receive(message(12));
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 12, recovered: true }]);
    expect(await outcome(sending)).toEqual({ value: { id: 'm1', timestamp: 'T', offset: 11 } });
    expect(socket.sentOfType('send_message')).toEqual([]);
    expect(heard).toEqual(['rejoining', 12, 'recovered 2', 'joined']);
  });

  it('shows own messages of other sessions, and none that was acknowledged', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = (frame, socket) => void socket.receive({ type: 'ack', id: frame.id ?? '', offset: 12 });
    await room.send({}, { id: 'm1' });
    const socket = await comeBack(edge);
    const own = { sender: { id: 'u1', name: 'One' } };
    socket.receive(message(11, { ...own, id: 'other' })).receive(message(12, { ...own, id: 'm1' }));
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 12, recovered: true }]);
    await turn();
    expect(heard).toEqual(['rejoining', 11, 'recovered 1', 'joined']);
  });

  it('repeats messages that the broker refused, before later ones, and reports no gap meanwhile', async () => {
    const { room, heard } = await joined(edge);
    const refuse = (name: string): void => {
      const { id = '' } = edge.socket.sent.find(({ message_id }) => message_id === name) ?? {};
      edge.socket.receive({ type: 'error', id, payload: { code: 'UNAVAILABLE', message: '' } });
    };
    const names = () => edge.socket.sentOfType('send_message').map(({ message_id }) => message_id);
    edge.answer = silent;
    const sending = ['m1', 'm2'].map(id => room.send({}, { id }));
    refuse('m1'); // It is in the history nevertheless, as 11.
    refuse('m2');
    sending.push(room.send({}, { id: 'm3' }));
    edge.socket.receive(message(12));
    expect(names()).toEqual(['m1', 'm2']);
    let offset = 13;
    edge.answer = ({ id = '', message_id }, socket) =>
      void socket.receive({ type: 'ack', id, offset: message_id === 'm1' ? 11 : offset++ });
    await vi.advanceTimersByTimeAsync(500);
    expect(await outcome(Promise.all(sending))).toMatchObject({
      value: [{ offset: 11 }, { offset: 13 }, { offset: 14 }],
    });
    expect(names()).toEqual(['m1', 'm2', 'm1', 'm2', 'm3']);
    edge.socket.receive(message(15));
    expect(heard).toEqual([12, 15]);
  });

  it('gives up repeating when the edge may have forgotten the id, and when the client is closed', async () => {
    const { client, room } = await joined(edge);
    edge.answer = ({ id = '', type }, socket) => {
      if (type === 'ping') socket.receive({ type: 'pong', id });
      else socket.receive({ type: 'error', id, payload: { code: 'UNAVAILABLE', message: '' } });
    };
    const first = expect(room.send({})).rejects.toMatchObject({ code: 'UNAVAILABLE' }); // Never executed.
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    await first;
    const second = room.send({});
    client.close();
    await expect(second).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['the history is another', { epoch: 'e2', offset: 0, recovered: false, reason: 'new_epoch' }, 0],
    ['the edge may have forgotten the id', { epoch: 'e1', offset: 10, recovered: true }, 5 * 60_000],
  ] as const)('rejects with OUTCOME_UNKNOWN when %s', async (_why, answer, awayMs) => {
    const { room } = await joined(edge);
    edge.answer = silent;
    const sending = room.send({});
    const late = expect(sending).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', message: /not known/ });
    for (let waitedMs = 0; waitedMs < awayMs; waitedMs += 1_000) {
      edge.socket.end(1006); // The network is down.
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

  it('rejects with OUTCOME_UNKNOWN when the next session has another user, as anonymous ones do', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    const late = expect(room.send({})).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', message: /not known/ });
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    const user = { id: 'anonymous:s2', name: 'Anonymous' };
    const payload = { session_id: 's2', user, rooms: [], limits: DEFAULT_LIMITS };
    const socket = edge.socket.open().receive({ type: 'welcome', payload });
    await turn();
    edge.answer = willing;
    answerResume(socket, [{ room_id: 'general', epoch: 'e1', offset: 10, recovered: true }]);
    await turn();
    expect(socket.sentOfType('send_message')).toEqual([]);
    await late;
  });
});

describe('invariant 16: positions fit in as few frames as possible, and an edge without resume gets a join per room', () => {
  it('splits by bytes', async () => {
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
    }
    expect(socket.sentOfType('join_room')).toEqual([]);
    expect(client.state).toBe('open');
  });

  it.each(['UNKNOWN_TYPE', 'UNAVAILABLE'])('joins with the position after %s', async code => {
    const { client, heard } = await joined(edge);
    const socket = await comeBack(edge);
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

  it('retries later for a room that was refused temporarily, and leaves one that was refused for good', async () => {
    const client = await edge.openClient();
    edge.answer = historic(1);
    const rooms = ['soon', 'never', 'fine'].map(name => client.room(name));
    await Promise.all(rooms.map(room => room.join()));
    const socket = await comeBack(edge);
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

it('pages through the history', async () => {
  const { room } = await joined(edge);
  edge.answer = ({ id = '', payload }, socket) =>
    void socket.receive({
      type: 'history',
      id,
      room: 'general',
      payload: {
        room_id: 'general',
        epoch: 'e1',
        messages: [message(9)],
        ...(payload?.limit === 1 && { more: true, next: 9 }),
      },
    });
  expect(await room.history({ before: 10, limit: 1 })).toEqual({
    epoch: 'e1',
    messages: [message(9)],
    more: true,
    next: 9,
  });
  expect(await room.history()).toEqual({ epoch: 'e1', messages: [message(9)], more: false });
  expect(edge.socket.sentOfType('history').map(({ payload }) => payload)).toEqual([{ before: 10, limit: 1 }, {}]);
});

it('sends its status to every session, before the rooms', async () => {
  const { client } = await joined(edge);
  edge.answer = willing;
  await client.setStatus({ doing: 'lunch' });
  const socket = await comeBack(edge);
  expect(socket.sent.map(({ type }) => type)).toEqual(['set_status', 'resume']);
  await expect(Promise.race([client.setStatus(), turn()])).resolves.toBeUndefined();
  expect(socket.sentOfType('set_status').at(-1)?.payload).toEqual({ status: null });
});

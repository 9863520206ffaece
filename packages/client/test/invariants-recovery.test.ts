/** Invariants of README.md that concern positions and recovery. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, placesIn, silent, turn } from './support/fake-edge.js';
import { answerResume, comeBack, joined, message } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

describe('invariant 13: every message with an offset arrives once and in order, and every loss is reported', () => {
  it('drops what it has seen, and reports a hole before what follows it', async () => {
    const { heard } = await joined(edge);
    for (const offset of [11, 12, 11, 12, 15]) edge.socket.receive(message(offset));
    expect(heard).toEqual([11, 12, { reason: 'missed', since: 12, before: 15 }, 15]);
  });

  it('counts own messages by their acks, which may come before or after the messages of others', async () => {
    const { room, heard } = await joined(edge);
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
    expect(placesIn((await comeBack(edge)).sentOfType('resume')[0])).toMatchObject([{ epoch: 'e1', offset: 15 }]);
  });

  it('reports a hole when the message that could have filled it was refused', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    const sending = room.send({});
    edge.socket.receive(message(12));
    const id = edge.socket.sentOfType('send_message')[0]?.id ?? '';
    edge.socket.receive({ type: 'error', id, payload: { code: 'FORBIDDEN', message: '' } });
    expect(await outcome(sending)).toEqual({ code: 'FORBIDDEN' });
    expect(heard).toEqual([12, { reason: 'missed', since: 10, before: 12 }]);
  });

  it('passes echoes of own messages, whether their ack came before or after', async () => {
    const { room, heard } = await joined(edge);
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
    const { heard } = await joined(edge);
    const payload = { room_id: 'general', reason: 'new_epoch', epoch: 'e2', offset: 3 };
    edge.socket.receive(message(11)).receive({ type: 'room_gap', payload }).receive(message(4));
    expect(heard).toEqual([11, { reason: 'new_epoch', before: 4 }, 4]);
    edge.socket.receive({ type: 'room_gap', room: 'general', payload: { room_id: 'general' } });
    expect(heard.at(-1)).toMatchObject({ reason: 'no_history' });
  });
});

describe('an offset counts within its epoch', () => {
  const gapTo = (epoch: string, offset: number) =>
    ({ type: 'room_gap', payload: { room_id: 'general', reason: 'new_epoch', epoch, offset } }) as const;

  it('keeps an ack of the new epoch until the room_gap names it, and reports no false gap', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    void room.send({}, { id: 'm1' });
    edge.socket
      .receive({ type: 'ack', id: 'm1', room: 'general', epoch: 'e2', offset: 1 })
      .receive(gapTo('e2', 0))
      .receive(message(2, { epoch: 'e2' }));
    expect(heard).toEqual([{ reason: 'new_epoch', before: 1 }, 2]);
  });

  it('ignores a late ack of the old epoch', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    void room.send({}, { id: 'm1' });
    edge.socket
      .receive(gapTo('e2', 0))
      .receive({ type: 'ack', id: 'm1', room: 'general', epoch: 'e1', offset: 2 })
      .receive(message(1, { epoch: 'e2' }))
      .receive(message(2, { epoch: 'e2' }));
    expect(heard).toEqual([{ reason: 'new_epoch', before: 1 }, 1, 2]);
  });

  it('counts an ack without an epoch, from an older edge, in the epoch in which the message was sent', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    void room.send({}, { id: 'm1' });
    edge.socket
      .receive(gapTo('e2', 0))
      .receive({ type: 'ack', id: 'm1', room: 'general', offset: 2 })
      .receive(message(1))
      .receive(message(2));
    expect(heard).toEqual([{ reason: 'new_epoch', before: 1 }, 1, 2]);
  });

  it('reports the gap where a message is the first sign of a new epoch', async () => {
    const { heard } = await joined(edge);
    for (const offset of [3, 4]) edge.socket.receive(message(offset, { epoch: 'e2' }));
    expect(heard).toEqual([{ reason: 'new_epoch', before: 3 }, 3, 4]);
  });

  it('keeps receiving after a room_gap that names an offset without a message', async () => {
    const { heard } = await joined(edge);
    edge.socket.receive(gapTo('e1', Number.MAX_SAFE_INTEGER));
    for (const offset of [11, 12]) edge.socket.receive(message(offset, { epoch: 'e1' }));
    expect(heard.filter(entry => typeof entry === 'number')).toEqual([11, 12]);
    edge.socket.receive(gapTo('e9', Number.MAX_SAFE_INTEGER)).receive(message(13, { epoch: 'e1' }));
    expect(heard.at(-1)).toBe(13);
    expect(placesIn((await comeBack(edge)).sentOfType('resume')[0])).toMatchObject([{ epoch: 'e1', offset: 13 }]);
  });
});

describe('invariant 14: in a new session every room reports recovered or gap', () => {
  it('delivers replayed messages once, and reports that the room is whole', async () => {
    const { client, heard } = await joined(edge);
    edge.socket.receive(message(11));
    const socket = await comeBack(edge);
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
  ])('after %j it reports the gap, then delivers what follows', async (answer, gap) => {
    const { heard } = await joined(edge);
    const socket = await comeBack(edge);
    answerResume(socket, [{ room_id: 'general', ...answer }]);
    socket.receive(message(51)).receive(message(52));
    await turn();
    expect(heard).toEqual(['rejoining', gap, 51, 52, 'joined']);
  });

  it('after too_old it reports the gap, then delivers once what the edge could still replay', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    const sending = room.send({}, { id: 'm1' });
    const socket = await comeBack(edge);
    const own = { sender: { id: 'u1', name: 'One' }, id: 'm1' };
    for (const offset of [48, 49]) socket.receive(message(offset, { epoch: 'e1' }));
    socket.receive(message(50, { epoch: 'e1', ...own }));
    const answer = { epoch: 'e1', offset: 50, recovered: false, reason: 'too_old', replayed_from: 48 };
    answerResume(socket, [{ room_id: 'general', ...answer }]);
    socket.receive(message(51, { epoch: 'e1' }));
    expect(await outcome(sending)).toMatchObject({ value: { id: 'm1', epoch: 'e1', offset: 50 } });
    expect(heard).toEqual(['rejoining', { reason: 'too_old', since: 10, before: 48 }, 48, 49, 51, 'joined']);
  });

  it.each([
    ['leaves the room', []],
    ['leaves the room and joins it again', ['join_room']],
  ])('delivers no held message to a listener that %s', async (_, sent) => {
    const { room, heard } = await joined(edge);
    const gaps = vi.fn();
    room.on('new_message', ({ offset }) => {
      if (offset !== 49) return;
      void room.leave().catch(() => {});
      if (sent.length > 0) void room.join();
    });
    const socket = await comeBack(edge);
    for (const offset of [48, 49, 50, 52]) socket.receive(message(offset, { epoch: 'e1' }));
    room.onGap(gaps);
    const answer = { epoch: 'e1', offset: 52, recovered: false, reason: 'too_old', replayed_from: 48 };
    answerResume(socket, [{ room_id: 'general', ...answer }]);
    await turn();
    expect(heard.filter(entry => typeof entry === 'number')).toEqual([48, 49]);
    expect(gaps).toHaveBeenCalledTimes(1);
    expect(socket.sent.slice(1).map(({ type }) => type)).toEqual(['leave_room', ...sent]);
  });

  it('reports when a room without history was away', async () => {
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
    const { heard } = await joined(edge);
    const first = await comeBack(edge);
    first.receive(message(11));
    const second = await comeBack(edge);
    expect(placesIn(second.sentOfType('resume')[0])).toEqual([{ room_id: 'general', epoch: 'e1', offset: 11 }]);
    second.receive(message(12));
    answerResume(second, [{ room_id: 'general', epoch: 'e1', offset: 12, recovered: true }]);
    await turn();
    expect(heard).toEqual(['rejoining', 11, 12, 'recovered 1', 'joined']);
  });
});

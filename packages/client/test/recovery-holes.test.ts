/** Messages lost, doubled, early or late around a recovery: none is shown twice or lost in silence. Fake edge, fake clock. */
import { beforeEach, describe, expect, it } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, placesIn, silent, turn } from './support/fake-edge.js';
import { answerResume, comeBack, hear, joined, message } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const recovered = (offset: number) => ({ room_id: 'general', epoch: 'e1', offset, recovered: true });

describe('after a recovery', () => {
  it('a hole is reported before what follows it', async () => {
    const { heard } = await joined(edge);
    const socket = await comeBack(edge);
    answerResume(socket, [recovered(10)]);
    await turn();
    socket.receive(message(12));
    expect(heard.slice(-2)).toEqual([{ reason: 'missed', since: 10, before: 12 }, 12]);
  });

  it('a message that the edge counted as replayed but that did not arrive is a gap', async () => {
    const { heard } = await joined(edge);
    const socket = await comeBack(edge);
    for (const offset of [11, 12]) socket.receive(message(offset));
    answerResume(socket, [recovered(13)]);
    await turn();
    socket.receive(message(14));
    expect(heard.slice(-2)).toEqual([{ reason: 'missed', since: 12, before: 14 }, 14]);
  });

  it('a hole in the replay is reported with the answer, before what waited behind it', async () => {
    const { heard } = await joined(edge);
    const socket = await comeBack(edge);
    socket.receive(message(12));
    expect(heard).toEqual(['rejoining']);
    answerResume(socket, [recovered(12)]);
    await turn();
    const gap = { reason: 'missed', since: 10, before: 12 };
    expect(heard).toEqual(['rejoining', 'recovered 0', gap, 12, 'joined']);
  });

  it('that failed, a message from before its end is dropped', async () => {
    const { heard } = await joined(edge);
    const socket = await comeBack(edge);
    answerResume(socket, [{ ...recovered(50), recovered: false, reason: 'too_many' }]);
    await turn();
    for (const offset of [50, 51]) socket.receive(message(offset, { epoch: 'e1' }));
    expect(heard.slice(-1)).toEqual([51]);
    expect(placesIn((await comeBack(edge)).sentOfType('resume')[0])).toMatchObject([{ offset: 51 }]);
  });
});

describe('messages beyond a hole, before the answer to a resume', () => {
  it('wait also where they are of a new epoch: its gap is reported once, and first', async () => {
    const { heard } = await joined(edge);
    const socket = await comeBack(edge);
    socket.receive(message(51, { epoch: 'e2' }));
    expect(heard).toEqual(['rejoining']);
    answerResume(socket, [{ room_id: 'general', epoch: 'e2', offset: 50, recovered: false, reason: 'new_epoch' }]);
    await turn();
    expect(heard).toEqual(['rejoining', { reason: 'new_epoch', before: 51 }, 51, 'joined']);
  });

  it('wait up to 2,000; the next one passes, and the gap is reported', async () => {
    const { heard } = await joined(edge);
    const socket = await comeBack(edge);
    for (let offset = 12; offset < 12 + 2_000; offset++) socket.receive(message(offset));
    expect(heard).toEqual(['rejoining']);
    socket.receive(message(2_012));
    expect(heard).toEqual(['rejoining', 2_012]);
    answerResume(socket, [recovered(2_012)]);
    await turn();
    socket.receive(message(2_013));
    expect(heard.slice(2)).toContainEqual({ reason: 'missed', since: 10, before: 12 });
    expect(heard.at(-1)).toBe(2_013);
  });
});

it('counts what was replayed in each session by itself', async () => {
  const { heard } = await joined(edge);
  for (const offset of [11, 12]) {
    const socket = await comeBack(edge);
    socket.receive(message(offset));
    answerResume(socket, [recovered(offset)]);
    await turn();
  }
  expect(heard.filter(entry => String(entry).startsWith('recovered'))).toEqual(['recovered 1', 'recovered 1']);
});

it('reports no hole of a room that a listener leaves during its recovery', async () => {
  const { room, heard } = await joined(edge);
  edge.answer = silent;
  room.send({}).catch(() => {}); // May be message 49.
  room.on('new_message', ({ offset }) => offset === 50 && void room.leave().catch(() => {}));
  const socket = await comeBack(edge);
  for (const offset of [48, 50]) socket.receive(message(offset, { epoch: 'e1' }));
  answerResume(socket, [{ ...recovered(50), recovered: false, reason: 'too_old', replayed_from: 48 }]);
  await turn();
  expect(heard).toEqual(['rejoining', { reason: 'too_old', since: 10, before: 48 }, 48, 50, 'left']);
});

it('counts an ack in its own epoch only', async () => {
  const { room, heard } = await joined(edge);
  edge.answer = silent;
  void room.send({}, { id: 'm1' });
  edge.socket
    .receive({ type: 'ack', id: 'm1', room: 'general', epoch: 'e2', offset: 1 })
    .receive({ type: 'room_gap', payload: { room_id: 'general', reason: 'new_epoch', epoch: 'e3', offset: 0 } })
    .receive(message(2, { epoch: 'e3' }));
  expect(heard).toEqual([{ reason: 'new_epoch', before: 1 }, { reason: 'missed', since: 0, before: 2 }, 2]);
});

it('keeps all acks of an epoch that a room_gap has yet to name', async () => {
  const { room, heard } = await joined(edge);
  edge.answer = silent;
  for (const id of ['m1', 'm2']) void room.send({}, { id });
  for (const [id, offset] of [['m1', 1] as const, ['m2', 2] as const]) {
    edge.socket.receive({ type: 'ack', id, room: 'general', epoch: 'e2', offset });
  }
  const payload = { room_id: 'general', reason: 'new_epoch', epoch: 'e2', offset: 0 };
  edge.socket.receive({ type: 'room_gap', payload }).receive(message(3, { epoch: 'e2' }));
  expect(heard).toEqual([{ reason: 'new_epoch', before: 1 }, 3]);
});

it('keeps the last 256 of them', async () => {
  const { room, heard } = await joined(edge);
  edge.answer = (frame, socket) => {
    const offset = Number(frame.payload?.n);
    if (frame.type === 'send_message') socket.receive({ type: 'ack', id: frame.id ?? '', epoch: 'e2', offset });
  };
  for (let n = 1; n <= 257; n++) await room.send({ n });
  const payload = { room_id: 'general', reason: 'new_epoch', epoch: 'e2', offset: 0 };
  edge.socket.receive({ type: 'room_gap', payload }).receive(message(258, { epoch: 'e2' }));
  expect(heard).toEqual([{ reason: 'new_epoch', before: 1 }, { reason: 'missed', since: 0, before: 2 }, 258]);
});

it('sends no position in an unknown epoch, and does not report the first epoch as a new one', async () => {
  const client = await edge.openClient();
  const room = client.room('general');
  await room.join();
  const heard = hear(room);
  for (const offset of [11, 12]) edge.socket.receive(message(offset, offset === 12 ? { epoch: 'e1' } : {}));
  expect(heard).toEqual([11, 12]);
  expect(placesIn((await comeBack(edge)).sentOfType('resume')[0])).toEqual([{ room_id: 'general' }]);
});

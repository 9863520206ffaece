/** A history that continues in another epoch (PROTOCOL.md section 2.4): no gap, no message twice. Fake edge, fake clock. */
import type { Frame } from '@hubbub/protocol';
import { beforeEach, expect, it } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, placesIn, silent, turn } from './support/fake-edge.js';
import { answerResume, comeBack, joined, message } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

function crossing(offset: number, previous_epoch = 'e1', epoch = 'e2'): Frame {
  return { type: 'room_offset', room: 'general', epoch, offset, payload: { previous_epoch } };
}

it('keeps its offsets when the room continues while it is a member', async () => {
  const { heard } = await joined(edge);
  edge.socket.receive(message(11, { epoch: 'e1' })).receive(crossing(11));
  edge.socket.receive(message(11, { epoch: 'e2' })).receive(message(12, { epoch: 'e2' }));
  expect(heard).toEqual([11, 12]);
  expect(placesIn((await comeBack(edge)).sentOfType('resume')[0])).toMatchObject([{ epoch: 'e2', offset: 12 }]);
});

it('reports a gap when the earlier epoch is not its own', async () => {
  const { heard } = await joined(edge);
  edge.socket.receive(crossing(11, 'e0', 'e2'));
  expect(heard).toEqual([{ reason: 'new_epoch', before: 11 }]);
});

it('counts the messages of a replay that begins in another epoch', async () => {
  const { heard } = await joined(edge);
  const socket = await comeBack(edge);
  socket
    .receive(crossing(10))
    .receive(message(11, { epoch: 'e2' }))
    .receive(message(12, { epoch: 'e2' }));
  answerResume(socket, [{ room_id: 'general', epoch: 'e2', offset: 12, recovered: true }]);
  await turn();
  expect(heard).toEqual(['rejoining', 11, 12, 'recovered 2', 'joined']);
});

it('takes an ack in the new epoch that overtakes the notice, and the echo of an ack as no message of its own', async () => {
  const { room, heard } = await joined(edge);
  edge.answer = silent;
  const sending = [room.send({ n: 1 }), room.send({ n: 2 })];
  const [first, second] = edge.socket.sentOfType('send_message');
  edge.socket
    .receive({ type: 'ack', id: first?.id ?? '', epoch: 'e1', offset: 11 })
    .receive({ type: 'ack', id: second?.id ?? '', epoch: 'e2', offset: 12 })
    .receive(crossing(11))
    .receive(crossing(11))
    .receive(message(13, { epoch: 'e2' }));
  expect(await outcome(Promise.all(sending))).toMatchObject({ value: [{ offset: 11 }, { offset: 12 }] });
  expect(heard).toEqual([13]);
});

it('repeats a message with an unknown outcome in the epoch that continues its own', async () => {
  const { room } = await joined(edge);
  edge.answer = silent;
  const sending = room.send({ n: 1 }, { id: 'm1' });
  const socket = await comeBack(edge);
  socket.receive(crossing(10));
  answerResume(socket, [{ room_id: 'general', epoch: 'e2', offset: 10, recovered: true }]);
  await turn();
  const [again] = socket.sentOfType('send_message');
  expect(again).toMatchObject({ message_id: 'm1' });
  socket.receive({ type: 'ack', id: again?.id ?? '', epoch: 'e2', offset: 11 });
  expect(await outcome(sending)).toMatchObject({ value: { epoch: 'e2', offset: 11 } });
});

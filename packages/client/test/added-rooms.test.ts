/** Rooms to which a service adds the session: like joined ones, until the session ends. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeEdge, willing } from './support/fake-edge.js';
import { answerResume, comeBack, hear, historic, message } from './support/general-room.js';

let edge: FakeEdge;

beforeEach(() => {
  vi.useFakeTimers();
  edge = new FakeEdge();
});
afterEach(() => {
  vi.useRealTimers();
});

const opened = (position: object = {}) => ({
  type: 'room_opened',
  room: 'general',
  payload: { room_id: 'general', ...position },
});

it('is joined without a request, and hears from the position on', async () => {
  const client = await edge.openClient();
  const room = client.room('general');
  const heard = hear(room);
  edge.socket.receive(opened({ epoch: 'e1', offset: 4 }));
  expect(room.state).toBe('joined');
  edge.socket.receive(message(5));
  edge.socket.receive(message(5));
  edge.socket.receive(message(7));
  expect(heard).toEqual(['joined', 5, { reason: 'missed', since: 5, before: 7 }, 7]);
  expect(edge.socket.sentOfType('join_room')).toEqual([]);
});

it('takes the place of a message for others silently', async () => {
  const client = await edge.openClient();
  const heard = hear(client.room('general'));
  edge.socket.receive(opened({ epoch: 'e1', offset: 4 }));
  edge.socket.receive({ type: 'room_offset', room: 'general', offset: 5 });
  edge.socket.receive(message(6));
  expect(heard).toEqual(['joined', 6]);
});

it('is left with the session, and not rejoined in the next; its position is forgotten', async () => {
  const client = await edge.openClient();
  const room = client.room('general');
  const heard = hear(room);
  edge.socket.receive(opened({ epoch: 'e1', offset: 4 }));
  const next = await comeBack(edge);
  expect([next.sentOfType('resume'), next.sentOfType('join_room')]).toEqual([[], []]);
  expect(client.state).toBe('open');
  next.receive(opened({ epoch: 'e2', offset: 0 }));
  next.receive(message(1));
  expect(heard).toEqual(['joined', 'left', 'joined', 1]);
});

it('a later join makes it a wanted room, which the client rejoins', async () => {
  const client = await edge.openClient();
  const room = client.room('general');
  edge.socket.receive(opened({ epoch: 'e1', offset: 4 }));
  await room.join();
  const next = await comeBack(edge);
  expect(next.sentOfType('resume')[0]?.payload).toEqual({ rooms: [{ room_id: 'general', epoch: 'e1', offset: 4 }] });
  answerResume(next, [{ room_id: 'general', epoch: 'e1', offset: 4, recovered: true }]);
  await vi.advanceTimersByTimeAsync(0);
  expect(room.state).toBe('joined');
});

it('a join in flight is answered as if no service had added the session', async () => {
  const client = await edge.openClient();
  const room = client.room('general');
  const joined = room.join();
  edge.socket.receive(opened({ epoch: 'e1', offset: 4 }));
  expect(room.state).toBe('joining');
  historic(10)(edge.socket.sentOfType('join_room')[0] ?? { type: '' }, edge.socket);
  await joined;
  expect(room.state).toBe('joined');
});

it('is left like any other', async () => {
  const client = await edge.openClient();
  edge.socket.receive(opened());
  edge.answer = willing;
  await client.room('general').leave();
  expect(edge.socket.sentOfType('leave_room')).toHaveLength(1);
});

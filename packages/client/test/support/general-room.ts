/** The room `general` and its history at a fake edge: joining, breaking off, and reconnecting. */
import type { Frame } from '@hubbub/protocol';
import { vi } from 'vitest';
import type { HubbubClient, Room } from '../../src/index.js';
import { type FakeEdge, type FakeSocket, silent, willing } from './fake-edge.js';

/** Every room has a history, of this epoch and up to this offset. */
export function historic(offset: number, epoch = 'e1') {
  return (frame: Frame, socket: FakeSocket): void => {
    if (frame.type === 'join_room') socket.receive({ type: 'ack', id: frame.id ?? '', payload: { epoch, offset } });
    else willing(frame, socket);
  };
}

export function message(offset: number, more: Partial<Frame> = {}): Frame {
  return { type: 'new_message', room: 'general', sender: { id: 'b', name: 'B' }, payload: {}, offset, ...more };
}

/** Records the events of a room, in order. */
export function hear(room: Room): unknown[] {
  const heard: unknown[] = [];
  room.on('new_message', ({ offset }) => heard.push(offset));
  room.onGap(({ room: _, ...gap }) => heard.push(gap));
  room.onRecovered(({ replayed }) => heard.push(`recovered ${replayed}`));
  room.onStateChange(({ state }) => heard.push(state));
  return heard;
}

/** A client in `general` at offset 10, and the events since then. */
export async function joined(edge: FakeEdge): Promise<{ client: HubbubClient; room: Room; heard: unknown[] }> {
  const client = await edge.openClient();
  edge.answer = historic(10);
  const room = client.room('general');
  await room.join();
  return { client, room, heard: hear(room) };
}

/** Breaks the connection and opens the next session; nothing is answered yet. */
export async function comeBack(edge: FakeEdge, rooms: string[] = []): Promise<FakeSocket> {
  edge.socket.end(1006);
  edge.answer = silent;
  await vi.advanceTimersByTimeAsync(1_000);
  return edge.accept(rooms);
}

export function answerResume(socket: FakeSocket, answers: object[]): void {
  const id = socket.sentOfType('resume').at(-1)?.id ?? '';
  socket.receive({ type: 'ack', id, payload: { rooms: answers } });
}
